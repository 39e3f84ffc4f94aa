//! Disk: what survives a restart. It knows records and where they lie; it decides nothing about alerts.
//!
//! [`Store::open`] hands back what was saved and takes the directory for this process alone. A [`Committer`] then owns
//! the store on a thread of its own, gathers changes, and writes all that wait in one go: one atomic batch, one fsync.
//!
//! The data directory:
//!
//! ```text
//! <storage.path>/silences, nflog       Alertmanager's snapshots, if it ran here; read once, never written
//! <storage.path>/watchbell/identity    format, node and generation, as text
//! <storage.path>/watchbell/lock        held while a watchbell runs on the directory
//! <storage.path>/watchbell/db/         the database (sled; its types end in `database`)
//! ```

mod change;
mod committer;
mod database;
mod directory;
mod import;
mod lock;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchbell_engine::resume::Saved;
use watchbell_engine::version::NodeId;

use crate::record::frame::Kind;
use crate::record::{Framed, RecordError, decode};

pub use committer::{CommitError, Committer, Stats, Then};
pub use directory::set_aside;
pub use import::Imported;

use change::{RecordKey, Writes};
use database::Database;
use directory::{Directory, Identity};
use import::Import;

/// A data directory that this process has for itself. Hand it to [`Committer::start`] to write to it.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    identity: Identity,
    /// Absent after a failed write, until the next one opens it anew.
    database: Option<Database>,
}

/// What was found when the store was opened.
#[derive(Debug)]
pub struct Opened {
    /// This node, for as long as the directory lives.
    pub node: NodeId,
    /// How often the directory was opened, this time included; never the same twice.
    pub generation: u64,
    /// What the engine goes on with.
    pub saved: Saved,
    /// Records that could not be read. Their bytes are left where they are.
    pub damaged: Vec<Damaged>,
    /// What was taken over from Alertmanager, if this was the first start in its directory.
    pub imported: Option<Imported>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where it lies.
    pub place: String,
    /// What is wrong with it.
    pub error: RecordError,
}

/// Why a data directory cannot be used. None of these is ever answered by starting from nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{path}: cannot {action}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        error: io::Error,
    },
    /// Another process has the directory.
    #[error("{path}: another watchbell runs on this directory; stop it, or give this one another --storage.path")]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory belongs to something else.
    #[error(
        "{path}: not a data directory of watchbell or Alertmanager, it holds {entry:?}; point --storage.path at an \
         empty directory, or move what is not Alertmanager's elsewhere"
    )]
    Foreign {
        /// The data directory.
        path: PathBuf,
        /// Something in it that neither program puts there.
        entry: String,
    },
    /// Another version of the program wrote the directory.
    #[error(
        "{path}: data directory has format {found}, this watchbell reads format {}: start the version that wrote it",
        directory::FORMAT
    )]
    Format {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The state is not whole.
    #[error(
        "{path}: the saved state is damaged: {reason}; restore {path}/watchbell from a backup, or rename it to \
         watchbell.aside-1 to start without (silences and notification log are lost unless a peer still has them)"
    )]
    Damaged {
        /// The data directory.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

impl Store {
    /// Opens the data directory `path`, which is made if it is not there, and reads all it holds.
    ///
    /// At the first start in Alertmanager's data directory its silences and notification log are taken over.
    pub fn open(path: &Path) -> Result<(Self, Opened), StoreError> {
        let directory = Directory::claim(path)?;
        let refused = |error| directory.refused(error);
        let written = directory.identity()?;
        let mut database = open_database(&directory)?;
        let (identity, import) = match (written, database.identity().map_err(refused)?) {
            (None, None) => (first_start(), import::read(&directory)?),
            (written, found) => (next_start(&directory, written, found)?, Import::default()),
        };
        database.write(&import.writes, Some(identity)).map_err(refused)?;
        directory.save_identity(identity)?;
        let mut opened = Opened::new(identity, import.imported);
        for (key, bytes) in database.records().map_err(refused)? {
            opened.add(key, &bytes);
        }
        Ok((Self { directory, identity, database: Some(database) }, opened))
    }

    /// Writes everything in one atomic, durable step. After a failure the database is opened anew at the next call.
    fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        let mut database = match self.database.take() {
            Some(database) => database,
            None => self.reopen()?,
        };
        database.write(writes, None).map_err(|error| self.directory.refused(error))?;
        self.database = Some(database);
        Ok(())
    }

    /// The database after a failure, if it is still the one that was opened first.
    fn reopen(&self) -> Result<Database, StoreError> {
        let database = open_database(&self.directory)?;
        match database.identity().map_err(|error| self.directory.refused(error))? {
            Some(found) if found == self.identity => Ok(database),
            _ => Err(self.directory.damaged("the database was replaced while it was in use")),
        }
    }

    /// Bytes that the database takes on the disk.
    fn size(&self) -> u64 {
        self.directory.database_size()
    }
}

fn open_database(directory: &Directory) -> Result<Database, StoreError> {
    directory.remove_unfinished_snapshots()?;
    Database::open(&directory.database()).map_err(|error| directory.refused(error))
}

fn first_start() -> Identity {
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    Identity { node: NodeId(random), generation: 1 }
}

/// The identity of a further start. The database is written before the file, so it may be one start ahead, never behind.
fn next_start(
    directory: &Directory,
    written: Option<Identity>,
    found: Option<Identity>,
) -> Result<Identity, StoreError> {
    let Some(found) = found else {
        return Err(directory.damaged("the database is empty although it has been used before"));
    };
    let written = written.unwrap_or(found);
    if written.node != found.node {
        return Err(directory.damaged("the database belongs to another node"));
    }
    if written.generation > found.generation {
        return Err(directory.damaged("the database has lost its latest writes, or is an old copy"));
    }
    Ok(Identity { generation: found.generation + 1, ..found })
}

impl Opened {
    fn new(identity: Identity, imported: Option<Imported>) -> Self {
        let Identity { node, generation } = identity;
        Self { node, generation, saved: Saved::default(), damaged: Vec::new(), imported }
    }

    fn add(&mut self, key: RecordKey, bytes: &[u8]) {
        let saved = &mut self.saved;
        let outcome = match key.kind {
            Kind::Alert => push(&mut saved.alerts, bytes, Arc::new),
            Kind::Claim => Err(RecordError::Malformed("claims are never stored")),
            Kind::Group => push(&mut saved.groups, bytes, |group| group),
            Kind::Nflog => push(&mut saved.nflog, bytes, Arc::new),
            Kind::Silence => push(&mut saved.silences, bytes, Arc::new),
        };
        self.damaged.extend(outcome.err().map(|error| Damaged { place: key.to_string(), error }));
    }
}

fn push<R: Framed, T>(list: &mut Vec<T>, bytes: &[u8], wrap: impl Fn(R) -> T) -> Result<(), RecordError> {
    list.push(wrap(decode(bytes)?));
    Ok(())
}

#[cfg(test)]
mod tests;
