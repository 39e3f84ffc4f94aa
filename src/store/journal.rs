//! The journal: every commit is appended to a file and then fsynced. Once appended, the end of the program does not
//! take it; once fsynced, a loss of power does not either. It knows keys and bytes, not records, and nothing of the
//! database into which it is folded later.
//!
//! A frame a commit:
//!
//! ```text
//! byte 0..4     "WBJ2"
//! byte 4..8     length of the entries, little-endian
//! byte 8..12    CRC-32 (IEEE) of all that follows
//! byte 12..20   node, byte 20..28 generation, little-endian: who wrote it, in which of its starts
//! byte 28..     entries (see `entry`)
//! ```
//!
//! Each frame is on the disk before the next is begun. So a kill or a loss of power can tear the last one only, and that
//! one was never acknowledged; a frame that is broken with a sound one behind it is damage.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use watchbell_engine::version::NodeId;

use super::change::{RecordKey, Writes};
use super::directory::Identity;
use super::entry::{self, Head};

const MAGIC: &[u8; 4] = b"WBJ2";

/// Bytes of a frame before its entries.
const FRAME: usize = 28;

/// Where the checksum's bytes begin.
const CHECKED: usize = 12;

/// A journal that is written to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Bytes that count: they are on the disk.
    length: u64,
    /// What lies behind them; `None` if nothing does.
    behind: Option<Behind>,
}

/// What lies behind the bytes of a journal that count.
#[derive(Clone, Copy, Debug)]
enum Behind {
    /// A whole frame of this length that is not known to be on the disk.
    Frame(u64),
    /// Perhaps the rest of something that failed.
    Rest,
}

/// What a journal holds.
#[derive(Debug)]
pub(super) struct Contents {
    /// Who wrote the last frame.
    pub(super) identity: Identity,
    /// Bytes that are whole frames.
    pub(super) length: u64,
    /// Bytes behind them: a write that was never acknowledged.
    pub(super) torn: u64,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A frame is broken although another was written after it, or says what no writer writes.
    #[error("it is broken at byte {0}")]
    Broken(u64),
    /// It was just being made: not even the frame that says whose it is was written.
    #[error("it holds nothing")]
    Empty,
}

impl Journal {
    /// Makes a journal that says nothing but who writes it. Its directory must be synced before the journal counts.
    pub(super) fn create(path: &Path, identity: Identity) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(true).open(path)?;
        let mut journal = Self { file, length: 0, behind: None };
        journal.append(identity, &Writes::new())?;
        journal.sync()?;
        Ok(journal)
    }

    /// Goes on with a journal of which the first `length` bytes are whole.
    pub(super) fn go_on(path: &Path, length: u64) -> io::Result<Self> {
        Ok(Self { file: File::options().write(true).open(path)?, length, behind: Some(Behind::Rest) })
    }

    /// Hands all of it to the system: from then on the end of the program does not take it, but a loss of power may.
    /// Nothing more may be appended before [`sync`](Self::sync) succeeds, or else this is undone.
    pub(super) fn append(&mut self, identity: Identity, writes: &Writes) -> io::Result<()> {
        if self.behind.is_some() {
            self.file.set_len(self.length)?;
        }
        self.behind = Some(Behind::Rest);
        let frame = frame(identity, writes);
        self.file.write_all_at(&frame, self.length)?;
        self.behind = Some(Behind::Frame(frame.len() as u64));
        Ok(())
    }

    /// Returns once all that was appended is on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Some(Behind::Frame(length)) = self.behind else { return Ok(()) };
        self.behind = Some(Behind::Rest);
        self.file.sync_data()?;
        if self.file.metadata()?.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the journal was removed while it was in use"));
        }
        self.behind = None;
        self.length += length;
        Ok(())
    }

    /// Bytes of all that was written.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

fn frame(identity: Identity, writes: &Writes) -> Vec<u8> {
    let records: usize = writes.values().flatten().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(FRAME + writes.len() * entry::HEAD + records);
    bytes.extend(MAGIC);
    bytes.extend([0; CHECKED - MAGIC.len()]);
    bytes.extend(identity.node.0.to_le_bytes());
    bytes.extend(identity.generation.to_le_bytes());
    for (key, record) in writes {
        entry::append(&mut bytes, *key, record.as_deref());
    }
    let entries = u32::try_from(bytes.len() - FRAME).expect("a commit is bounded by what may wait for it");
    bytes[4..8].copy_from_slice(&entries.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[CHECKED..]);
    bytes[8..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads the journal `path`, and tells `visit` of each state in the order in which they were written: whose it is, and
/// where the record lies and how long it is, unless it was deleted.
pub(super) fn read(
    path: &Path,
    mut visit: impl FnMut(RecordKey, Option<(u64, u32)>),
) -> Result<Contents, JournalError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let (mut at, mut last) = (0, None);
    while let Some((identity, entries)) = whole_frame(&file, at, size)? {
        let end = at + FRAME as u64 + entries.len() as u64;
        visit_entries(&entries, at + FRAME as u64, &mut visit).ok_or(JournalError::Broken(at))?;
        (at, last) = (end, Some(identity));
    }
    for later in at + 1..size {
        if whole_frame(&file, later, size)?.is_some() {
            return Err(JournalError::Broken(at));
        }
    }
    match last {
        Some(identity) => Ok(Contents { identity, length: at, torn: size - at }),
        None if size <= FRAME as u64 => Err(JournalError::Empty),
        None => Err(JournalError::Broken(0)),
    }
}

/// The frame at `at`: its writer and its entries, if it is whole.
fn whole_frame(file: &File, at: u64, size: u64) -> io::Result<Option<(Identity, Vec<u8>)>> {
    let mut head = [0; FRAME];
    if size.saturating_sub(at) < FRAME as u64 {
        return Ok(None);
    }
    file.read_exact_at(&mut head, at)?;
    let number = |from: usize| u64::from_le_bytes(std::array::from_fn(|i| head[from + i]));
    let small = |from: usize| u32::from_le_bytes(std::array::from_fn(|i| head[from + i]));
    let (length, checksum) = (small(4), small(8));
    if !head.starts_with(MAGIC) || u64::from(length) > size - at - FRAME as u64 {
        return Ok(None);
    }
    let mut entries = vec![0; length as usize];
    file.read_exact_at(&mut entries, at + FRAME as u64)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[CHECKED..]);
    hasher.update(&entries);
    let identity = Identity { node: NodeId(number(CHECKED)), generation: number(CHECKED + 8) };
    Ok((hasher.finalize() == checksum).then_some((identity, entries)))
}

/// Tells of the entries of a frame, which begin at `start` in the file.
fn visit_entries(entries: &[u8], start: u64, visit: &mut impl FnMut(RecordKey, Option<(u64, u32)>)) -> Option<()> {
    let mut at = 0;
    while at < entries.len() {
        let head = Head::read(entries.get(at..)?.first_chunk()?)?;
        at += entry::HEAD;
        visit(head.key, head.length.map(|length| (start + at as u64, length)));
        at += head.length.unwrap_or(0) as usize;
    }
    (at == entries.len()).then_some(())
}

#[cfg(test)]
mod tests;
