//! sled, and all that is known about its faults; its types end here. It knows keys and bytes, not records.
//!
//! It holds the whole state as of a moment, its image: a row of entries in the order of their keys, cut into pieces. A
//! database is written once and never changed; the next image is one of its own. So sled never has to clear up, which
//! costs it more than to write. It is open only while an image is read or written: that takes seconds every few hours,
//! and sled takes several times the memory of what it holds, and threads.
//!
//! What sled 0.34.7 does not do, and what is done about it here:
//!
//! * A kill while it opens can leave a half-written `snap.*.generating` that it takes for its newest snapshot and then
//!   never opens again: [`Directory`](super::directory::Directory) removes these first.
//! * `flush` writes with `sync_file_range`, which covers neither the file's length nor the drive's cache: what must be on
//!   the disk is followed by an fsync of the database file.
//! * A page holds up to some twenty values and is one message of its log; a message over 128 KiB goes to a file of its
//!   own that is never synced. So pieces are small enough that no page gets there.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use sled::{Db, IVec, Tree};
use watchbell_engine::version::NodeId;

use super::change::RecordKey;
use super::directory::Identity;
use super::entry::{self, Head};
use super::lock;

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    sled: Db,
}

/// What the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Whose state it is, and in which start it was written.
    pub(super) identity: Identity,
    /// The first journal that is not in it; also its database's name.
    pub(super) next_journal: u64,
    /// Bytes of its entries.
    pub(super) bytes: u64,
}

/// A record of an image.
pub(super) type Stored = (RecordKey, Vec<u8>);

/// The longest piece of an image, in bytes.
const PIECE: usize = 4096;

/// Bytes that are written in one go: a megabyte, so that memory stays small.
const BATCH: usize = 256 * PIECE;

/// Pages kept in memory, in bytes. An image is read once and written once, in order, so little is enough.
const CACHE: u64 = 8 << 20;

/// The key under which it stands what the image is. No piece's key is so long.
const CURRENT: &[u8] = b"current image";

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
    /// Opens the database in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, DatabaseError> {
        wait_until_closed(directory)?;
        let config = sled::Config::new().path(directory).cache_capacity(CACHE).flush_every_ms(None);
        Ok(Self { sled: config.open()? })
    }

    /// Makes a database in `directory` with an image of `records`, which come in the order of their keys. It is on the
    /// disk and closed then, but for its name.
    pub(super) fn make<E: From<DatabaseError>>(
        directory: &Path,
        image: Image,
        records: impl Iterator<Item = Result<Stored, E>>,
    ) -> Result<Image, E> {
        let mut writer = ImageWriter { database: Self::open(directory)?, image, index: 0, waiting: Vec::new() };
        for record in records {
            let (key, bytes) = record?;
            entry::append(&mut writer.waiting, key, Some(&bytes));
            writer.write_whole_batches()?;
        }
        let image = writer.finish()?;
        sync(directory).map_err(DatabaseError::Io)?;
        Ok(image)
    }

    /// The image; `None` if format 3 was just making its first.
    pub(super) fn image(&self) -> Result<Option<Image>, DatabaseError> {
        let Some(bytes) = self.sled.get(CURRENT)? else { return Ok(None) };
        let malformed = || DatabaseError::Damaged("it does not say what it holds".into());
        let bytes: &[u8; 32] = bytes.as_ref().try_into().map_err(|_| malformed())?;
        let number = |from: usize| u64::from_be_bytes(std::array::from_fn(|i| bytes[from + i]));
        let identity = Identity { node: NodeId(number(0)), generation: number(8) };
        Ok(Some(Image { identity, next_journal: number(16), bytes: number(24) }))
    }

    /// The records of `image` in the order of their keys.
    pub(super) fn records(&self, image: Image) -> impl Iterator<Item = Result<Stored, DatabaseError>> + use<> {
        Records { pieces: pieces(&self.sled, image.next_journal), waiting: Vec::new(), at: 0, left: image.bytes }
    }
}

/// Writes what is appended to `waiting`.
struct ImageWriter {
    database: Database,
    image: Image,
    index: u32,
    waiting: Vec<u8>,
}

impl ImageWriter {
    fn write_whole_batches(&mut self) -> Result<(), DatabaseError> {
        while self.waiting.len() >= BATCH {
            let rest = self.waiting.split_off(BATCH);
            let batch = std::mem::replace(&mut self.waiting, rest);
            self.write(&batch)?;
        }
        Ok(())
    }

    /// Writes up to [`BATCH`] bytes: the keys of their pieces, then what they hold.
    fn write(&mut self, batch: &[u8]) -> Result<(), DatabaseError> {
        let sled = &self.database.sled;
        let keys = (self.index..).map(|index| piece_key(self.image.next_journal, index));
        let pieces = || keys.clone().zip(batch.chunks(PIECE));
        for (key, _) in pieces() {
            sled.insert(key, &[])?;
        }
        for (key, piece) in pieces() {
            sled.insert(key, piece)?;
            self.index += 1;
        }
        self.image.bytes += batch.len() as u64;
        sled.flush()?;
        Ok(())
    }

    /// Writes the rest, and what the image is.
    fn finish(mut self) -> Result<Image, DatabaseError> {
        let rest = std::mem::take(&mut self.waiting);
        self.write(&rest)?;
        let Image { identity, next_journal, bytes } = self.image;
        let numbers = [identity.node.0, identity.generation, next_journal, bytes].map(u64::to_be_bytes);
        self.database.sled.insert(CURRENT, numbers.as_flattened())?;
        self.database.sled.flush()?;
        Ok(self.image)
    }
}

/// Puts all files of a database that is closed, and the directory, on the disk.
fn sync(directory: &Path) -> io::Result<()> {
    wait_until_closed(directory)?;
    for entry in fs::read_dir(directory)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(directory)?.sync_all()
}

/// Puts the pieces of an image together again.
struct Records<P> {
    pieces: P,
    waiting: Vec<u8>,
    at: usize,
    /// Bytes that have not been put together yet.
    left: u64,
}

impl<P: Iterator<Item = Result<IVec, sled::Error>>> Records<P> {
    /// The next bytes, so many.
    fn take(&mut self, length: usize) -> Result<&[u8], DatabaseError> {
        while self.waiting.len() - self.at < length {
            let piece = self.pieces.next().ok_or_else(|| DatabaseError::Damaged("a piece is missing".into()))??;
            self.waiting.drain(..self.at);
            self.at = 0;
            self.waiting.extend_from_slice(&piece);
        }
        self.at += length;
        Ok(&self.waiting[self.at - length..self.at])
    }

    fn record(&mut self) -> Result<Stored, DatabaseError> {
        let malformed = || DatabaseError::Damaged("an entry is malformed".into());
        let head = Head::read(self.take(entry::HEAD)?.try_into().expect("so much was taken")).ok_or_else(malformed)?;
        let length = head.length.ok_or_else(malformed)?;
        let whole = entry::HEAD as u64 + u64::from(length);
        self.left = self.left.checked_sub(whole).ok_or_else(malformed)?;
        Ok((head.key, self.take(length as usize)?.to_vec()))
    }
}

impl<P: Iterator<Item = Result<IVec, sled::Error>>> Iterator for Records<P> {
    type Item = Result<Stored, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.left > 0).then(|| self.record().inspect_err(|_| self.left = 0))
    }
}

fn pieces(tree: &Tree, image: u64) -> impl Iterator<Item = Result<IVec, sled::Error>> + use<> {
    tree.scan_prefix(image.to_be_bytes()).values()
}

fn piece_key(image: u64, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&image.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Waits while a [`Database`] of this process still closes its file; sled gives up at once on a locked one. No other
/// process can have it, as the directory's own lock is ours.
pub(super) fn wait_until_closed(directory: &Path) -> io::Result<()> {
    match File::open(directory.join("db")) {
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
