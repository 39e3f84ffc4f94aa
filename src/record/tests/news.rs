//! What may come from other nodes and from strangers: records of every kind, with values that no node has, and with bytes
//! that were changed. Reading them does not panic, and neither does an engine that takes what was read.

use std::time::Duration;

use proptest::sample::Index;
use watchbell_engine::digest::Horizon;
use watchbell_engine::effect::Input;
use watchbell_engine::peers::{Claim, ClaimState, Peer};
use watchbell_engine::policy::{GroupBy, Policy, Receiver, Route};
use watchbell_engine::replica::Record;
use watchbell_engine::sighting::Sighting;
use watchbell_engine::silence::edit::SilenceLimits;
use watchbell_engine::{Engine, Options};

use super::*;
use crate::record::news::{decode_news, encode_news};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn hashes() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::btree_set(any::<u64>(), 0..9).prop_map(Vec::from_iter)
}

fn claim() -> impl Strategy<Value = Record> {
    let state = prop_oneof![Just(ClaimState::Announced), Just(ClaimState::Sending), Just(ClaimState::Failed)];
    (entry(), 0..4_u64, state, time(), any::<u64>(), hashes()).prop_map(|(entry, node, state, stamp, lasts, alerts)| {
        let (node, lasts) = (NodeId(node), Duration::from_micros(lasts));
        Record::Claim(Claim { key: entry.key, node, state, stamp, lasts, alerts })
    })
}

fn sighting() -> impl Strategy<Value = Record> {
    (entry(), 0..4_u64, time(), hashes(), hashes()).prop_map(|(entry, node, asked, firing, owed)| {
        Record::Sighting(Sighting { key: entry.key, node: NodeId(node), asked, firing, owed })
    })
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        silence().prop_map(|silence| Record::Silence(Arc::new(silence))),
        entry().prop_map(|entry| Record::Nflog(Arc::new(entry))),
        alert().prop_map(|alert| Record::Ended(Arc::new(alert))),
        claim(),
        sighting(),
        text().prop_map(|expect| Record::Seen(Seen { expect: expect.into() })),
        (any::<u64>(), time()).prop_map(|(fingerprint, starts_at)| {
            Record::Raised(Raised { fingerprint: Fingerprint(fingerprint), starts_at })
        }),
    ]
}

/// One of three nodes.
pub(super) fn engine() -> Engine {
    let route = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: vec![],
        receiver: "r".into(),
        group_by: GroupBy::All,
        group_wait: Duration::ZERO,
        group_interval: DAY,
        repeat_interval: DAY,
        mute_time_intervals: vec![],
        active_time_intervals: vec![],
        continues: false,
        children: vec![],
        labels: Labels::default(),
    };
    let receivers = vec![Receiver { name: "r".into(), labels: Labels::default(), integrations: vec![] }];
    let (inhibit_rules, time_intervals, vigil) = (vec![], BTreeMap::new(), Default::default());
    let policy = Policy { routes: vec![route], inhibit_rules, time_intervals, receivers, resolve_timeout: DAY, vigil };
    let options = Options {
        node: NodeId(1),
        silences: SilenceLimits { retention: DAY * 5, ..SilenceLimits::default() },
        alert_gc_interval: DAY,
        per_alertname_limit: 0,
        peer_timeout: DAY,
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    };
    let mut engine = Engine::new(NOW, options, Arc::new(policy));
    let peer = |id: u64| Peer { id: NodeId(id), name: format!("n{id}").into() };
    engine.handle(NOW, Input::Peers((1..=3).map(peer).collect()));
    engine
}

proptest! {
    #[test]
    fn news_comes_back(record in record()) {
        prop_assert_eq!(decode_news(&encode_news(&record).unwrap()).unwrap(), record);
    }

    /// Bytes are changed behind the checksum, which is made anew, so that it keeps nothing away from the readers.
    #[test]
    fn news_that_was_touched_is_refused_or_news(
        record in record(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<Index>()),
    ) {
        let bytes = encode_news(&record).unwrap();
        let mut payload = bytes[6..].to_vec();
        changes.iter().for_each(|(at, value)| payload[at.index(bytes.len() - 6)] = *value);
        if let Some(cut) = cut {
            payload.truncate(cut.index(payload.len()));
        }
        for kind in Kind::ALL {
            if let Ok(read) = decode_news(&frame::seal(kind, bytes[1], &payload)) {
                prop_assert_eq!(decode_news(&encode_news(&read).unwrap()).unwrap(), read);
            }
        }
    }

    #[test]
    fn an_engine_takes_whatever_can_be_read(
        records in prop::collection::vec(record(), 0..9),
        horizon in any::<i64>(),
        later in any::<u32>(),
    ) {
        let mut engine = engine();
        let read = records.iter().map(|record| decode_news(&encode_news(record).unwrap()).unwrap()).collect();
        engine.handle(NOW, Input::News(read));
        let shards: Vec<u8> = (0..=u8::MAX).collect();
        for record in engine.records_of(&shards) {
            prop_assert!(decode_news(&encode_news(&record).unwrap()).is_ok());
        }
        engine.digest(Horizon(horizon));
        let mut now = NOW;
        for _ in 0..20 {
            let Some(due) = engine.next_deadline() else { break };
            now = now.max(due.min(NOW + Duration::from_secs(later.into())));
            engine.advance(now);
        }
    }
}
