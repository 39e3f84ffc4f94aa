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

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchbell_engine::alert::Alert;
use watchbell_engine::nflog::NflogEntry;
use watchbell_engine::replica::NodeId;
use watchbell_engine::silence::Silence;

use crate::record::frame::Kind;
use crate::record::group::SavedGroup;
use crate::record::{Record, RecordError, decode};

pub use change::Change;
pub use committer::{CommitError, Committer, Stats, Then};
pub use directory::set_aside;
pub use import::Imported;

use change::{RecordKey, Writes};
use database::Database;
use directory::{Directory, Identity};

/// A data directory that this process has for itself. Hand it to [`Committer::start`] to write to it.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    /// Absent after a failed write, until the next one opens it anew.
    database: Option<Database>,
}

/// What was in the store when it was opened.
#[derive(Debug)]
pub struct Saved {
    /// This node, for as long as the directory lives.
    pub node: NodeId,
    /// How often the directory was opened, this time included; never the same twice.
    pub generation: u64,
    /// All silences.
    pub silences: Vec<Arc<Silence>>,
    /// The notification log.
    pub nflog: Vec<Arc<NflogEntry>>,
    /// The alerts.
    pub alerts: Vec<Arc<Alert>>,
    /// The aggregation groups whose timers ran.
    pub groups: Vec<SavedGroup>,
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
        "{path}: the saved state is damaged: {reason}; restore {path}/watchbell from a backup, or move it out of the \
         way to start without state (silences and notification log are lost unless a peer still has them)"
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
    pub fn open(path: &Path) -> Result<(Self, Saved), StoreError> {
        let directory = Directory::claim(path)?;
        let known = directory.identity()?;
        let mut database = open_database(&directory)?;
        let found = database.identity().map_err(|error| damaged(&directory, error))?;
        let (identity, imported) = match (known, found) {
            (None, None) => first_start(&directory, &mut database)?,
            (known, found) => (next_start(&directory, known, found)?, None),
        };
        database.write(&Writes::new(), Some(identity)).map_err(|error| damaged(&directory, error))?;
        directory.save_identity(identity)?;
        let saved = load(&directory, &database, identity, imported)?;
        Ok((Self { directory, database: Some(database) }, saved))
    }

    /// Writes everything in one atomic, durable step. After a failure the database is opened anew at the next call.
    fn write(&mut self, writes: &Writes) -> Result<(), String> {
        let mut database = match self.database.take() {
            Some(database) => database,
            None => open_database(&self.directory).map_err(|error| error.to_string())?,
        };
        database.write(writes, None)?;
        self.database = Some(database);
        Ok(())
    }
}

impl Store {
    fn bytes(&self) -> u64 {
        self.directory.database_size()
    }
}

fn open_database(directory: &Directory) -> Result<Database, StoreError> {
    directory.remove_unfinished_snapshots()?;
    Database::open(&directory.database()).map_err(|error| damaged(directory, error))
}

fn damaged(directory: &Directory, reason: String) -> StoreError {
    StoreError::Damaged { path: directory.path().to_owned(), reason }
}

/// Makes a node, and takes over what Alertmanager left. Both are written in one step, so that a kill undoes both.
fn first_start(directory: &Directory, database: &mut Database) -> Result<(Identity, Option<Imported>), StoreError> {
    let identity = Identity { node: NodeId(uuid::Uuid::new_v4().as_u64_pair().1), generation: 1 };
    let Some((imported, writes)) = import::read(directory)? else { return Ok((identity, None)) };
    database.write(&writes, Some(identity)).map_err(|error| damaged(directory, error))?;
    Ok((identity, Some(imported)))
}

/// The identity of a further start. The database is written before the file, so it may be one start ahead, never behind.
fn next_start(directory: &Directory, file: Option<Identity>, found: Option<Identity>) -> Result<Identity, StoreError> {
    let Some(found) = found else {
        return Err(damaged(directory, "the database is empty although it has been used before".into()));
    };
    if let Some(file) = file {
        if file.node != found.node {
            return Err(damaged(directory, "the database belongs to another node".into()));
        }
        if file.generation > found.generation {
            return Err(damaged(directory, "the database has lost its latest writes, or is an old copy".into()));
        }
    }
    Ok(Identity { generation: found.generation + 1, ..found })
}

fn load(
    directory: &Directory,
    database: &Database,
    identity: Identity,
    imported: Option<Imported>,
) -> Result<Saved, StoreError> {
    let Identity { node, generation } = identity;
    let (silences, nflog, alerts, groups, damaged_records) = Default::default();
    let mut saved = Saved { node, generation, silences, nflog, alerts, groups, damaged: damaged_records, imported };
    for (key, bytes) in database.records().map_err(|error| damaged(directory, error))? {
        saved.add(key, &bytes);
    }
    Ok(saved)
}

impl Saved {
    fn add(&mut self, key: RecordKey, bytes: &[u8]) {
        let damaged = match key.kind {
            Kind::Alert => push(&mut self.alerts, bytes, Arc::new),
            Kind::Group => push(&mut self.groups, bytes, |group| group),
            Kind::Nflog => push(&mut self.nflog, bytes, Arc::new),
            Kind::Silence => push(&mut self.silences, bytes, Arc::new),
        };
        self.damaged.extend(damaged.err().map(|error| Damaged { place: key.to_string(), error }));
    }
}

fn push<R: Record, T>(list: &mut Vec<T>, bytes: &[u8], wrap: impl Fn(R) -> T) -> Result<(), RecordError> {
    list.push(wrap(decode(bytes)?));
    Ok(())
}

#[cfg(test)]
mod tests;
