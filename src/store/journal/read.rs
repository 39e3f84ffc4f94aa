//! Reads a journal, and tells what a loss of power left unfinished from damage. It writes nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use watchbell_engine::version::NodeId;

use super::{CHECKED, FRAME, MAGIC, OLD_FRAME, OLD_MAGIC};
use crate::store::change::RecordKey;
use crate::store::directory::Identity;
use crate::store::entry::{self, Head};

/// What a journal holds.
#[derive(Debug)]
pub(in crate::store) struct Contents {
    /// Who wrote the last frame.
    pub(in crate::store) identity: Identity,
    /// Bytes that are whole frames.
    pub(in crate::store) length: u64,
    /// Bytes behind them, but for zeros at the end: writes that were never acknowledged.
    pub(in crate::store) torn: u64,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum JournalError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A frame is broken that was on the disk, or says what no writer writes.
    #[error("it is broken at byte {0}")]
    Broken(u64),
    /// It was just being made: not even the frame that says whose it is was written.
    #[error("it holds nothing")]
    Empty,
}

/// A frame that was read.
struct Frame {
    identity: Identity,
    /// Bytes of the journal that were on the disk before it was written.
    synced: u64,
    /// Where its entries begin.
    start: u64,
    entries: Vec<u8>,
}

/// Reads a journal, and tells `visit` of each state in the order in which they were written: whose it is, and
/// where the record lies and how long it is, unless it was deleted.
pub(in crate::store) fn read(
    file: &File,
    mut visit: impl FnMut(RecordKey, Option<(u64, u32)>),
) -> Result<Contents, JournalError> {
    let size = file.metadata()?.len();
    let (mut at, mut last) = (0, None);
    while let Some(frame) = whole_frame(file, at, size)? {
        visit_entries(&frame.entries, frame.start, &mut visit).ok_or(JournalError::Broken(at))?;
        (at, last) = (frame.start + frame.entries.len() as u64, Some(frame.identity));
    }
    let rest = rest(file, at, size)?;
    if was_synced(file, at, size, &rest)? {
        return Err(JournalError::Broken(at));
    }
    match last {
        Some(identity) => Ok(Contents { identity, length: at, torn: rest.len() as u64 }),
        None if size <= FRAME as u64 => Err(JournalError::Empty),
        None => Err(JournalError::Broken(0)),
    }
}

/// What lies behind `at`, without the zeros that the file was made longer by.
fn rest(file: &File, at: u64, size: u64) -> io::Result<Vec<u8>> {
    let mut rest = vec![0; usize::try_from(size - at).map_err(io::Error::other)?];
    file.read_exact_at(&mut rest, at)?;
    rest.truncate(rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    Ok(rest)
}

/// Whether a frame in the `rest` behind `at` says that what lies there was on the disk.
fn was_synced(file: &File, at: u64, size: u64, rest: &[u8]) -> io::Result<bool> {
    let begins = |offset: &usize| [MAGIC, OLD_MAGIC].iter().any(|magic| rest[*offset..].starts_with(*magic));
    for offset in (1..rest.len()).filter(begins) {
        if whole_frame(file, at + offset as u64, size)?.is_some_and(|frame| frame.synced > at) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The frame at `at`, if it is whole.
fn whole_frame(file: &File, at: u64, size: u64) -> io::Result<Option<Frame>> {
    let mut head = [0; FRAME];
    let there = usize::try_from(size - at).map_or(FRAME, |there| there.min(FRAME));
    file.read_exact_at(&mut head[..there], at)?;
    let number = |from: usize| u64::from_le_bytes(std::array::from_fn(|i| head[from + i]));
    let small = |from: usize| u32::from_le_bytes(std::array::from_fn(|i| head[from + i]));
    let (length, synced) = match head.first_chunk() {
        Some(MAGIC) => (FRAME, number(OLD_FRAME)),
        Some(OLD_MAGIC) => (OLD_FRAME, at),
        _ => return Ok(None),
    };
    let (start, entries, checksum) = (at + length as u64, small(4), small(8));
    if start + u64::from(entries) > size {
        return Ok(None);
    }
    let mut entries = vec![0; entries as usize];
    file.read_exact_at(&mut entries, start)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[CHECKED..length]);
    hasher.update(&entries);
    let identity = Identity { node: NodeId(number(CHECKED)), generation: number(CHECKED + 8) };
    Ok((hasher.finalize() == checksum).then_some(Frame { identity, synced, start, entries }))
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
