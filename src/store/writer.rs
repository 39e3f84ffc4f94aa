//! The side of a commit that writes: changes become records, and records a frame of the journal. It waits for no disk.

use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use watchbell_engine::effect::Change;

use super::Store;
use super::change::{Writes, to_write};
use super::committer::{CommitError, Counts, OnceSynced, Then};
use super::journal::Appended;
use crate::record::RecordError;

/// How long what was written, and nobody waits for on the disk, may wait for a sync that is made for others. The outcome
/// of an attempt follows its intent within milliseconds where the receiver is quick, and one sync does for both.
pub(super) const LAZY_SYNC: Duration = Duration::from_millis(50);

/// What is to be written, and who waits for it.
pub(super) struct Submission {
    pub(super) changes: Vec<Change>,
    /// Present if someone waits.
    pub(super) then: Option<Then>,
}

/// Who waits for the disk.
pub(super) struct Waiting {
    /// How it went so far.
    pub(super) outcome: Result<(), CommitError>,
    pub(super) synced: OnceSynced,
}

/// What the system has, and the disk perhaps not yet.
#[derive(Default)]
pub(super) struct Unsynced {
    /// What stands in the frames, in order. If the disk refuses, it is written again.
    pub(super) frames: Vec<Writes>,
    /// The end of the last of them.
    pub(super) end: Option<Appended>,
    /// In the order in which they submitted.
    pub(super) waiting: Vec<Waiting>,
    /// When it is to be synced at the latest; `None` if there is nothing.
    pub(super) due: Option<Instant>,
}

/// Writes to the store. At most one thread has it.
pub(super) struct Writer {
    store: Store,
    /// What could not be written, newest state of each record: never more than the state itself.
    unsaved: Writes,
}

impl Writer {
    pub(super) fn new(store: Store) -> Self {
        Self { store, unsaved: Writes::new() }
    }

    /// Whether the next write begins a new journal, for which all of this one must be on the disk.
    pub(super) fn needs_the_disk(&self) -> bool {
        self.store.is_to_be_folded()
    }

    /// Whether something waits for another attempt.
    pub(super) fn is_behind(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// Writes all submissions in one step, and tells each that waits.
    pub(super) fn write(&mut self, submissions: Vec<Submission>, counts: &Counts) -> Unsynced {
        let (mut unsynced, mut then_written, mut staged) = (Unsynced::default(), Vec::new(), Vec::new());
        for Submission { changes, then } in submissions {
            let outcome = self.stage(&changes, counts);
            let Some(Then { written, synced }) = then else { continue };
            then_written.push(written);
            staged.extend(synced.map(|synced| (outcome, synced)));
        }
        let appended = self.append(&mut unsynced, counts);
        then_written.into_iter().for_each(|then| then());
        let waiting = |(staged, synced): (Result<(), RecordError>, _)| Waiting {
            outcome: appended.clone().and(staged.map_err(CommitError::from)),
            synced,
        };
        unsynced.waiting = staged.into_iter().map(waiting).collect();
        unsynced.set_due();
        unsynced
    }

    /// Takes back what is not known to be on the disk; `lost` is what stands there. The next write repeats it.
    pub(super) fn take_back(&mut self, mut lost: Writes) {
        self.store.take_back();
        lost.append(&mut self.unsaved);
        self.unsaved = lost;
    }

    /// Adds changes to what is to be written; a record that cannot be is left out.
    fn stage(&mut self, changes: &[Change], counts: &Counts) -> Result<(), RecordError> {
        let mut outcome = Ok(());
        for change in changes {
            match to_write(change) {
                Ok((key, bytes)) => {
                    self.unsaved.insert(key, bytes);
                }
                Err(error) => {
                    counts.refused.fetch_add(1, Relaxed);
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    fn append(&mut self, unsynced: &mut Unsynced, counts: &Counts) -> Result<(), CommitError> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        let written = self.store.write(&self.unsaved).map_err(|error| CommitError::Disk(error.to_string()));
        if written.is_ok() {
            unsynced.frames.push(mem::take(&mut self.unsaved));
            unsynced.end = Some(self.store.appended());
        } else {
            counts.failed_commits.fetch_add(1, Relaxed);
        }
        self.measure(counts);
        written
    }

    pub(super) fn measure(&self, counts: &Counts) {
        counts.bytes.store(self.store.size(), Relaxed);
        counts.folds.store(self.store.folds.done, Relaxed);
        counts.failed_folds.store(self.store.folds.failed, Relaxed);
        counts.unsaved.store(self.unsaved.len() as u64, Relaxed);
    }
}

impl Unsynced {
    /// Puts it on the disk.
    pub(super) fn sync(&self) -> Result<(), CommitError> {
        let Some(end) = &self.end else { return Ok(()) };
        end.sync().map_err(|error| CommitError::Disk(format!("the journal cannot be synced: {error}")))
    }

    fn set_due(&mut self) {
        self.due = match () {
            () if !self.waiting.is_empty() => Some(Instant::now()),
            () => self.end.as_ref().map(|_| Instant::now() + LAZY_SYNC),
        };
    }

    /// Records in it.
    pub(super) fn records(&self) -> usize {
        self.frames.iter().map(Writes::len).sum()
    }

    /// Puts `later` behind it.
    pub(super) fn extend(&mut self, later: Self) {
        self.frames.extend(later.frames);
        self.end = later.end.or(self.end.take());
        self.waiting.extend(later.waiting);
        self.due = self.due.into_iter().chain(later.due).min();
    }

    /// All that stands in the frames, newest state of each record.
    pub(super) fn take_writes(&mut self) -> Writes {
        self.end = None;
        mem::take(&mut self.frames).into_iter().flatten().collect()
    }

    /// Tells all who wait.
    pub(super) fn tell(self, synced: &Result<(), CommitError>) {
        for waiting in self.waiting {
            (waiting.synced)(waiting.outcome.and(synced.clone()));
        }
    }
}
