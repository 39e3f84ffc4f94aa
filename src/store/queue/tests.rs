use tempfile::TempDir;
use watchbell_engine::effect::Change;

use super::super::Store;
use super::super::committer::{OnceSynced, Then};
use super::super::writer::LAZY_SYNC;
use super::*;

/// A queue with one submission that was written and is handed back now, and when that is to be synced: whether at once, and
/// whether lazily. A machine that stands still meanwhile may make it both.
fn written(dir: &TempDir, synced: Option<OnceSynced>) -> (Queue, [bool; 2]) {
    let queue = Queue::new(Writer::new(Store::open(dir.path()).unwrap().0));
    let then = Some(Then { written: Box::new(|| {}), synced });
    queue.push(Submission { changes: vec![Change::DeletePeer("p".into())], then });
    let Some(Work::Write(mut writer, submissions)) = queue.next() else { panic!("it is written at once") };
    let before = Instant::now();
    let unsynced = writer.write(submissions, &queue.counts);
    let due = unsynced.due.unwrap();
    let when = [due <= Instant::now(), due >= before + LAZY_SYNC];
    queue.hand_back(writer, unsynced);
    (queue, when)
}

#[test]
fn what_somebody_waits_for_is_synced_at_once() {
    let dir = TempDir::new().unwrap();
    let (queue, [at_once, _]) = written(&dir, Some(Box::new(|_| {})));
    assert!(at_once && queue.lock().syncing);
    assert_eq!(queue.next_unsynced().map(|unsynced| unsynced.waiting.len()), Some(1));
    assert!(queue.next_unsynced().is_none() && !queue.lock().syncing);
}

#[test]
fn what_nobody_waits_for_is_synced_a_moment_later() {
    let dir = TempDir::new().unwrap();
    let (queue, [_, lazily]) = written(&dir, None);
    let mut state = queue.lock();
    state.syncing = false;
    let due = state.unsynced.due.unwrap();
    assert!(lazily);
    assert!(matches!(state.next(due - Duration::from_nanos(1)), Next::Moment(at) if at == due));
    assert!(matches!(state.next(due), Next::Sync));
    state.stopping = true;
    assert!(matches!(state.next(due - Duration::from_nanos(1)), Next::Sync), "an end does not wait");
    state.syncing = true;
    assert!(matches!(state.next(due), Next::End), "the other thread syncs it");
}
