//! Group commit: a thread that owns the store, gathers what is to be written, and writes all of it in one go, first to
//! the system and then to the disk.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use watchbell_engine::effect::Change;

use super::Store;
use super::change::{Writes, to_write};
use crate::record::RecordError;

/// How long a change that nobody waits for may stay in memory only.
const LAZY_FLUSH: Duration = Duration::from_millis(250);

/// How long after a failed write it is tried again when nothing new comes.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Changes that may wait for the disk. A disk that is so far behind (seconds of the heaviest load) will not catch up
/// by our waiting longer, and memory has to end somewhere.
const MAX_QUEUED: usize = 65_536;

/// What follows a durable submission, in two steps. Both run on the committer's thread, or on the submitter's if too
/// much waits already, and must neither block nor panic.
pub struct Then {
    /// Called when the system has the changes, so that a kill of the program does not take them, or when it is known that
    /// it will not have them.
    pub written: Box<dyn FnOnce() + Send>,
    /// Called when they are on the disk, so that a loss of power does not take them either, or are known not to be.
    pub synced: Box<dyn FnOnce(Result<(), CommitError>) + Send>,
}

/// Writes changes in the order in which they are submitted. Dropping it writes what still waits.
#[derive(Debug)]
pub struct Committer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Why what was submitted is not known to be on the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The disk refused. The changes are kept in memory, and written before any later one as soon as it can be done.
    #[error("saving failed: {0}")]
    Disk(String),
    /// The record cannot be written at all; the others of the submission are.
    #[error("not saved: {0}")]
    Record(#[from] RecordError),
    /// Too much waits already; nothing of the submission was taken.
    #[error("not saved: the disk is {MAX_QUEUED} changes behind")]
    Overloaded,
}

/// Counts since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that the database takes on the disk.
    pub bytes: u64,
    /// Commits that reached the disk.
    pub commits: u64,
    /// Commits that the disk refused.
    pub failed_commits: u64,
    /// Times that journals were folded into the database.
    pub folds: u64,
    /// Times that it failed.
    pub failed_folds: u64,
    /// Records written or deleted.
    pub records: u64,
    /// Changes refused: too long a record, or too many waiting.
    pub refused: u64,
    /// Changes that wait now.
    pub queued: u64,
    /// Records that the disk refused and that are tried again.
    pub unsaved: u64,
}

impl Committer {
    /// Takes the store over.
    pub fn start(store: Store) -> Self {
        let shared = Arc::new(Shared::default());
        let worker = Worker { store, unsaved: Writes::new(), shared: shared.clone() };
        let thread = thread::Builder::new().name("committer".into()).spawn(move || worker.run());
        Self { shared, thread: Some(thread.expect("the system has room for a thread at the start")) }
    }

    /// Saves `changes` at once and calls `then` as they, and all submitted before, get to the disk, or are known not to.
    /// With no changes it waits for what was submitted before.
    pub fn submit_durable(&self, changes: Vec<Change>, then: Then) {
        let refused = self.shared.push(Submission { changes, then: Some(then) });
        if let Some(then) = refused.and_then(|submission| submission.then) {
            (then.written)();
            (then.synced)(Err(CommitError::Overloaded));
        }
    }

    /// Saves `changes` soon, together with others.
    pub fn submit_lazily(&self, changes: Vec<Change>) {
        self.shared.push(Submission { changes, then: None });
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        let counts = &self.shared.counts;
        Stats {
            bytes: counts.bytes.load(Relaxed),
            commits: counts.commits.load(Relaxed),
            failed_commits: counts.failed_commits.load(Relaxed),
            folds: counts.folds.load(Relaxed),
            failed_folds: counts.failed_folds.load(Relaxed),
            records: counts.records.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            queued: self.shared.lock().changes as u64,
            unsaved: counts.unsaved.load(Relaxed),
        }
    }
}

impl Drop for Committer {
    /// Returns when everything submitted was written, or could not be.
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_one();
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(?panic, "the committer's thread panicked");
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    counts: Counts,
}

#[derive(Default)]
struct Queue {
    submissions: Vec<Submission>,
    /// In all submissions.
    changes: usize,
    /// Whether someone waits for a commit.
    urgent: bool,
    stopping: bool,
}

struct Submission {
    changes: Vec<Change>,
    /// Present if someone waits.
    then: Option<Then>,
}

/// The counts behind [`Stats`].
#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    commits: AtomicU64,
    failed_commits: AtomicU64,
    folds: AtomicU64,
    failed_folds: AtomicU64,
    records: AtomicU64,
    refused: AtomicU64,
    unsaved: AtomicU64,
}

impl Shared {
    /// Appends the submission; hands it back if too much waits already.
    fn push(&self, submission: Submission) -> Option<Submission> {
        let mut queue = self.lock();
        if queue.is_full() {
            self.counts.refused.fetch_add(submission.changes.len() as u64, Relaxed);
            return Some(submission);
        }
        let urgent = submission.then.is_some();
        let first = queue.submissions.is_empty();
        queue.changes += submission.changes.len();
        queue.urgent |= urgent;
        queue.submissions.push(submission);
        // Who gathers need not wake for one more.
        if first || urgent || queue.is_full() {
            self.wake.notify_one();
        }
        None
    }

    /// Waits until something is to be done; `None` when nothing will come any more. `behind` says that an earlier
    /// commit failed, so that nothing new is needed for another attempt.
    fn next(&self, behind: bool) -> Option<Vec<Submission>> {
        let longest = if behind { RETRY_AFTER } else { Duration::MAX };
        let queue = self.wait(self.lock(), longest, Queue::is_idle);
        let mut queue = self.wait(queue, LAZY_FLUSH, Queue::may_gather);
        if queue.stopping && queue.submissions.is_empty() {
            return None;
        }
        (queue.changes, queue.urgent) = (0, false);
        Some(mem::take(&mut queue.submissions))
    }

    fn wait<'a>(
        &self,
        queue: MutexGuard<'a, Queue>,
        longest: Duration,
        whilst: fn(&Queue) -> bool,
    ) -> MutexGuard<'a, Queue> {
        self.wake.wait_timeout_while(queue, longest, |queue| whilst(queue)).expect(NEVER_POISONED).0
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect(NEVER_POISONED)
    }
}

const NEVER_POISONED: &str = "nothing that runs under the queue's lock panics";

impl Queue {
    /// Whether it holds all it may. Submissions count as well, for those without changes.
    fn is_full(&self) -> bool {
        self.changes.max(self.submissions.len()) >= MAX_QUEUED
    }

    fn is_idle(&self) -> bool {
        self.submissions.is_empty() && !self.stopping
    }

    /// Whether what waits may wait for more.
    fn may_gather(&self) -> bool {
        !self.urgent && !self.stopping && !self.is_full()
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("changes", &self.changes).finish_non_exhaustive()
    }
}

/// The thread's side.
struct Worker {
    store: Store,
    /// What earlier commits failed to write, newest state of each record: never more than the state itself.
    unsaved: Writes,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(mut self) {
        self.measure();
        while let Some(submissions) = self.shared.next(!self.unsaved.is_empty()) {
            self.commit(submissions);
        }
    }

    /// Writes all submissions in one step, and tells each how it goes.
    fn commit(&mut self, submissions: Vec<Submission>) {
        let mut waiting = Vec::new();
        let mut then_written = Vec::new();
        for Submission { changes, then } in submissions {
            let staged = self.stage(&changes);
            if let Some(Then { written, synced }) = then {
                then_written.push(written);
                waiting.push((staged, synced));
            }
        }
        let written = self.write();
        then_written.into_iter().for_each(|then| then());
        let synced = written.and_then(|()| self.sync());
        self.count(&synced);
        for (staged, then) in waiting {
            then(synced.clone().and(staged.map_err(CommitError::from)));
        }
    }

    /// Adds changes to what is to be written; a record that cannot be is left out.
    fn stage(&mut self, changes: &[Change]) -> Result<(), RecordError> {
        let mut outcome = Ok(());
        for change in changes {
            match to_write(change) {
                Ok((key, bytes)) => {
                    self.unsaved.insert(key, bytes);
                }
                Err(error) => {
                    self.shared.counts.refused.fetch_add(1, Relaxed);
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    fn write(&mut self) -> Result<(), CommitError> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        self.store.write(&self.unsaved).map_err(|error| CommitError::Disk(error.to_string()))
    }

    fn sync(&mut self) -> Result<(), CommitError> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        self.store.sync().map_err(|error| CommitError::Disk(error.to_string()))
    }

    /// Counts a commit; what it saved is done with.
    fn count(&mut self, saved: &Result<(), CommitError>) {
        if self.unsaved.is_empty() {
            return;
        }
        let counts = &self.shared.counts;
        if saved.is_ok() {
            counts.records.fetch_add(self.unsaved.len() as u64, Relaxed);
            counts.commits.fetch_add(1, Relaxed);
            self.unsaved.clear();
        } else {
            counts.failed_commits.fetch_add(1, Relaxed);
        }
        self.measure();
    }

    fn measure(&self) {
        let counts = &self.shared.counts;
        counts.bytes.store(self.store.size(), Relaxed);
        counts.folds.store(self.store.folds.done, Relaxed);
        counts.failed_folds.store(self.store.folds.failed, Relaxed);
        counts.unsaved.store(self.unsaved.len() as u64, Relaxed);
    }
}
