//! The data directory around database and journals: whose it is, who has it now, which node it makes, and where what
//! lies in it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use watchbell_engine::version::NodeId;

use super::StoreError;
use super::database::{Database, DatabaseError};
use super::fold::FoldError;
use super::journal::JournalError;
use super::lock;

/// The layout that this version writes.
pub(super) const FORMAT: u32 = 3;

/// The oldest that it reads: 2 had an older form of journals only.
const OLDEST_FORMAT: u32 = 2;

/// Ours inside the data directory, where Alertmanager's files may lie as well.
const OWN: &str = "watchbell";

/// What [`set_aside`] makes of it, before a number.
const ASIDE: &str = "watchbell.aside-";

/// The name of a journal, before its number.
const JOURNAL: &str = "journal-";

/// Where what lies in a data directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    path: PathBuf,
}

/// A data directory that no other process has.
#[derive(Debug)]
pub(super) struct Directory {
    layout: Layout,
    /// Whether an earlier state was set aside here.
    had_state: bool,
    /// Held for as long as this lives.
    _lock: File,
}

/// Which node a directory makes, and which of its starts this is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) node: NodeId,
    pub(super) generation: u64,
}

impl Directory {
    /// Takes the directory for this process.
    pub(super) fn claim(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(failed(path, "make it"))?;
        let had_state = inspect(path)?;
        fs::create_dir_all(path.join(OWN)).map_err(failed(path, "write to it"))?;
        Ok(Self { layout: Layout { path: path.to_owned() }, had_state, _lock: take(path)? })
    }

    /// Where what lies in it.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether an earlier state was set aside here, so that Alertmanager's files are not the latest one.
    pub(super) fn had_state(&self) -> bool {
        self.had_state
    }
}

impl Layout {
    /// The data directory, as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database lies.
    fn database(&self) -> PathBuf {
        self.path.join(OWN).join("db")
    }

    /// Where the journal `number` lies.
    pub(super) fn journal(&self, number: u64) -> PathBuf {
        self.path.join(OWN).join(format!("{JOURNAL}{number}"))
    }

    /// The numbers of the journals that are there, in order.
    pub(super) fn journals(&self) -> Result<Vec<u64>, StoreError> {
        let own = self.path.join(OWN);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&own).map_err(failed(&own, "list it"))? {
            let name = entry.map_err(failed(&own, "list it"))?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.strip_prefix(JOURNAL)?.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes a journal that is not needed any more.
    pub(super) fn remove_journal(&self, number: u64) -> Result<(), StoreError> {
        let path = self.journal(number);
        fs::remove_file(&path).map_err(failed(&path, "remove it"))
    }

    /// Whether there is a database.
    pub(super) fn has_database(&self) -> bool {
        self.database().exists()
    }

    /// Opens the database, or makes one.
    pub(super) fn open_database(&self) -> Result<Database, StoreError> {
        self.remove_unfinished_snapshots()?;
        Database::open(&self.database()).map_err(|error| self.refused(error.into()))
    }

    /// Puts what was made in our part of the directory on the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        for directory in [self.path.join(OWN), self.path.clone()] {
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

    /// Removes what a kill during an earlier opening left; sled would take it for its newest snapshot.
    fn remove_unfinished_snapshots(&self) -> Result<(), StoreError> {
        let database = self.database();
        if !database.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(&database).map_err(failed(&database, "list it"))? {
            let path = entry.map_err(failed(&database, "list it"))?.path();
            if path.extension().is_some_and(|extension| extension == "generating") {
                fs::remove_file(&path).map_err(failed(&path, "remove it"))?;
            }
        }
        Ok(())
    }

    /// The error that says that the state in this directory is not whole, and why.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), reason: reason.into() }
    }

    /// What an error of database or journal means for the directory.
    pub(super) fn refused(&self, error: FoldError) -> StoreError {
        match error {
            FoldError::Database(DatabaseError::Io(error)) => failed(&self.database(), "use the database")(error),
            FoldError::Journal { number, error: JournalError::Io(error) } => {
                failed(&self.journal(number), "use the journal")(error)
            }
            damaged => self.damaged(damaged.to_string()),
        }
    }

    fn identity_file(&self) -> PathBuf {
        self.path.join(OWN).join("identity")
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

/// Moves the saved state out of the way, so that the next [`Store::open`](super::Store::open) starts without. Returns
/// where it is now.
///
/// Alertmanager's files are not read again then: they are older than what was set aside, and would bring back
/// silences that were deleted since.
pub fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let own = path.join(OWN);
    let _lock = take(path)?;
    let mut places = (1_u64..).map(|number| path.join(format!("{ASIDE}{number}")));
    let aside = places.find(|place| !place.exists()).expect("no directory holds 2^64 entries");
    fs::rename(&own, &aside).map_err(failed(&own, "move it"))?;
    Ok(aside)
}

/// Whether a state was set aside here; an error if it looks like something else's directory.
fn inspect(path: &Path) -> Result<bool, StoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed(path, "list it"))? {
        names.push(entry.map_err(failed(path, "list it"))?.file_name().to_string_lossy().into_owned());
    }
    let ours = names.iter().any(|name| name == OWN || name.starts_with(ASIDE));
    match names.iter().find(|name| !is_expected(name)) {
        Some(entry) if !ours => Err(StoreError::Foreign { path: path.to_owned(), entry: entry.clone() }),
        _ => Ok(names.iter().any(|name| name.starts_with(ASIDE))),
    }
}

/// Alertmanager's snapshots, finished or not, and what file systems and orchestrators put into a volume.
fn is_expected(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    ["silences", "nflog", "lost+found", ""].contains(&stem)
}

/// Takes the lock that keeps other processes out.
fn take(path: &Path) -> Result<File, StoreError> {
    let file = path.join(OWN).join("lock");
    let held = File::create(&file).map_err(failed(&file, "make it"))?;
    match lock::acquire(&held) {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(&file, "lock it")(error)),
    }
}

/// Writes `bytes` to `new`, and puts it into the place of `path` once they are on the disk.
fn replace(new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// Makes the system's answer an error that says what was tried on which file.
pub(super) fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Io { path: path.to_owned(), action, error }
}
