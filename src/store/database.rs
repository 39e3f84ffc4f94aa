//! sled, and all that is known about its faults; its types end here. It knows keys and bytes, not records.
//!
//! It holds the whole state as of a moment, its image: a row of entries in the order of their keys, cut into pieces. An
//! image is never changed, but replaced by the next. sled is open only while one is read or written: that
//! takes seconds every few hours, and sled takes several times the memory of what it holds, and threads.
//!
//! What sled 0.34.7 does not do, and what is done about it here:
//!
//! * A kill while it opens can leave a half-written `snap.*.generating` that it takes for its newest snapshot and then
//!   never opens again: [`Directory`](super::directory::Directory) removes these first.
//! * `flush` writes with `sync_file_range`, which covers neither the file's length nor the drive's cache: what must be on
//!   the disk is followed by an fsync of the database file.
//! * A page holds up to some twenty values and is one message of its log; a message over 128 KiB goes to a file of its
//!   own that is never synced. So pieces are small enough that no page gets there.

use std::fs::File;
use std::io;
use std::path::Path;

use sled::{Batch, Db, IVec, Tree};
use watchbell_engine::version::NodeId;

use super::change::RecordKey;
use super::directory::Identity;
use super::entry::{self, Head};
use super::lock;

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    sled: Db,
    /// The same file that sled writes, for the fsync that it leaves out.
    file: File,
}

/// What the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Whose state it is, and in which start it was written.
    pub(super) identity: Identity,
    /// The first journal that is not in it; also the image's name.
    pub(super) next_journal: u64,
    /// Bytes of its entries.
    pub(super) bytes: u64,
}

/// A record of an image.
pub(super) type Stored = (RecordKey, Vec<u8>);

/// The longest piece of an image, in bytes.
const PIECE: usize = 4096;

/// Pieces that are written in one go: a megabyte's worth, so that memory stays small.
const PIECES_A_BATCH: u32 = 256;

/// Pages kept in memory, in bytes. An image is read once and written once, in order, so little is enough.
const CACHE: u64 = 8 << 20;

/// The key under which it stands which image counts. No piece's key is so long.
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
    /// Opens the database in `directory`, or makes one.
    pub(super) fn open(directory: &Path) -> Result<Self, DatabaseError> {
        let config = sled::Config::new().path(directory).cache_capacity(CACHE).flush_every_ms(None);
        let db = directory.join("db");
        wait_for_predecessor(&db)?;
        Ok(Self { sled: config.open()?, file: File::open(db)? })
    }

    /// The image that counts; `None` before the first.
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

    /// Writes an image of `records`, which come in the order of their keys, and makes it the one that counts. Returns
    /// once it is on the disk and the others are gone.
    pub(super) fn replace<E: From<DatabaseError>>(
        &self,
        image: Image,
        records: impl Iterator<Item = Result<Stored, E>>,
    ) -> Result<Image, E> {
        // What an earlier attempt at the same image left.
        self.remove(image.next_journal)?;
        let mut writer = PieceWriter { database: self, image, index: 0, batch: Batch::default(), waiting: Vec::new() };
        for record in records {
            let (key, bytes) = record?;
            entry::append(&mut writer.waiting, key, Some(&bytes));
            writer.cut(PIECE)?;
        }
        let image = writer.finish()?;
        self.make_current(image)?;
        Ok(image)
    }

    fn make_current(&self, image: Image) -> Result<(), DatabaseError> {
        let Image { identity, next_journal, bytes } = image;
        let numbers = [identity.node.0, identity.generation, next_journal, bytes].map(u64::to_be_bytes);
        self.sled.insert(CURRENT, numbers.as_flattened()).map_err(DatabaseError::from)?;
        self.sync()?;
        let keys = self.sled.iter().keys().map(|key| key.map(|key| image_of(&key)));
        let mut others: Vec<u64> = keys.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        others.dedup();
        others.into_iter().filter(|other| *other != next_journal).try_for_each(|other| self.remove(other))
    }

    /// Removes the pieces of an image.
    fn remove(&self, image: u64) -> Result<(), DatabaseError> {
        loop {
            let mut batch = Batch::default();
            let keys = self.sled.scan_prefix(image.to_be_bytes()).keys().take(PIECES_A_BATCH as usize);
            let keys: Vec<IVec> = keys.collect::<Result<_, _>>()?;
            if keys.is_empty() {
                return Ok(());
            }
            keys.into_iter().for_each(|key| batch.remove(key));
            self.sled.apply_batch(batch)?;
            self.sled.flush()?;
        }
    }

    fn sync(&self) -> Result<(), DatabaseError> {
        self.sled.flush()?;
        Ok(self.file.sync_all()?)
    }
}

/// Cuts what is appended to `waiting` into pieces and writes them.
struct PieceWriter<'a> {
    database: &'a Database,
    image: Image,
    index: u32,
    batch: Batch,
    waiting: Vec<u8>,
}

impl PieceWriter<'_> {
    /// Takes pieces from what waits, as long as at least `least` bytes do.
    fn cut(&mut self, least: usize) -> Result<(), DatabaseError> {
        let mut from = 0;
        while self.waiting.len() - from >= least.max(1) {
            let piece = &self.waiting[from..self.waiting.len().min(from + PIECE)];
            self.batch.insert(&piece_key(self.image.next_journal, self.index)[..], piece);
            from += piece.len();
            self.index += 1;
            if self.index.is_multiple_of(PIECES_A_BATCH) {
                self.database.sled.apply_batch(std::mem::take(&mut self.batch))?;
                self.database.sled.flush()?;
            }
        }
        self.image.bytes += from as u64;
        self.waiting.drain(..from);
        Ok(())
    }

    fn finish(mut self) -> Result<Image, DatabaseError> {
        self.cut(1)?;
        self.database.sled.apply_batch(self.batch)?;
        self.database.sync()?;
        Ok(self.image)
    }
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

/// The image to which the piece under `key` belongs.
fn image_of(key: &[u8]) -> Option<u64> {
    let (image, index) = key.split_first_chunk()?;
    (index.len() == size_of::<u32>()).then(|| u64::from_be_bytes(*image))
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
