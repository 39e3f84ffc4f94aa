//! Where what lies in a data directory. It knows names, not what is in the files, but for the identity's.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use watchbell_engine::version::NodeId;

use super::StoreError;
use super::database::{Database, DatabaseError, wait_until_closed};
use super::directory::{Identity, OWN, failed};
use super::fold::FoldError;
use super::journal::JournalError;

/// The layout that this version writes.
pub(super) const FORMAT: u32 = 4;

/// The oldest that it reads: 3 had one database for all its images, 2 an older form of journals besides.
const OLDEST_FORMAT: u32 = 2;

/// The name of a journal, before its number.
const JOURNAL: &str = "journal-";

/// The name of a database, before its number: that of the first journal that is not in it.
const DATABASE: &str = "db-";

/// The name of the one database of formats 2 and 3.
const OLD_DATABASE: &str = "db";

/// The name of a database that is being made.
const NEW_DATABASE: &str = "db.new";

/// Where what lies in a data directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    path: PathBuf,
}

impl Layout {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The data directory, as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the journal `number` lies.
    pub(super) fn journal(&self, number: u64) -> PathBuf {
        self.own().join(format!("{JOURNAL}{number}"))
    }

    /// The numbers of the journals that are there, in order.
    pub(super) fn journals(&self) -> Result<Vec<u64>, StoreError> {
        self.numbers(|name| name.strip_prefix(JOURNAL)?.parse().ok())
    }

    /// Removes a journal that is not needed any more.
    pub(super) fn remove_journal(&self, number: u64) -> Result<(), StoreError> {
        let path = self.journal(number);
        fs::remove_file(&path).map_err(failed(&path, "remove it"))
    }

    /// Opens the newest database, if there is one with an image.
    pub(super) fn open_database(&self) -> Result<Option<Database>, StoreError> {
        let Some(path) = self.databases()?.pop() else { return Ok(None) };
        remove_unfinished_snapshots(&path)?;
        Database::open(&path).map_err(|error| self.refused(error.into()))
    }

    /// An empty place for a new database.
    pub(super) fn new_database(&self) -> Result<PathBuf, StoreError> {
        let path = self.own().join(NEW_DATABASE);
        match wait_until_closed(&path).and_then(|()| fs::remove_dir_all(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, "remove it")(error)),
            _ => Ok(path),
        }
    }

    /// Makes what was put into the new place the newest database, all before the journal `number`, and removes the others.
    pub(super) fn adopt_database(&self, number: u64) -> Result<(), StoreError> {
        let path = self.own().join(format!("{DATABASE}{number}"));
        fs::rename(self.own().join(NEW_DATABASE), &path).map_err(failed(&path, "make it"))?;
        self.sync()?;
        self.remove_old_databases()
    }

    /// Removes all databases but the newest. One that stays is removed at the next start.
    pub(super) fn remove_old_databases(&self) -> Result<(), StoreError> {
        let mut databases = self.databases()?;
        databases.pop();
        for path in databases {
            if let Err(err) = wait_until_closed(&path).and_then(|()| fs::remove_dir_all(&path)) {
                tracing::warn!(component = "store", %err, path = %path.display(), "A database that is not needed stays");
            }
        }
        Ok(())
    }

    /// The databases that are there, the newest last.
    fn databases(&self) -> Result<Vec<PathBuf>, StoreError> {
        let number = |name: &str| match name {
            OLD_DATABASE => Some(0),
            _ => name.strip_prefix(DATABASE)?.parse().ok(),
        };
        let path = |number| match number {
            0 => self.own().join(OLD_DATABASE),
            _ => self.own().join(format!("{DATABASE}{number}")),
        };
        Ok(self.numbers(number)?.into_iter().map(path).collect())
    }

    /// The numbers that names in our part of the directory stand for, in order.
    fn numbers(&self, number: impl Fn(&str) -> Option<u64>) -> Result<Vec<u64>, StoreError> {
        let own = self.own();
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&own).map_err(failed(&own, "list it"))? {
            let name = entry.map_err(failed(&own, "list it"))?.file_name();
            numbers.extend(name.to_str().and_then(&number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Our part of the directory.
    fn own(&self) -> PathBuf {
        self.path.join(OWN)
    }

    /// Puts what was made in our part of the directory on the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        for directory in [self.own(), self.path.clone()] {
            File::open(&directory).and_then(|opened| opened.sync_all()).map_err(failed(&directory, "sync it"))?;
        }
        Ok(())
    }

    /// The identity as the last start wrote it down.
    pub(super) fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let path = self.identity_file();
        match fs::read_to_string(&path) {
            Ok(text) => self.parse_identity(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, "read it")(error)),
        }
    }

    /// Writes the identity down, in one step. It and all journals that were made so far are on the disk then.
    pub(super) fn save_identity(&self, identity: Identity) -> Result<(), StoreError> {
        let Identity { node, generation } = identity;
        let text = format!("format {FORMAT}\nnode {:016x}\ngeneration {generation}\n", node.0);
        let (path, new) = (self.identity_file(), self.identity_file().with_extension("new"));
        replace(&new, &path, text.as_bytes()).map_err(failed(&path, "write it"))?;
        self.sync()
    }

    /// The error that says that the state in this directory is not whole, and why.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), reason: reason.into() }
    }

    /// What an error of database or journal means for the directory.
    pub(super) fn refused(&self, error: FoldError) -> StoreError {
        match error {
            FoldError::Database(DatabaseError::Io(error)) => failed(&self.own(), "use the database")(error),
            FoldError::Journal { number, error: JournalError::Io(error) } => {
                failed(&self.journal(number), "use the journal")(error)
            }
            damaged => self.damaged(damaged.to_string()),
        }
    }

    fn identity_file(&self) -> PathBuf {
        self.own().join("identity")
    }

    fn parse_identity(&self, text: &str) -> Result<Identity, StoreError> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let malformed = || self.damaged(format!("{} is malformed", self.identity_file().display()));
        let found = field("format").and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&found) {
            return Err(StoreError::Format { path: self.path.clone(), found });
        }
        let node = field("node").and_then(|text| u64::from_str_radix(text, 16).ok()).ok_or_else(malformed)?;
        let generation = field("generation").and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        Ok(Identity { node: NodeId(node), generation })
    }
}

/// Removes what a kill during an earlier opening left; sled would take it for its newest snapshot.
fn remove_unfinished_snapshots(database: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(database).map_err(failed(database, "list it"))? {
        let path = entry.map_err(failed(database, "list it"))?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&path).map_err(failed(&path, "remove it"))?;
        }
    }
    Ok(())
}

/// Writes `bytes` to `new`, and puts it into the place of `path` once they are on the disk.
fn replace(new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}
