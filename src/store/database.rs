//! sled, and all that is known about its faults; its types end here. It knows keys and bytes, not records.
//!
//! What sled 0.34.7 does not do, and what is done about it here:
//!
//! * A kill while it opens can leave a half-written `snap.*.generating` that it takes for its newest snapshot and then
//!   never opens again: [`Directory`](super::directory::Directory) removes these first.
//! * `flush` writes with `sync_file_range`, which covers neither the file's length nor the drive's cache: each write
//!   here ends with an fsync of the database file.
//! * A page holds up to some twenty values and is one message of its log; a message over 128 KiB goes to a file of its
//!   own that is never synced. So values are cut into pieces small enough that no page gets there.
//! * After an I/O error it refuses everything until it is opened anew: the owner drops the database then.

use std::fs::File;
use std::io;
use std::path::Path;

use sled::{Batch, Db, IVec};
use watchbell_engine::version::NodeId;

use super::change::{RecordKey, Writes};
use super::directory::Identity;
use super::lock;
use crate::record::frame::Kind;

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    sled: Db,
    /// The same file that sled writes, for the fsync that it leaves out.
    file: File,
}

/// The longest piece of a record, in bytes.
const PIECE: usize = 4096;

/// Pages kept in memory, in bytes. Nothing is read after the start, so little is enough.
const CACHE: u64 = 8 << 20;

/// How often sled looks for space to reuse. Not how often it flushes: each write here does that itself.
const CLEANUP_EVERY_MS: u64 = 10_000;

/// The key of the node and generation; no record's key is so short.
const IDENTITY: &[u8] = b"identity";

/// What failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    /// The system refused; trying again may help.
    #[error("database: {0}")]
    Io(#[from] io::Error),
    /// What is on the disk is not what was written.
    #[error("database: {0}")]
    Damaged(String),
}

impl Database {
    /// Opens the database in `directory`, or makes one.
    pub(super) fn open(directory: &Path) -> Result<Self, DatabaseError> {
        let config = sled::Config::new().path(directory).cache_capacity(CACHE).flush_every_ms(Some(CLEANUP_EVERY_MS));
        let db = directory.join("db");
        wait_for_predecessor(&db)?;
        Ok(Self { sled: config.open()?, file: File::open(db)? })
    }

    /// Whose database this is; `None` before the first write.
    pub(super) fn identity(&self) -> Result<Option<Identity>, DatabaseError> {
        let Some(bytes) = self.sled.get(IDENTITY)? else { return Ok(None) };
        let malformed = || DatabaseError::Damaged("the node's identity is malformed".into());
        let (node, generation) = bytes.split_first_chunk().ok_or_else(malformed)?;
        let generation = generation.try_into().map_err(|_| malformed())?;
        let (node, generation) = (u64::from_be_bytes(*node), u64::from_be_bytes(generation));
        Ok(Some(Identity { node: NodeId(node), generation }))
    }

    /// Every record, in the order of the keys.
    pub(super) fn records(&self) -> Result<Vec<(RecordKey, Vec<u8>)>, DatabaseError> {
        let mut records: Vec<(RecordKey, Vec<u8>)> = Vec::new();
        for pair in self.sled.iter() {
            let (key, piece) = pair?;
            if key == IDENTITY {
                continue;
            }
            let key = record_key(&key).ok_or_else(|| DatabaseError::Damaged(format!("foreign key {key:02x?}")))?;
            match records.last_mut() {
                Some((last, bytes)) if *last == key => bytes.extend_from_slice(&piece),
                _ => records.push((key, piece.to_vec())),
            }
        }
        Ok(records)
    }

    /// Writes all or nothing, and returns once it is on the disk.
    pub(super) fn write(&mut self, writes: &Writes, identity: Option<Identity>) -> Result<(), DatabaseError> {
        let mut batch = Batch::default();
        for (key, bytes) in writes {
            self.stage(*key, bytes.as_deref().unwrap_or_default(), &mut batch)?;
        }
        if let Some(Identity { node, generation }) = identity {
            batch.insert(IDENTITY, [node.0.to_be_bytes(), generation.to_be_bytes()].concat());
        }
        self.sled.apply_batch(batch)?;
        self.sled.flush()?;
        Ok(self.file.sync_all()?)
    }

    /// Puts the pieces of `bytes` and removes what an earlier, longer record left behind them.
    fn stage(&self, key: RecordKey, bytes: &[u8], batch: &mut Batch) -> Result<(), DatabaseError> {
        for stored in self.sled.scan_prefix(prefix(key)).keys() {
            batch.remove(stored?);
        }
        for (index, piece) in (0_u16..).zip(bytes.chunks(PIECE)) {
            batch.insert(&[prefix(key).as_slice(), &index.to_be_bytes()].concat()[..], piece);
        }
        Ok(())
    }
}

fn prefix(key: RecordKey) -> [u8; 17] {
    let mut bytes = [key.kind.letter(); 17];
    bytes[1..].copy_from_slice(&key.id.to_be_bytes());
    bytes
}

/// The key of the record to which the piece under `stored` belongs.
fn record_key(stored: &IVec) -> Option<RecordKey> {
    let (&[letter], rest) = stored.split_first_chunk()?;
    let (id, index) = rest.split_first_chunk()?;
    let kind = Kind::from_letter(letter).filter(|_| index.len() == size_of::<u16>())?;
    Some(RecordKey { kind, id: u128::from_be_bytes(*id) })
}

/// Waits while an earlier [`Database`] of this process still closes its file; sled gives up at once on a locked one.
/// No other process can have it, as the directory's own lock is ours.
fn wait_for_predecessor(db: &Path) -> io::Result<()> {
    match File::open(db) {
        Ok(file) => {
            lock::acquire(&file)?;
            file.unlock()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl From<sled::Error> for DatabaseError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::Io(error),
            error => Self::Damaged(error.to_string()),
        }
    }
}
