use std::path::Path;
use std::sync::mpsc;
use std::{fs, thread};

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
    queue.push(submission(vec![Change::DeletePeer("p".into())], synced));
    let Some(Work::Write(mut writer, submissions)) = queue.next() else { panic!("it is written at once") };
    let before = Instant::now();
    let unsynced = writer.write(submissions, &queue.counts);
    let due = unsynced.due.unwrap();
    let when = [due <= Instant::now(), due >= before + LAZY_SYNC];
    queue.hand_back(writer, unsynced);
    (queue, when)
}

fn submission(changes: Vec<Change>, synced: Option<OnceSynced>) -> Submission {
    Submission { changes, then: Some(Then { written: Box::new(|| {}), synced }) }
}

/// One thread writes while another has nothing to do; the first writes what has come meanwhile as well, and ends.
#[test]
fn who_waits_for_a_writer_that_ends_is_woken() {
    let dir = TempDir::new().unwrap();
    let queue = Queue::new(Writer::new(Store::open(dir.path()).unwrap().0));
    queue.push(submission(Vec::new(), None));
    let Some(Work::Write(writer, _)) = queue.next() else { panic!("it is written at once") };
    queue.push(submission(Vec::new(), None));
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let queue = &queue;
        let other = scope.spawn(move || {
            tell.send(fs::canonicalize("/proc/thread-self").unwrap()).unwrap();
            queue.next().is_none()
        });
        let task = told.recv().unwrap();
        await_sleep(&task);
        queue.stop();
        await_sleep(&task);
        assert!(!queue.hand_back(writer, Unsynced::default()));
        let Some(Work::Write(writer, _)) = queue.next() else { panic!("an end does not wait") };
        assert!(!queue.hand_back(writer, Unsynced::default()) && queue.next().is_none());
        let ended = comes(|| other.is_finished());
        // A test that has failed is to end as well.
        queue.wake.notify_all();
        assert!(ended && other.join().unwrap());
    });
}

/// Waits until a thread waits.
fn await_sleep(task: &Path) {
    assert!(comes(|| fs::read_to_string(task.join("stat")).unwrap().contains(") S ")), "it does not wait");
}

/// Whether it comes before long.
fn comes(mut reached: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reached() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    reached()
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
