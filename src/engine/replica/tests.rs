//! Whatever the order in which records arrive, and however often, all nodes come to hold the same, and see that they do.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Options;
use crate::label::Labels;
use crate::matcher::{MatchOp, Matcher};
use crate::nflog::{Carried, NflogKey};
use crate::peers::ClaimState;
use crate::policy::{GroupBy, Policy, Receiver, Route, Vigil};
use crate::silence::SilenceId;
use crate::silence::edit::SilenceLimits;
use crate::version::NodeId;

const DAY: Duration = Duration::from_secs(24 * 3600);
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn engine(node: u64) -> Engine {
    let route = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: vec![],
        receiver: "r".into(),
        group_by: GroupBy::All,
        group_wait: DAY,
        group_interval: DAY,
        repeat_interval: DAY,
        mute_time_intervals: vec![],
        active_time_intervals: vec![],
        continues: false,
        children: vec![],
        labels: Labels::default(),
    };
    let receivers = vec![Receiver { name: "r".into(), labels: Labels::default(), integrations: vec![] }];
    let time_intervals = BTreeMap::new();
    let policy = Policy {
        routes: vec![route],
        inhibit_rules: vec![],
        time_intervals,
        receivers,
        resolve_timeout: DAY,
        vigil: Vigil::default(),
    };
    let options = Options {
        node: NodeId(node),
        silences: SilenceLimits { retention: DAY * 5, ..SilenceLimits::default() },
        alert_gc_interval: DAY,
        per_alertname_limit: 0,
        peer_timeout: DAY,
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    };
    Engine::new(NOW, options, Arc::new(policy))
}

fn version(stamp: i64, node: u64) -> Version {
    Version { stamp: NOW + Duration::from_secs(stamp.unsigned_abs()), node: NodeId(node) }
}

fn silence(id: u128, version: Version, kept: Duration, comment: &str) -> Record {
    Record::Silence(Arc::new(Silence {
        id: SilenceId(id),
        matcher_sets: vec![vec![Matcher::new("a", MatchOp::Equal, "1").unwrap()]],
        starts_at: NOW,
        ends_at: NOW + kept,
        updated_at: NOW,
        forget_at: NOW + kept,
        created_by: "me".into(),
        comment: comment.into(),
        annotations: Labels::default(),
        version,
    }))
}

fn key(group: &str) -> NflogKey {
    NflogKey { group_key: group.into(), receiver: "r".into(), integration: "webhook".into(), index: 0 }
}

fn entry(group: &str, version: Version, kept: Duration, firing: Vec<u64>) -> Record {
    Record::Nflog(Arc::new(NflogEntry {
        key: key(group),
        timestamp: NOW,
        firing,
        resolved: vec![],
        receiver_data: BTreeMap::new(),
        expires_at: NOW + kept,
        version,
        carried: vec![],
        ended: vec![],
        past: vec![version],
    }))
}

/// Few keys, versions and contents, so that they meet. Of a silence there may be several states of one version.
fn record() -> impl Strategy<Value = Record> {
    let kept = prop_oneof![Just(DAY), Just(DAY * 2), Just(Duration::from_secs(60))];
    (any::<bool>(), 0..4_u8, (0..3_i64, 0..3_u64), kept, 0..3_u64).prop_map(
        |(is_silence, key, (stamp, node), kept, content)| match is_silence {
            true => silence(key.into(), version(stamp, node), kept, &content.to_string()),
            false => {
                let kept = if stamp == 0 { Duration::from_secs(60) } else { DAY };
                entry(&key.to_string(), version(stamp, node), kept, vec![content_of(stamp, node)])
            }
        },
    )
}

fn content_of(stamp: i64, node: u64) -> u64 {
    (stamp.unsigned_abs() * 3 + node) % 4
}

fn merge(engine: &mut Engine, records: &[Record]) {
    records.iter().for_each(|record| engine.merge(NOW, record.clone(), &mut Effects::default()));
}

fn all(engine: &Engine) -> Vec<Record> {
    engine.records_of(&(0..=u8::MAX).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn in_any_order_and_any_number_of_times_the_same_stays(records in vec(record(), 0..30), seed in any::<u64>()) {
        let (mut one, mut other) = (engine(1), engine(2));
        merge(&mut one, &records);
        let mut shuffled = [&records[..], &records[..records.len() / 2]].concat();
        shuffled.sort_by_cached_key(|record| xxhash_rust::xxh64::xxh64(format!("{record:?}").as_bytes(), seed));
        merge(&mut other, &shuffled);
        prop_assert_eq!(all(&one), all(&other));
        let horizon = Horizon::at(NOW);
        prop_assert_eq!(one.digest(horizon), other.digest(horizon));
    }

    #[test]
    fn what_differs_lies_in_the_shards_that_differ(some in vec(record(), 0..9), others in vec(record(), 0..9)) {
        let (mut one, mut other) = (engine(1), engine(2));
        merge(&mut one, &some);
        merge(&mut other, &others);
        let shards = one.digest(Horizon::at(NOW)).differing(&other.digest(Horizon::at(NOW)));
        let (theirs, mine) = (other.records_of(&shards), one.records_of(&shards));
        merge(&mut one, &theirs);
        merge(&mut other, &mine);
        prop_assert_eq!(one.digest(Horizon::at(NOW)), other.digest(Horizon::at(NOW)));
    }

    #[test]
    fn the_sums_are_those_of_what_is_held(records in vec(record(), 0..30), minutes in 0..200_u64) {
        let (mut engine, mut fresh) = (engine(1), engine(1));
        merge(&mut engine, &records);
        let later = NOW + Duration::from_secs(minutes * 60);
        while engine.next_deadline().is_some_and(|due| due <= later) {
            engine.advance(later);
        }
        merge(&mut fresh, &all(&engine));
        for horizon in [Horizon::at(NOW), Horizon::at(later), Horizon(i64::MIN)] {
            prop_assert_eq!(engine.digest(horizon), fresh.digest(horizon));
        }
    }
}

#[test]
fn a_node_that_has_forgotten_already_agrees_with_one_that_has_not() {
    let (mut ahead, mut behind) = (engine(1), engine(2));
    for engine in [&mut ahead, &mut behind] {
        merge(engine, &[entry("a", version(0, 1), Duration::from_secs(600), vec![1])]);
    }
    ahead.advance(NOW + Duration::from_secs(601));
    assert_eq!((all(&ahead).len(), all(&behind).len()), (0, 1));
    let horizon = Horizon::at(NOW);
    assert_eq!(ahead.digest(horizon), behind.digest(horizon));
    assert_eq!((behind.digest(horizon).count(), behind.digest(Horizon(0)).count()), (0, 1));
}

#[test]
fn any_difference_in_content_is_a_difference_of_digests() {
    let sum = |record: Record| {
        let mut engine = engine(1);
        merge(&mut engine, &[record]);
        engine.digest(Horizon::at(NOW)).sum()
    };
    let records = [
        silence(1, version(0, 1), DAY, "a"),
        silence(1, version(0, 1), DAY, "b"),
        silence(1, version(0, 2), DAY, "a"),
        silence(1, version(0, 1), DAY * 2, "a"),
        entry("a", version(0, 1), DAY, vec![1]),
        entry("a", version(0, 1), DAY, vec![]),
        entry("b", version(0, 1), DAY, vec![1]),
    ];
    let sums: std::collections::BTreeSet<u64> = records.into_iter().map(sum).collect();
    assert_eq!(sums.len(), 7);
}

/// Nodes of different versions must give the same digest: the number may only change with the protocol.
#[test]
fn the_sum_of_known_records_is_known() {
    let mut engine = engine(1);
    merge(&mut engine, &[silence(7, version(1, 2), DAY, "why"), entry("{}:{}", version(1, 2), DAY, vec![1, 2])]);
    assert_eq!(engine.digest(Horizon::at(NOW)).sum(), 4_160_358_585_099_048_285);
}

#[test]
fn an_end_that_was_told_apart_is_in_doubt_also_if_other_things_were_told_since() {
    let ours = entry("a", version(2, 1), DAY, vec![1]);
    let Record::Nflog(theirs) = entry("a", version(3, 2), DAY, vec![2]) else { unreachable!("an entry is made") };
    let ended = |told: Version| vec![Carried { hash: 1, told }];
    for (ended, unsure) in [(vec![], vec![]), (ended(version(1, 2)), vec![1]), (ended(version(1, 1)), vec![])] {
        let mut engine = engine(1);
        let theirs = Record::Nflog(Arc::new(NflogEntry { ended, ..NflogEntry::clone(&theirs) }));
        merge(&mut engine, &[ours.clone(), theirs.clone()]);
        assert_eq!(engine.unsure(&key("a")), unsure, "{theirs:?}");
    }
}

#[test]
fn a_claim_is_later_than_what_its_node_logged_also_if_its_clock_is_behind() {
    let (mut engine, mut effects) = (engine(1), Effects::default());
    let logged = version(500, 1);
    merge(&mut engine, &[entry("a", logged, DAY, vec![1])]);
    engine.claim(NOW, &key("a"), ClaimState::Failed, DAY, &mut effects);
    let claimed = effects.publish.iter().find_map(|record| match record {
        Record::Claim(claim) => Some(claim.stamp),
        _ => None,
    });
    assert!(claimed > Some(logged.stamp), "{claimed:?}");
}

/// A disk that was set back may lead to it.
#[test]
fn of_two_states_of_one_entry_all_keep_the_same() {
    let states = [vec![1], vec![2]].map(|firing| entry("a", version(0, 1), DAY, firing));
    let (mut one, mut other) = (engine(1), engine(2));
    merge(&mut one, &states);
    merge(&mut other, &[states[1].clone(), states[0].clone()]);
    assert_eq!((all(&one), all(&one).len()), (all(&other), 1));
}

#[test]
fn a_record_from_a_clock_far_ahead_is_refused() {
    let mut engine = engine(1);
    let mut effects = Effects::default();
    let far = Version { stamp: Timestamp::MAX, node: NodeId(2) };
    engine.merge(NOW, entry("a", far, DAY, vec![1]), &mut effects);
    engine.merge(NOW, silence(1, far, DAY, ""), &mut effects);
    assert_eq!((all(&engine).len(), effects.notes), (0, vec![Note::ClockAhead(far); 2]));
    engine.merge(NOW, entry("a", version(3600, 2), DAY, vec![1]), &mut Effects::default());
    assert_eq!(all(&engine).len(), 1);
}
