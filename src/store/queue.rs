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

/// What a thread that has nothing to do waits for.
enum Next {
    Write,
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

    /// Waits until something is to be written; `None` when nothing will come any more. The writer is to be handed back.
    pub(super) fn next(&self) -> Option<(Writer, Vec<Submission>)> {
        let mut state = self.lock();
        loop {
            state = match state.next(Instant::now()) {
                Next::Write => return state.take(),
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
        let syncs = !mem::replace(&mut state.syncing, true);
        let more = syncs && !state.submissions.is_empty();
        drop(state);
        if more {
            self.wake.notify_one();
        }
        syncs
    }

    /// What is to be synced next; `None` when nothing is, and then nobody syncs any more.
    pub(super) fn next_unsynced(&self) -> Option<Unsynced> {
        let mut state = self.lock();
        state.syncing = !state.unsynced.is_empty();
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
        if self.stopping && self.submissions.is_empty() {
            return Next::End;
        }
        let Some(writer) = &self.writer else { return Next::Call };
        if self.syncing && (writer.needs_the_disk() || self.unsynced.records() >= MAX_QUEUED) {
            return Next::Call;
        }
        match self.due {
            None => Next::Call,
            Some(due) if due <= now || self.stopping || self.is_full() => Next::Write,
            Some(due) => Next::Moment(due),
        }
    }

    fn take(&mut self) -> Option<(Writer, Vec<Submission>)> {
        let mut writer = self.writer.take()?;
        if let Some((lost, _)) = self.lost.take() {
            writer.take_back(lost);
        }
        (self.changes, self.due) = (0, None);
        Some((writer, mem::take(&mut self.submissions)))
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
