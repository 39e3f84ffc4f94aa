use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Change;
use watchbell_engine::group::SavedGroup;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::Version;

use super::*;
use crate::record::RecordError;

mod crash;
mod folding;
mod foreign;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn everything_comes_back() {
    let dir = TempDir::new().unwrap();
    let (committer, first) = start(dir.path());
    assert_eq!((first.generation, first.saved.silences.len(), first.imported), (1, 0, None));
    let changes = vec![
        Change::PutSilence(silence(1, "one")),
        Change::PutSilence(silence(2, "two")),
        Change::PutNflog(entry("a", 3)),
        Change::PutAlert(alert("A")),
        Change::PutGroup(group("A", 60)),
    ];
    commit(&committer, changes).unwrap();
    drop(committer);

    let (_store, opened) = Store::open(dir.path()).unwrap();
    let saved = &opened.saved;
    assert_eq!((opened.node, opened.generation), (first.node, 2));
    assert_eq!(saved.silences, [silence(1, "one"), silence(2, "two")]);
    assert_eq!(saved.nflog, [entry("a", 3)]);
    assert_eq!(saved.alerts, [alert("A")]);
    assert_eq!(saved.groups, [group("A", 60)]);
    assert_eq!(opened.damaged, []);
}

#[test]
fn the_last_change_of_a_record_holds() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    commit(&committer, vec![Change::PutSilence(silence(1, "old")), Change::PutAlert(alert("A"))]).unwrap();
    commit(&committer, vec![Change::PutSilence(silence(1, "new")), Change::PutNflog(entry("a", 1))]).unwrap();
    let mut changes =
        vec![Change::DeleteAlert(alert("A").fingerprint()), Change::DeleteNflog(entry("a", 1).key.clone())];
    changes.extend([Change::PutGroup(group("A", 1)), Change::DeleteGroup(group("A", 2))]);
    commit(&committer, changes).unwrap();
    drop(committer);

    let (_store, opened) = Store::open(dir.path()).unwrap();
    let saved = &opened.saved;
    assert_eq!(saved.silences, [silence(1, "new")]);
    assert_eq!((saved.alerts.len(), saved.nflog.len(), saved.groups.len()), (0, 0, 0));
}

#[test]
fn a_record_of_many_pieces_comes_back_longer_and_shorter() {
    let dir = TempDir::new().unwrap();
    for hashes in [1, 100_000, 700, 5_000, 0] {
        let (committer, _) = start(dir.path());
        commit(&committer, vec![Change::PutNflog(entry("a", hashes)), Change::PutNflog(entry("b", 1))]).unwrap();
        drop(committer);
        let (_store, opened) = Store::open(dir.path()).unwrap();
        let saved = &opened.saved;
        let mut lengths: Vec<_> = saved.nflog.iter().map(|e| e.firing.len()).collect();
        lengths.sort_unstable();
        let mut expected = [hashes as usize, 1];
        expected.sort_unstable();
        assert_eq!((lengths, opened.damaged.len()), (expected.to_vec(), 0));
    }
}

#[test]
fn a_change_nobody_waits_for_is_written_soon() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    committer.submit_lazily(vec![Change::PutAlert(alert("A"))]);
    wait_until(|| committer.stats().commits == 1);
    assert_eq!((committer.stats().records, committer.stats().queued), (1, 0));
}

#[test]
fn a_barrier_waits_for_what_came_before() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    committer.submit_lazily(vec![Change::PutAlert(alert("A"))]);
    commit(&committer, Vec::new()).unwrap();
    assert_eq!((committer.stats().commits, committer.stats().records), (1, 1));
    commit(&committer, Vec::new()).unwrap();
    assert_eq!(committer.stats().commits, 1, "nothing to write is no commit");
    assert!(committer.stats().bytes > 0);
}

#[test]
fn what_waits_is_written_in_one_commit_and_answered_in_order() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let (send, receive) = mpsc::channel();
    let go_on = hold_up(&committer);
    for number in 0..100 {
        let send = send.clone();
        let change = Change::PutSilence(silence(number % 7, &number.to_string()));
        committer.submit_durable(vec![change], once_synced(move |outcome| send.send((number, outcome)).unwrap()));
    }
    go_on.send(()).unwrap();
    let answers: Vec<_> = receive.iter().take(100).collect();
    assert_eq!(answers, (0..100).map(|number| (number, Ok(()))).collect::<Vec<_>>());
    assert_eq!((committer.stats().commits, committer.stats().records), (1, 7));
    drop(committer);
    let saved = Store::open(dir.path()).unwrap().1.saved;
    let comments: Vec<_> = saved.silences.iter().map(|silence| silence.comment.to_string()).collect();
    assert_eq!(comments, ["98", "99", "93", "94", "95", "96", "97"]);
}

#[test]
fn a_record_that_is_too_long_fails_alone() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let changes = vec![Change::PutNflog(entry("long", 200_000)), Change::PutNflog(entry("short", 2))];
    let outcome = commit(&committer, changes);
    assert!(matches!(outcome, Err(CommitError::Record(RecordError::TooLong(_)))), "{outcome:?}");
    assert_eq!(committer.stats().refused, 1);
    drop(committer);
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.nflog, [entry("short", 2)]);
}

#[test]
fn too_much_that_waits_is_refused_and_counted() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let go_on = hold_up(&committer);
    let many = vec![Change::DeleteAlert(alert("A").fingerprint()); 70_000];
    committer.submit_lazily(many);
    assert_eq!(commit(&committer, vec![Change::PutAlert(alert("A"))]), Err(CommitError::Overloaded));
    assert_eq!((committer.stats().queued, committer.stats().refused), (70_000, 1));
    go_on.send(()).unwrap();
    wait_until(|| committer.stats().queued == 0);
    commit(&committer, vec![Change::PutAlert(alert("A"))]).unwrap();
}

#[test]
fn what_follows_a_write_comes_before_the_disk_has_it() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let (send, receive) = mpsc::channel();
    let written = send.clone();
    let then = Then {
        written: Box::new(move || written.send(("written", Ok(()))).unwrap()),
        synced: Some(Box::new(move |outcome| send.send(("synced", outcome)).unwrap())),
    };
    committer.submit_durable(vec![Change::PutAlert(alert("A"))], then);
    assert_eq!(receive.iter().collect::<Vec<_>>(), [("written", Ok(())), ("synced", Ok(()))]);
}

#[test]
fn a_write_does_not_wait_for_a_sync_under_way() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let (block, held) = block();
    committer.submit_durable(vec![Change::PutAlert(alert("A"))], once_synced(move |_| block()));
    let go_on = held.wait();
    let (send, receive) = mpsc::channel();
    for number in 0..5 {
        let (written, synced) = (send.clone(), send.clone());
        let then = Then {
            written: Box::new(move || written.send(("written", number)).unwrap()),
            synced: Some(Box::new(move |_| synced.send(("synced", number)).unwrap())),
        };
        committer.submit_durable(vec![Change::PutAlert(alert(&number.to_string()))], then);
        assert_eq!(receive.recv_timeout(DEADLINE), Ok(("written", number)));
    }
    go_on.send(()).unwrap();
    let synced: Vec<_> = receive.iter().take(5).collect();
    assert_eq!(synced, (0..5).map(|number| ("synced", number)).collect::<Vec<_>>());
    assert_eq!((committer.stats().commits, committer.stats().records), (6, 6));
}

#[test]
fn what_the_disk_refused_is_written_again_with_what_came_later() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    let path = dir.path().join("watchbell/journal-1");
    let journal = fs::File::open(&path).unwrap();
    // A journal that is gone is as good as one that cannot be synced.
    fs::remove_file(&path).unwrap();
    let (block, held) = block();
    committer.submit_durable(
        vec![Change::PutAlert(alert("A"))],
        once_synced(move |outcome| {
            assert!(matches!(outcome, Err(CommitError::Disk(_))), "{outcome:?}");
            block();
        }),
    );
    let go_on = held.wait();
    assert_eq!(committer.stats().unsaved, 1);
    let (send, receive) = mpsc::channel();
    let written = send.clone();
    let then = Then {
        written: Box::new(move || written.send(None).unwrap()),
        synced: Some(Box::new(move |outcome| send.send(Some(outcome)).unwrap())),
    };
    committer.submit_durable(vec![Change::PutAlert(alert("B"))], then);
    assert_eq!(receive.recv_timeout(DEADLINE), Ok(None));
    let mut kept = 0;
    let handle = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&journal));
    journal::read(&fs::File::open(&handle).unwrap(), |_, _| kept += 1).unwrap();
    assert_eq!(kept, 2, "both, once each");
    go_on.send(()).unwrap();
    assert!(matches!(receive.recv_timeout(DEADLINE), Ok(Some(Err(CommitError::Disk(_))))));
    wait_until(|| committer.stats().unsaved == 2);
    assert!(committer.stats().failed_commits >= 2);
}

#[test]
fn what_nobody_waits_for_is_written_again_as_well() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    fs::remove_file(dir.path().join("watchbell/journal-1")).unwrap();
    let then = Then { written: Box::new(|| {}), synced: None };
    committer.submit_durable(vec![Change::PutAlert(alert("A"))], then);
    wait_until(|| committer.stats().unsaved == 1);
    let tries = committer.stats().failed_commits;
    wait_until(|| committer.stats().failed_commits > tries);
}

/// Calls `then` when the changes are on the disk.
fn once_synced(then: impl FnOnce(Result<(), CommitError>) + Send + 'static) -> Then {
    Then { written: Box::new(|| {}), synced: Some(Box::new(then)) }
}

/// Keeps the committer from writing anything more until something is sent.
fn hold_up(committer: &Committer) -> mpsc::Sender<()> {
    let (block, go_on) = block();
    committer.submit_durable(Vec::new(), Then { written: Box::new(block), synced: Some(Box::new(|_| {})) });
    go_on.wait()
}

/// Somebody who is to be held up.
struct Held {
    entered: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Held {
    /// Returns once it is held up, with what lets it go on.
    fn wait(self) -> mpsc::Sender<()> {
        self.entered.recv().unwrap();
        self.go_on
    }
}

fn block() -> (impl FnOnce() + Send + 'static, Held) {
    let (go_on, blocked) = mpsc::channel();
    let (inside, entered) = mpsc::channel();
    let block = move || {
        inside.send(()).unwrap();
        blocked.recv().unwrap();
    };
    (block, Held { entered, go_on })
}

fn wait_until(reached: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !reached() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(5));
    }
}

fn start(path: &Path) -> (Committer, Opened) {
    start_folding(path, FOLD_ABOVE)
}

/// Starts with journals that are folded above so many bytes.
fn start_folding(path: &Path, fold_above: u64) -> (Committer, Opened) {
    let (mut store, opened) = Store::open(path).unwrap();
    store.fold_above = fold_above;
    (Committer::start(store), opened)
}

/// Submits, and waits for the outcome.
fn commit(committer: &Committer, changes: Vec<Change>) -> Result<(), CommitError> {
    let (send, receive) = mpsc::channel();
    committer.submit_durable(changes, once_synced(move |outcome| send.send(outcome).unwrap()));
    receive.recv().unwrap()
}

fn silence(id: u128, comment: &str) -> Arc<Silence> {
    Arc::new(Silence {
        id: SilenceId(id),
        matcher_sets: vec![vec![Matcher::new("alertname", MatchOp::Regex, "A.*").unwrap()]],
        starts_at: Timestamp::from_secs(1),
        ends_at: Timestamp::from_secs(2),
        updated_at: Timestamp::from_secs(3),
        forget_at: Timestamp::from_secs(9),
        created_by: "ops".into(),
        comment: comment.into(),
        annotations: Labels::default(),
        version: Version::default(),
    })
}

fn entry(group: &str, hashes: u64) -> Arc<NflogEntry> {
    let (receiver, integration) = ("team".into(), "webhook".into());
    Arc::new(NflogEntry {
        key: NflogKey { group_key: group.into(), receiver, integration, index: 0 },
        timestamp: Timestamp::from_secs(4),
        firing: (0..hashes).collect(),
        resolved: Vec::new(),
        receiver_data: Default::default(),
        expires_at: Timestamp::from_secs(5),
        version: Version::default(),
        carried: vec![],
        ended: vec![],
        past: vec![],
    })
}

fn alert(name: &str) -> Arc<Alert> {
    Arc::new(Alert {
        labels: Labels::from_iter([("alertname", name)]),
        annotations: Labels::default(),
        starts_at: Timestamp::from_secs(1),
        starts_offset: UtcOffset::default(),
        ends_at: Timestamp::from_secs(2),
        ends_offset: UtcOffset::default(),
        updated_at: Timestamp::from_secs(1),
        generator_url: "".into(),
        timeout: true,
    })
}

fn group(name: &str, next_flush: i64) -> SavedGroup {
    let labels = Labels::from_iter([("alertname", name)]);
    SavedGroup { route_id: "r".into(), labels, next_flush: Timestamp::from_secs(next_flush) }
}

/// Where the databases lie that are whole.
fn databases(path: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(path.join("watchbell")).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("db-")).collect()
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_directory(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
