//! Group commit: two threads that own the store. What waits is written in one go, and what was written is synced in one go;
//! while one of them waits for the disk, the other writes. Who wrote syncs as well unless the other is at it, so a
//! single commit costs no change between them. What nobody waits for goes to the disk with what is written next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

use watchbell_engine::effect::Change;

use super::Store;
use super::queue::{MAX_QUEUED, Queue, Work};
use super::writer::{Submission, Unsynced, Writer};
use crate::record::RecordError;

/// One writes while another syncs.
const THREADS: usize = 2;

/// What follows a durable submission, in two steps, each in the order of submissions. Both run on the committer's
/// threads, or on the submitter's if too much waits already, and must neither block nor panic.
pub struct Then {
    /// Called when the system has the changes, so that a kill of the program does not take them, or when it is known that
    /// it will not have them.
    pub written: Box<dyn FnOnce() + Send>,
    /// Called when they are on the disk, so that a loss of power does not take them either, or are known not to be. If
    /// it is absent they get there with what is submitted next, or a moment later.
    pub synced: Option<OnceSynced>,
}

/// Called with how it went.
pub type OnceSynced = Box<dyn FnOnce(Result<(), CommitError>) + Send>;

/// Writes changes in the order in which they are submitted. Dropping it writes what still waits.
pub struct Committer {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
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
        let queue = Arc::new(Queue::new(Writer::new(store)));
        let thread = |_| {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name("committer".into()).spawn(move || run(&queue));
            thread.expect("the system has room for a thread at the start")
        };
        let threads = (0..THREADS).map(thread).collect();
        Self { queue, threads }
    }

    /// Saves `changes` at once and calls `then` as they, and all submitted before, get to the disk, or are known not to.
    /// With no changes it waits for what was submitted before.
    pub fn submit_durable(&self, changes: Vec<Change>, then: Then) {
        if let Some(then) = self.submit(Submission { changes, then: Some(then) }) {
            (then.written)();
            if let Some(synced) = then.synced {
                synced(Err(CommitError::Overloaded));
            }
        }
    }

    /// Saves `changes` soon, together with others.
    pub fn submit_lazily(&self, changes: Vec<Change>) {
        self.submit(Submission { changes, then: None });
    }

    /// Returns who waits for a submission that is refused.
    fn submit(&self, submission: Submission) -> Option<Then> {
        let refused = self.queue.push(submission)?;
        self.queue.counts.refused.fetch_add(refused.changes.len() as u64, Relaxed);
        refused.then
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        let counts = &self.queue.counts;
        let (queued, lost) = self.queue.waiting();
        Stats {
            bytes: counts.bytes.load(Relaxed),
            commits: counts.commits.load(Relaxed),
            failed_commits: counts.failed_commits.load(Relaxed),
            folds: counts.folds.load(Relaxed),
            failed_folds: counts.failed_folds.load(Relaxed),
            records: counts.records.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            queued: queued as u64,
            unsaved: counts.unsaved.load(Relaxed) + lost as u64,
        }
    }
}

impl Drop for Committer {
    /// Returns when everything submitted was written, or could not be.
    fn drop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                tracing::error!(?panic, "a thread of the committer panicked");
            }
        }
    }
}

/// The counts behind [`Stats`].
#[derive(Default)]
pub(super) struct Counts {
    pub(super) bytes: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) failed_commits: AtomicU64,
    pub(super) folds: AtomicU64,
    pub(super) failed_folds: AtomicU64,
    pub(super) records: AtomicU64,
    pub(super) refused: AtomicU64,
    /// Records that could not be written.
    pub(super) unsaved: AtomicU64,
}

/// What each thread does.
fn run(queue: &Queue) {
    while let Some(work) = queue.next() {
        let syncs = match work {
            Work::Write(mut writer, submissions) => {
                let unsynced = writer.write(submissions, &queue.counts);
                queue.hand_back(writer, unsynced)
            }
            Work::Sync => true,
        };
        while syncs && let Some(unsynced) = queue.next_unsynced() {
            sync(queue, unsynced);
        }
    }
}

/// Puts on the disk what was written, and tells who waits for that.
fn sync(queue: &Queue, mut unsynced: Unsynced) {
    let synced = unsynced.sync();
    let counts = &queue.counts;
    match &synced {
        Ok(()) => {
            counts.records.fetch_add(unsynced.records() as u64, Relaxed);
            counts.commits.fetch_add(unsynced.frames.len() as u64, Relaxed);
        }
        Err(error) => {
            counts.failed_commits.fetch_add(1, Relaxed);
            queue.lose(&mut unsynced, error.clone());
        }
    }
    unsynced.tell(&synced);
}
