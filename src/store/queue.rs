//! What waits to be written and what to be synced, and which thread does what: at any time at most one writes and at most
//! one syncs, so that nothing that is only to be written waits for the disk.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::change::Writes;
use super::committer::{CommitError, Counts};
use super::writer::{Submission, Unsynced, Writer};

/// How long a change that nobody waits for may stay in memory only.
const LAZY_FLUSH: Duration = Duration::from_millis(250);

/// How long after a failed write it is tried again when nothing new comes.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Changes that may wait for the disk. A disk that is so far behind (seconds of the heaviest load) will not catch up
/// by our waiting longer, and memory has to end somewhere. As many more may be written and not synced.
pub(super) const MAX_QUEUED: usize = 65_536;

/// What the threads share.
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    pub(super) counts: Counts,
}

struct State {
    submissions: Vec<Submission>,
    /// In all submissions.
    changes: usize,
    /// When the submissions are to be written at the latest.
    due: Option<Instant>,
    stopping: bool,
    /// Absent while a thread writes.
    writer: Option<Writer>,
    /// What was written since the sync that is under way began.
    unsynced: Unsynced,
    /// Whether a thread syncs.
    syncing: bool,
    /// What the disk refused after it was written, and why, until it is written again.
    lost: Option<(Writes, CommitError)>,
}

/// What a thread is to do.
#[expect(clippy::large_enum_variant, reason = "it is moved once a write, and kept nowhere")]
pub(super) enum Work {
    /// These. The writer is to be handed back.
    Write(Writer, Vec<Submission>),
    /// All that is unsynced, by and by.
    Sync,
}

/// What a thread that has nothing to do waits for.
enum Next {
    Write,
    Sync,
    /// To be woken.
    Call,
    Moment(Instant),
    End,
}

const NEVER_POISONED: &str = "nothing that runs under the queue's lock panics";

impl Queue {
    pub(super) fn new(writer: Writer) -> Self {
        let counts = Counts::default();
        writer.measure(&counts);
        let state = State {
            submissions: Vec::new(),
            changes: 0,
            due: None,
            stopping: false,
            writer: Some(writer),
            unsynced: Unsynced::default(),
            syncing: false,
            lost: None,
        };
        Self { state: Mutex::new(state), wake: Condvar::new(), counts }
    }

    /// Appends the submission; hands it back if too much waits already.
    pub(super) fn push(&self, submission: Submission) -> Option<Submission> {
        let mut state = self.lock();
        if state.is_full() {
            return Some(submission);
        }
        let latest = if submission.then.is_some() { Duration::ZERO } else { LAZY_FLUSH };
        let due = Instant::now() + latest;
        let sooner = state.due.is_none_or(|before| due < before);
        state.due = if sooner { Some(due) } else { state.due };
        state.changes += submission.changes.len();
        state.submissions.push(submission);
        // Who gathers need not wake for one more, and who writes looks here afterwards.
        let wake = (sooner || state.is_full()) && state.writer.is_some();
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        None
    }

    /// Waits until there is something to do; `None` when nothing will come any more.
    pub(super) fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            state = match state.next(Instant::now()) {
                Next::Write => return state.take(),
                Next::Sync => {
                    state.syncing = true;
                    self.leave_the_rest(state);
                    return Some(Work::Sync);
                }
                Next::Call => self.wake.wait(state).expect(NEVER_POISONED),
                Next::Moment(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    self.wake.wait_timeout(state, left).expect(NEVER_POISONED).0
                }
                Next::End => {
                    // The other thread may have waited for this one when it was told to stop.
                    self.wake.notify_all();
                    return None;
                }
            }
        }
    }

    /// Takes the writer back, and what it wrote. Returns whether whoever hands it back is to sync.
    pub(super) fn hand_back(&self, writer: Writer, unsynced: Unsynced) -> bool {
        let mut state = self.lock();
        if writer.is_behind() {
            state.due.get_or_insert(Instant::now() + RETRY_AFTER);
        }
        state.writer = Some(writer);
        state.unsynced.extend(unsynced);
        state.give_up_what_came_after_a_loss();
        let syncs = !state.syncing && state.is_to_be_synced(Instant::now());
        if syncs {
            state.syncing = true;
            self.leave_the_rest(state);
        }
        syncs
    }

    /// Who syncs leaves what waits to be written to the other thread.
    fn leave_the_rest(&self, state: MutexGuard<'_, State>) {
        let more = !state.submissions.is_empty();
        drop(state);
        if more {
            self.wake.notify_one();
        }
    }

    /// What is to be synced next; `None` when nothing is yet, and then nobody syncs any more.
    pub(super) fn next_unsynced(&self) -> Option<Unsynced> {
        let mut state = self.lock();
        state.syncing = state.is_to_be_synced(Instant::now());
        state.syncing.then(|| mem::take(&mut state.unsynced))
    }

    /// Keeps what the disk refused, and all that was written after it, to be written again.
    pub(super) fn lose(&self, unsynced: &mut Unsynced, error: CommitError) {
        let mut state = self.lock();
        state.lost = Some((unsynced.take_writes(), error));
        state.give_up_what_came_after_a_loss();
        state.due.get_or_insert(Instant::now() + RETRY_AFTER);
    }

    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.wake.notify_all();
    }

    /// Changes that wait to be written, and records that were and are not on the disk.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.changes, state.lost.as_ref().map_or(0, |(lost, _)| lost.len()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NEVER_POISONED)
    }
}

impl State {
    /// Whether it holds all it may. Submissions count as well, for those without changes.
    fn is_full(&self) -> bool {
        self.changes.max(self.submissions.len()) >= MAX_QUEUED
    }

    fn next(&self, now: Instant) -> Next {
        if !self.syncing && self.is_to_be_synced(now) {
            return Next::Sync;
        }
        if self.stopping && self.submissions.is_empty() {
            return Next::End;
        }
        let write = self.due.filter(|_| self.can_be_written());
        if write.is_some_and(|due| due <= now || self.stopping || self.is_full()) {
            return Next::Write;
        }
        let sync = self.unsynced.due.filter(|_| !self.syncing);
        write.into_iter().chain(sync).min().map_or(Next::Call, Next::Moment)
    }

    /// Whether nobody writes, and the next write needs no sync before.
    fn can_be_written(&self) -> bool {
        self.writer.is_some() && !(self.syncing && self.waits_for_the_disk())
    }

    /// Whether what was written is to be synced before more is written.
    fn waits_for_the_disk(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::needs_the_disk) || self.unsynced.records() >= MAX_QUEUED
    }

    fn is_to_be_synced(&self, now: Instant) -> bool {
        self.unsynced.due.is_some_and(|due| due <= now || self.stopping || self.waits_for_the_disk())
    }

    fn take(&mut self) -> Option<Work> {
        let mut writer = self.writer.take()?;
        if let Some((lost, _)) = self.lost.take() {
            writer.take_back(lost);
        }
        (self.changes, self.due) = (0, None);
        Some(Work::Write(writer, mem::take(&mut self.submissions)))
    }

    /// What was appended behind something that the disk refused may not be there either.
    fn give_up_what_came_after_a_loss(&mut self) {
        let Some((lost, error)) = &mut self.lost else { return };
        lost.extend(self.unsynced.take_writes());
        for waiting in &mut self.unsynced.waiting {
            waiting.outcome = Err(error.clone());
        }
    }
}

#[cfg(test)]
mod tests;
