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

use sled::Db;
use watchbell_engine::version::NodeId;

use super::change::RecordKey;
use super::directory::Identity;
use super::entry::{self, Head};
use super::lock;

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    sled: Db,
    /// What it holds.
    pub(super) image: Image,
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

/// The longest piece of an image, in bytes.
const PIECE: usize = 6144;

/// Bytes that are written in one go: a megabyte, so that memory stays small.
const BATCH: usize = 256 * PIECE;

/// Pages kept in memory, in bytes. An image is read once and written once, in order, so little is enough.
const CACHE: u64 = 8 << 20;

/// The key under which it stands what the image is. No piece's key is so long.
const IMAGE: &[u8] = b"current image";

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
    /// Opens the database in `directory`; `None` if it has no image, as format 3 made it before its first.
    pub(super) fn open(directory: &Path) -> Result<Option<Self>, DatabaseError> {
        let sled = open(directory)?;
        let image = sled.get(IMAGE)?.map(|bytes| read_image(&bytes)).transpose()?;
        Ok(image.map(|image| Self { sled, image }))
    }

    /// The records in the order of their keys.
    pub(super) fn records(&self) -> Records {
        let pieces = self.sled.scan_prefix(self.image.next_journal.to_be_bytes());
        Records { pieces, waiting: Vec::new(), at: 0, left: self.image.bytes }
    }
}

/// What the value of [`IMAGE`] says.
fn read_image(bytes: &[u8]) -> Result<Image, DatabaseError> {
    let malformed = |_| DatabaseError::Damaged("it does not say what it holds".into());
    let bytes: &[u8; 32] = bytes.try_into().map_err(malformed)?;
    let number = |from: usize| u64::from_be_bytes(std::array::from_fn(|i| bytes[from + i]));
    let identity = Identity { node: NodeId(number(0)), generation: number(8) };
    Ok(Image { identity, next_journal: number(16), bytes: number(24) })
}

/// Opens what lies in `directory`, or begins it.
fn open(directory: &Path) -> Result<Db, DatabaseError> {
    wait_until_closed(directory)?;
    Ok(sled::Config::new().path(directory).cache_capacity(CACHE).flush_every_ms(None).open()?)
}

/// Makes a database with an image.
pub(super) struct ImageWriter<'a> {
    directory: &'a Path,
    sled: Db,
    image: Image,
    index: u32,
    /// What was added and is not in the database yet.
    waiting: Vec<u8>,
}

impl<'a> ImageWriter<'a> {
    /// Begins a database in `directory`, which is not there yet.
    pub(super) fn create(directory: &'a Path, image: Image) -> Result<Self, DatabaseError> {
        Ok(Self { directory, sled: open(directory)?, image, index: 0, waiting: Vec::new() })
    }

    /// Adds the record with the next key.
    pub(super) fn add(&mut self, key: RecordKey, record: &[u8]) -> Result<(), DatabaseError> {
        entry::append(&mut self.waiting, key, Some(record));
        while self.waiting.len() >= BATCH {
            let rest = self.waiting.split_off(BATCH);
            let batch = std::mem::replace(&mut self.waiting, rest);
            self.write(&batch)?;
        }
        Ok(())
    }

    /// Writes the rest, and what the image is. The database is on the disk and closed then, but for its name.
    pub(super) fn finish(mut self) -> Result<Image, DatabaseError> {
        let rest = std::mem::take(&mut self.waiting);
        self.write(&rest)?;
        let Image { identity, next_journal, bytes } = self.image;
        let numbers = [identity.node.0, identity.generation, next_journal, bytes].map(u64::to_be_bytes);
        self.sled.insert(IMAGE, numbers.as_flattened())?;
        self.sled.flush()?;
        drop(self.sled);
        sync(self.directory)?;
        Ok(self.image)
    }

    /// Writes up to [`BATCH`] bytes: the keys of their pieces, then what they hold.
    fn write(&mut self, batch: &[u8]) -> Result<(), DatabaseError> {
        let keys = (self.index..).map(|index| piece_key(self.image.next_journal, index));
        let pieces = || keys.clone().zip(batch.chunks(PIECE));
        for (key, _) in pieces() {
            self.sled.insert(key, &[])?;
        }
        for (key, piece) in pieces() {
            self.sled.insert(key, piece)?;
            self.index += 1;
        }
        self.image.bytes += batch.len() as u64;
        self.sled.flush()?;
        Ok(())
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
pub(super) struct Records {
    pieces: sled::Iter,
    waiting: Vec<u8>,
    at: usize,
    /// Bytes that have not been put together yet.
    left: u64,
}

impl Records {
    /// The next record, until there are no more.
    pub(super) fn next(&mut self) -> Result<Option<(RecordKey, &[u8])>, DatabaseError> {
        if self.left == 0 {
            return Ok(None);
        }
        let malformed = || DatabaseError::Damaged("an entry is malformed".into());
        let head = Head::read(self.take(entry::HEAD)?.try_into().expect("so much was taken")).ok_or_else(malformed)?;
        let length = head.length.ok_or_else(malformed)?;
        let whole = entry::HEAD as u64 + u64::from(length);
        self.left = self.left.checked_sub(whole).ok_or_else(malformed)?;
        Ok(Some((head.key, self.take(length as usize)?)))
    }

    /// The next bytes, so many.
    fn take(&mut self, length: usize) -> Result<&[u8], DatabaseError> {
        while self.waiting.len() - self.at < length {
            let (_, piece) =
                self.pieces.next().ok_or_else(|| DatabaseError::Damaged("a piece is missing".into()))??;
            self.waiting.drain(..self.at);
            self.at = 0;
            self.waiting.extend_from_slice(&piece);
        }
        self.at += length;
        Ok(&self.waiting[self.at - length..self.at])
    }
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
