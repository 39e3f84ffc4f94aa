//! The store, over sizes: what a commit costs for what is in it, and a start for what was saved. fsync decides about
//! most of a small commit, so the figures tell of the disk as well.
//!
//! `cargo bench -p watchbell --bench store`

use std::path::Path;
use std::sync::{Arc, mpsc};

use divan::Bencher;
use divan::counter::ItemsCount;
use tempfile::TempDir;
use watchbell::record::{decode, encode};
use watchbell::store::{Committer, Store, Then};
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Change;
use watchbell_engine::label::Labels;
use watchbell_engine::time::{Timestamp, UtcOffset};

/// Bytes that a store does not keep in journals.
const FOLDED_BY_THEN: u64 = 129 << 20;

fn main() {
    divan::main();
}

/// From the submission of so many alerts until they are on the disk.
#[divan::bench(args = [1, 64, 1_024, 16_384], sample_count = 50)]
fn commit_and_sync(bencher: Bencher, alerts: usize) {
    let directory = directory();
    let committer = open(directory.path());
    bencher.counter(ItemsCount::new(alerts)).with_inputs(|| changes(alerts)).bench_local_values(|changes| {
        wait_for(&committer, changes, true);
    });
}

/// From the submission of so many alerts until a kill cannot take them.
#[divan::bench(args = [1, 64, 1_024, 16_384], sample_count = 50)]
fn commit_and_write(bencher: Bencher, alerts: usize) {
    let directory = directory();
    let committer = open(directory.path());
    let prepare = || {
        // The sync of what came before is over.
        wait_for(&committer, Vec::new(), true);
        changes(alerts)
    };
    bencher.counter(ItemsCount::new(alerts)).with_inputs(prepare).bench_local_values(|changes| {
        wait_for(&committer, changes, false);
    });
}

/// A start with so many alerts saved.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10, sample_size = 1)]
fn start(bencher: Bencher, alerts: usize) {
    let directory = directory();
    wait_for(&open(directory.path()), changes(alerts), true);
    bencher.counter(ItemsCount::new(alerts)).bench_local(|| Store::open(directory.path()).expect("it opens"));
}

/// Journals full of so many alerts, each written again and again, become a database.
#[divan::bench(args = [1_000, 10_000, 50_000], sample_count = 5, sample_size = 1)]
fn fold(bencher: Bencher, alerts: usize) {
    let prepare = || {
        let directory = directory();
        let committer = open(directory.path());
        while committer.stats().bytes < FOLDED_BY_THEN {
            wait_for(&committer, changes(alerts), true);
        }
        (committer, directory)
    };
    bencher.counter(ItemsCount::new(alerts)).with_inputs(prepare).bench_local_refs(|(committer, _)| {
        while committer.stats().folds == 0 {
            wait_for(committer, changes(1), true);
        }
    });
}

/// An alert as bytes and back.
#[divan::bench]
fn encode_and_decode(bencher: Bencher) {
    let alert = alert(0);
    bencher.bench_local(|| decode::<Alert>(&encode(&alert).expect("it is short")).expect("they are its bytes"));
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

fn open(path: &Path) -> Committer {
    Committer::start(Store::open(path).expect("it opens").0)
}

/// Submits, and waits until the disk has the changes, or until the system has them.
fn wait_for(committer: &Committer, changes: Vec<Change>, synced: bool) {
    let (done, finished) = mpsc::channel();
    let written = done.clone();
    let then = Then {
        written: Box::new(move || tell(&written, !synced)),
        synced: Some(Box::new(move |outcome| {
            outcome.expect("the disk takes it");
            tell(&done, synced);
        })),
    };
    committer.submit_durable(changes, then);
    finished.recv().expect("it is told");
}

/// Who waited for the other moment has gone.
fn tell(waiting: &mpsc::Sender<()>, wanted: bool) {
    if wanted {
        let _ = waiting.send(());
    }
}

fn changes(alerts: usize) -> Vec<Change> {
    (0..alerts).map(|number| Change::PutAlert(Arc::new(alert(number)))).collect()
}

fn alert(number: usize) -> Alert {
    let labels = [
        ("alertname", format!("Alert{}", number % 50)),
        ("instance", format!("host{}.example.org:9100", number % 500)),
        ("job", "node".to_owned()),
        ("series", number.to_string()),
        ("severity", "warning".to_owned()),
    ];
    Alert {
        labels: Labels::from_iter(labels),
        annotations: Labels::from_iter([("summary", format!("Something is wrong with series {number}"))]),
        starts_at: Timestamp::from_secs(1_800_000_000),
        starts_offset: UtcOffset::default(),
        ends_at: Timestamp::from_secs(1_800_003_600),
        ends_offset: UtcOffset::default(),
        updated_at: Timestamp::from_secs(1_800_000_000),
        generator_url: "http://prometheus.example.org/graph".into(),
        timeout: false,
    }
}
