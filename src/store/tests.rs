use std::fs;
use std::sync::mpsc;

use tempfile::TempDir;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::replica::Version;
use watchbell_engine::silence::SilenceId;
use watchbell_engine::time::{Timestamp, UtcOffset};

use super::*;

mod crash;

#[test]
fn everything_comes_back() {
    let dir = TempDir::new().unwrap();
    let (committer, first) = start(dir.path());
    assert_eq!((first.generation, first.silences.len(), first.imported), (1, 0, None));
    let changes = vec![
        Change::PutSilence(silence(1, "one")),
        Change::PutSilence(silence(2, "two")),
        Change::PutNflog(entry("a", 3)),
        Change::PutAlert(alert("A")),
        Change::PutGroup(group("A", 60)),
    ];
    commit(&committer, changes).unwrap();
    drop(committer);

    let (_store, saved) = Store::open(dir.path()).unwrap();
    assert_eq!((saved.node, saved.generation), (first.node, 2));
    assert_eq!(saved.silences, [silence(1, "one"), silence(2, "two")]);
    assert_eq!(saved.nflog, [entry("a", 3)]);
    assert_eq!(saved.alerts, [alert("A")]);
    assert_eq!(saved.groups, [group("A", 60)]);
    assert_eq!(saved.damaged, []);
}

#[test]
fn the_last_change_of_a_record_holds() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    commit(&committer, vec![Change::PutSilence(silence(1, "old")), Change::PutAlert(alert("A"))]).unwrap();
    commit(&committer, vec![Change::PutSilence(silence(1, "new")), Change::PutNflog(entry("a", 1))]).unwrap();
    let mut changes = vec![Change::DeleteAlert(alert("A").fingerprint()), Change::DeleteNflog(entry("a", 1).key.clone())];
    changes.extend([Change::PutGroup(group("A", 1)), Change::DeleteGroup { route_id: "r".into(), labels: group("A", 1).labels }]);
    commit(&committer, changes).unwrap();
    drop(committer);

    let (_store, saved) = Store::open(dir.path()).unwrap();
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
        let (_store, saved) = Store::open(dir.path()).unwrap();
        let mut lengths: Vec<_> = saved.nflog.iter().map(|e| e.firing.len()).collect();
        lengths.sort_unstable();
        let mut expected = [hashes as usize, 1];
        expected.sort_unstable();
        assert_eq!((lengths, saved.damaged.len()), (expected.to_vec(), 0));
    }
}

#[test]
fn long_records_make_no_files_beside_the_database() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    for round in 0..5 {
        let changes = (0..40).map(|n| Change::PutNflog(entry(&format!("{n}"), 10_000 + round))).collect();
        commit(&committer, changes).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path().join("watchbell/db/blobs")).unwrap().count(), 0);
}

fn start(path: &Path) -> (Committer, Saved) {
    let (store, saved) = Store::open(path).unwrap();
    (Committer::start(store, &saved), saved)
}

/// Submits, and waits for the outcome.
fn commit(committer: &Committer, changes: Vec<Change>) -> Result<(), CommitError> {
    let (send, receive) = mpsc::channel();
    committer.submit_durable(changes, Box::new(move |outcome| send.send(outcome).unwrap()));
    receive.recv().unwrap()
}

fn silence(id: u128, comment: &str) -> Arc<Silence> {
    Arc::new(Silence {
        id: SilenceId(id),
        matcher_sets: vec![vec![Matcher::new("alertname", MatchOp::Regex, "A.*").unwrap()]],
        starts_at: Timestamp::from_secs(1),
        ends_at: Timestamp::from_secs(2),
        updated_at: Timestamp::from_secs(3),
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
