//! The journal: every commit is appended to a file and then fsynced. Once appended, the end of the program does not
//! take it; once fsynced, a loss of power does not either. It knows keys and bytes, not records, and nothing of the
//! database into which it is folded later.
//!
//! A frame a commit:
//!
//! ```text
//! byte 0..4     "WBJ3"
//! byte 4..8     length of the entries, little-endian
//! byte 8..12    CRC-32 (IEEE) of all that follows
//! byte 12..20   node, byte 20..28 generation, little-endian: who wrote it, in which of its starts
//! byte 28..36   how many bytes of the journal were known to be on the disk when it was written, little-endian
//! byte 36..     entries (see `entry`)
//! ```
//!
//! Frames are appended while those before are being fsynced. So a kill can tear the last one only, but a loss of power any
//! of those that were not on the disk, and leave later ones whole. None of them was acknowledged: an fsync is of all
//! that lies before. A broken frame is therefore the end, unless one behind it says that it was on the disk; then it
//! is damage.
//!
//! Behind the last frame there may be zeros: the file is made longer ahead of what is written (see [`AHEAD`]).
//!
//! The form before, "WBJ2", has no bytes 28..36: each frame was on the disk before the next was begun. It is read, and
//! gone on with in today's form.

mod read;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::fs::{AtFlags, StatxFlags, statx};

use super::change::Writes;
use super::directory::Identity;
use super::entry;

pub(super) use read::{Contents, JournalError, read};

const MAGIC: &[u8; 4] = b"WBJ3";

/// The form before.
const OLD_MAGIC: &[u8; 4] = b"WBJ2";

/// Bytes of a frame before its entries.
const FRAME: usize = 36;

/// The same of the form before.
const OLD_FRAME: usize = 28;

/// Where the checksum's bytes begin.
const CHECKED: usize = 12;

/// How far the file reaches beyond its frames after it was made longer, in bytes. An fsync of a write that itself makes the
/// file longer is two writes for the disk, of the bytes and of how long the file is now. The zeros take no room.
const AHEAD: u64 = 1 << 20;

/// A journal that is written to.
#[derive(Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
    /// Bytes of all whole frames.
    length: u64,
    /// How far the file is known to reach.
    size: u64,
    /// Whether something may lie behind them: the rest of an append that failed, or frames that count no more.
    torn: bool,
}

/// What is needed to put a journal on the disk while it is appended to.
#[derive(Debug)]
struct Shared {
    file: File,
    /// Bytes that are known to be on the disk.
    synced: AtomicU64,
}

/// A moment of a journal that can be put on the disk.
#[derive(Clone, Debug)]
pub(super) struct Appended {
    shared: Arc<Shared>,
    length: u64,
}

impl Journal {
    /// Makes a journal that says nothing but who writes it. Its directory must be synced before the journal counts.
    pub(super) fn create(path: &Path, identity: Identity) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(true).open(path)?;
        let mut journal = Self::new(file, 0);
        journal.append(identity, &Writes::new())?;
        journal.appended().sync()?;
        Ok(journal)
    }

    /// Goes on with a journal of which the first `length` bytes are whole. They are on the disk then, and what lies
    /// behind them is gone: after a kill neither is known to be so.
    pub(super) fn go_on(path: &Path, length: u64) -> io::Result<Self> {
        let mut journal = Self::new(File::options().write(true).open(path)?, length);
        journal.cut()?;
        Ok(journal)
    }

    fn new(file: File, length: u64) -> Self {
        Self { shared: Arc::new(Shared { file, synced: AtomicU64::new(length) }), length, size: length, torn: false }
    }

    /// Hands all of it to the system: from then on the end of the program does not take it, but a loss of power may.
    pub(super) fn append(&mut self, identity: Identity, writes: &Writes) -> io::Result<()> {
        if self.torn {
            self.cut()?;
        }
        self.torn = true;
        let frame = frame(identity, self.shared.synced.load(Relaxed), writes);
        self.lengthen(self.length + frame.len() as u64);
        self.shared.file.write_all_at(&frame, self.length)?;
        self.torn = false;
        self.length += frame.len() as u64;
        Ok(())
    }

    /// Makes the file reach beyond `end`. If it cannot be made longer now, the write will do that, or say why not. Not for
    /// the first frame: a file of zeros only would look like a journal that was lost.
    fn lengthen(&mut self, end: u64) {
        if self.length > 0 && end > self.size && self.shared.file.set_len(end + AHEAD).is_ok() {
            self.size = end + AHEAD;
        }
    }

    /// All that was appended so far.
    pub(super) fn appended(&self) -> Appended {
        Appended { shared: Arc::clone(&self.shared), length: self.length }
    }

    /// Takes back what is not known to be on the disk: after an fsync that failed, nobody can say what will be. Nothing
    /// may be under way that syncs it.
    pub(super) fn take_back(&mut self) {
        self.length = self.shared.synced.load(Relaxed);
        self.torn = true;
    }

    /// Whether all that lies in the file is known to be on the disk.
    pub(super) fn is_synced(&self) -> bool {
        !self.torn && self.length == self.shared.synced.load(Relaxed)
    }

    /// Bytes of all that was written.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Removes what lies behind the frames that count. Whole frames must not come back behind others, so that they are
    /// gone is put on the disk; while an fsync is under way, only a part of one can lie there.
    fn cut(&mut self) -> io::Result<()> {
        self.shared.file.set_len(self.length)?;
        self.size = self.length;
        if self.length == self.shared.synced.load(Relaxed) {
            self.shared.file.sync_data()?;
        }
        self.torn = false;
        Ok(())
    }
}

impl Appended {
    /// Returns once it is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.shared.file.sync_data()?;
        if is_removed(&self.shared.file)? {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the journal was removed while it was in use"));
        }
        self.shared.synced.store(self.length, Relaxed);
        Ok(())
    }
}

/// Asks for the one number alone. Who is shown a file's times makes Linux give it new ones with its next write, and the
/// next fsync then has to put them on the disk as well.
fn is_removed(file: &File) -> io::Result<bool> {
    Ok(statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::NLINK)?.stx_nlink == 0)
}

fn frame(identity: Identity, synced: u64, writes: &Writes) -> Vec<u8> {
    let records: usize = writes.values().flatten().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(FRAME + writes.len() * entry::HEAD + records);
    bytes.extend(MAGIC);
    bytes.extend([0; CHECKED - MAGIC.len()]);
    for number in [identity.node.0, identity.generation, synced] {
        bytes.extend(number.to_le_bytes());
    }
    for (key, record) in writes {
        entry::append(&mut bytes, *key, record.as_deref());
    }
    let entries = u32::try_from(bytes.len() - FRAME).expect("a commit is bounded by what may wait for it");
    bytes[4..8].copy_from_slice(&entries.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[CHECKED..]);
    bytes[8..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests;
