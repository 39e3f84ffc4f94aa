use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use smol_str::SmolStr;
use watchbell_engine::alert::Alert;
use watchbell_engine::expect::Seen;
use watchbell_engine::group::SavedGroup;
use watchbell_engine::intent::Intent;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::members::KnownPeer;
use watchbell_engine::nflog::{Carried, NflogEntry, NflogKey, ReceiverDatum};
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::{NodeId, Version};
use watchbell_engine::vigil::Raised;

use super::*;

mod news;
mod wire;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z_]{1,12}", any::<String>(), ".{200,400}"]
}

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::vec((text(), text()), 0..6).prop_map(Labels::from_iter)
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::from_micros),
        Just(Timestamp::GO_ZERO),
        Just(Timestamp::MAX),
        Just(Timestamp::EPOCH),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    (time(), any::<u64>()).prop_map(|(stamp, node)| Version { stamp, node: NodeId(node) })
}

fn alert() -> impl Strategy<Value = Alert> {
    let zones = (any::<i16>(), any::<i16>());
    (labels(), labels(), time(), time(), time(), zones, text(), any::<bool>()).prop_map(
        |(labels, annotations, starts_at, ends_at, updated_at, (start, end), generator_url, timeout)| Alert {
            labels,
            annotations,
            starts_at,
            starts_offset: UtcOffset(start),
            ends_at,
            ends_offset: UtcOffset(end),
            updated_at,
            generator_url: generator_url.into(),
            timeout,
        },
    )
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let equality = (text(), prop_oneof![Just(MatchOp::Equal), Just(MatchOp::NotEqual)], text());
    let pattern = (text(), prop_oneof![Just(MatchOp::Regex), Just(MatchOp::NotRegex)], "[a-z]{0,9}(\\.\\*|\\|b\\+)?");
    prop_oneof![equality, pattern].prop_map(|(name, op, value)| Matcher::new(name, op, value).unwrap())
}

fn silence() -> impl Strategy<Value = Silence> {
    let sets = prop::collection::vec(prop::collection::vec(matcher(), 0..4), 0..3);
    (any::<u128>(), sets, time(), time(), (time(), time()), (text(), text()), labels(), version()).prop_map(
        |(id, matcher_sets, starts_at, ends_at, (updated_at, forget_at), (author, comment), annotations, version)| {
            Silence {
                id: SilenceId(id),
                matcher_sets,
                starts_at,
                ends_at,
                updated_at,
                forget_at,
                created_by: author.into(),
                comment: comment.into(),
                annotations,
                version,
            }
        },
    )
}

fn datum() -> impl Strategy<Value = ReceiverDatum> {
    prop_oneof![
        text().prop_map(|t| ReceiverDatum::Text(t.into())),
        any::<i64>().prop_map(ReceiverDatum::Integer),
        prop::num::f64::NORMAL.prop_map(ReceiverDatum::Float),
    ]
}

fn entry() -> impl Strategy<Value = NflogEntry> {
    let hashes = || prop::collection::btree_set(any::<u64>(), 0..20).prop_map(Vec::from_iter);
    let data = prop::collection::vec((text().prop_map(SmolStr::from), datum()), 0..4);
    let told = || (any::<u64>(), version()).prop_map(|(hash, told)| Carried { hash, told });
    let earlier = || prop::collection::btree_set(told(), 0..4);
    let before = (earlier(), earlier(), prop::collection::btree_map(any::<u64>(), time(), 0..4));
    ((text(), text(), text(), any::<u32>()), time(), hashes(), hashes(), data, time(), version(), before).prop_map(
        |(
            (group_key, receiver, integration, index),
            timestamp,
            firing,
            resolved,
            data,
            expires_at,
            version,
            before,
        )| {
            let (receiver, integration) = (receiver.into(), integration.into());
            NflogEntry {
                key: NflogKey { group_key: group_key.into(), receiver, integration, index },
                timestamp,
                firing,
                resolved,
                receiver_data: BTreeMap::from_iter(data),
                expires_at,
                version,
                carried: before.0.into_iter().collect(),
                ended: before.1.into_iter().collect(),
                past: before.2.into_iter().map(|(node, stamp)| Version { stamp, node: NodeId(node) }).collect(),
            }
        },
    )
}

fn intent() -> impl Strategy<Value = Intent> {
    (entry(), time()).prop_map(|(entry, forget_at)| Intent { key: entry.key, unsure: entry.firing, forget_at })
}

fn group() -> impl Strategy<Value = SavedGroup> {
    (text(), labels(), time()).prop_map(|(route, labels, next_flush)| SavedGroup {
        route_id: route.into(),
        labels,
        next_flush,
    })
}

fn peer() -> impl Strategy<Value = KnownPeer> {
    (text(), any::<u64>(), text()).prop_map(|(name, node, address)| KnownPeer {
        name: name.into(),
        node: NodeId(node),
        address: address.into(),
    })
}

/// Encodes, decodes, and hands every prefix and some damaged forms to the decoder too.
fn comes_back<R: Framed + PartialEq + std::fmt::Debug>(record: &R) -> Result<(), TestCaseError> {
    let bytes = encode(record).unwrap();
    prop_assert_eq!(&decode::<R>(&bytes).unwrap(), record);
    for end in 0..bytes.len() {
        prop_assert!(decode::<R>(&bytes[..end]).is_err());
    }
    let mut longer = bytes;
    longer.push(0);
    prop_assert!(decode::<R>(&longer).is_err());
    Ok(())
}

/// Hands `payload` to every reader inside a sound frame, so that no checksum stops it.
fn read_all(payload: &[u8]) {
    let _ = decode::<Alert>(&frame::seal(Kind::Alert, 1, payload));
    let _ = decode::<Silence>(&frame::seal(Kind::Silence, 1, payload));
    let _ = decode::<NflogEntry>(&frame::seal(Kind::Nflog, 1, payload));
    let _ = decode::<NflogEntry>(&frame::seal(Kind::Nflog, 2, payload));
    let _ = decode::<Intent>(&frame::seal(Kind::Intent, 1, payload));
    let _ = decode::<SavedGroup>(&frame::seal(Kind::Group, 1, payload));
    let _ = decode::<KnownPeer>(&frame::seal(Kind::Peer, 1, payload));
    let _ = decode::<Seen>(&frame::seal(Kind::Seen, 1, payload));
    let _ = decode::<Raised>(&frame::seal(Kind::Raised, 1, payload));
}

proptest! {
    #[test]
    fn alerts_come_back(alert in alert()) {
        comes_back(&alert)?;
    }

    #[test]
    fn silences_come_back(silence in silence()) {
        comes_back(&silence)?;
    }

    #[test]
    fn nflog_entries_come_back(entry in entry()) {
        comes_back(&entry)?;
    }

    #[test]
    fn groups_come_back(group in group()) {
        comes_back(&group)?;
    }

    #[test]
    fn peers_come_back(peer in peer()) {
        comes_back(&peer)?;
    }

    #[test]
    fn sightings_and_beginnings_come_back(expect in text(), fingerprint in any::<u64>(), starts_at in time()) {
        comes_back(&Seen { expect: expect.into() })?;
        comes_back(&Raised { fingerprint: Fingerprint(fingerprint), starts_at })?;
    }

    #[test]
    fn intents_come_back(intent in intent()) {
        comes_back(&intent)?;
    }

    #[test]
    fn different_keys_are_different_bytes(a in entry(), b in entry()) {
        prop_assert_eq!(a.key == b.key, nflog::key_bytes(&a.key) == nflog::key_bytes(&b.key));
    }
}

/// A small generator with a fixed seed (xorshift64), so that the same damage is done each time.
struct Damage(u64);

impl Damage {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn no_payload_makes_a_reader_panic() {
    let mut damage = Damage(0x5EED);
    let sound = [
        encode(&sample_alert()).unwrap(),
        encode(&sample_silence()).unwrap(),
        encode(&sample_entry()).unwrap(),
        encode(&sample_intent()).unwrap(),
        encode(&sample_group()).unwrap(),
        encode(&sample_peer()).unwrap(),
    ];
    for round in 0..40_000 {
        let mut payload = sound[round % sound.len()][6..].to_vec();
        for _ in 0..=damage.below(3) {
            let at = damage.below(payload.len());
            payload[at] = damage.below(256) as u8;
        }
        payload.truncate(payload.len() - damage.below(payload.len().min(4)));
        read_all(&payload);
    }
}

#[test]
fn a_pattern_that_does_not_compile_names_its_silence() {
    let mut bytes = encode(&sample_silence()).unwrap();
    let at = bytes.windows(4).position(|four| four == b"a.*b").unwrap();
    bytes[at] = b'(';
    let damaged = frame::seal(Kind::Silence, 1, &bytes[6..]);
    let error = decode::<Silence>(&damaged).unwrap_err();
    assert!(matches!(error, RecordError::Pattern { id: SilenceId(0x11), .. }), "{error}");
    assert!(error.to_string().starts_with("silence 00000000-0000-0000-0000-000000000011: error parsing regexp"));
}

#[test]
fn a_record_over_the_limit_is_refused_both_ways() {
    let mut alert = sample_alert();
    alert.generator_url = "x".repeat(MAX_RECORD).into();
    assert!(matches!(encode(&alert), Err(RecordError::TooLong(_))));
    assert!(matches!(decode::<Alert>(&vec![0; MAX_RECORD + 1]), Err(RecordError::TooLong(_))));
}

#[test]
fn stored_bytes_of_every_version_are_read() {
    let fixture = |name: &str| std::fs::read(format!("fixtures/record/{name}.bin")).unwrap();
    assert_eq!(decode::<Alert>(&fixture("alert-1")).unwrap(), sample_alert());
    assert_eq!(decode::<Silence>(&fixture("silence-1")).unwrap(), sample_silence());
    let version = sample_entry().version;
    let alone = NflogEntry { carried: vec![], ended: vec![], past: vec![version], ..sample_entry() };
    assert_eq!(decode::<NflogEntry>(&fixture("nflog-1")).unwrap(), alone);
    assert_eq!(decode::<NflogEntry>(&fixture("nflog-2")).unwrap(), sample_entry());
    assert_eq!(decode::<Intent>(&fixture("intent-1")).unwrap(), sample_intent());
    assert_eq!(decode::<SavedGroup>(&fixture("group-1")).unwrap(), sample_group());
    assert_eq!(decode::<KnownPeer>(&fixture("peer-1")).unwrap(), sample_peer());
}

#[test]
fn this_version_writes_the_stored_bytes() {
    let fixture = |name: &str| std::fs::read(format!("fixtures/record/{name}.bin")).unwrap();
    assert_eq!(encode(&sample_alert()).unwrap(), fixture("alert-1"));
    assert_eq!(encode(&sample_silence()).unwrap(), fixture("silence-1"));
    assert_eq!(encode(&sample_entry()).unwrap(), fixture("nflog-2"));
    assert_eq!(encode(&sample_intent()).unwrap(), fixture("intent-1"));
    assert_eq!(encode(&sample_group()).unwrap(), fixture("group-1"));
    assert_eq!(encode(&sample_peer()).unwrap(), fixture("peer-1"));
}

fn sample_alert() -> Alert {
    Alert {
        labels: Labels::from_iter([("alertname", "DiskFull"), ("größe", "groß")]),
        annotations: Labels::from_iter([("summary", "Disk is full"), ("empty", "")]),
        starts_at: Timestamp::from_micros(1_700_000_000_123_456),
        starts_offset: UtcOffset(120),
        ends_at: Timestamp::from_secs(1_700_000_300),
        ends_offset: UtcOffset(-570),
        updated_at: Timestamp::from_secs(1_700_000_001),
        generator_url: "http://prometheus:9090/graph".into(),
        timeout: true,
    }
}

fn sample_silence() -> Silence {
    let equal = Matcher::new("alertname", MatchOp::Equal, "DiskFull").unwrap();
    let pattern = Matcher::new("host", MatchOp::Regex, "a.*b").unwrap();
    let negative = Matcher::new("job", MatchOp::NotRegex, "x|y").unwrap();
    let other = Matcher::new("job", MatchOp::NotEqual, "z").unwrap();
    Silence {
        id: SilenceId(0x11),
        matcher_sets: vec![vec![equal, pattern], vec![negative, other]],
        starts_at: Timestamp::from_secs(1_700_000_000),
        ends_at: Timestamp::from_secs(1_700_003_600),
        updated_at: Timestamp::from_micros(1_699_999_999_999_999),
        forget_at: Timestamp::from_secs(1_700_435_600),
        created_by: Arc::from("ops"),
        comment: Arc::from("disk is being replaced"),
        annotations: Labels::from_iter([("ticket", "42")]),
        version: Version { stamp: Timestamp::from_micros(1_700_000_000_000_001), node: NodeId(7) },
    }
}

fn sample_entry() -> NflogEntry {
    let texts = [("thread", ReceiverDatum::Text("abc".into())), ("count", ReceiverDatum::Integer(-3))];
    let numbers = [("ratio", ReceiverDatum::Float(0.5))];
    let earlier = Version { stamp: Timestamp::from_secs(1_700_000_001), node: NodeId(7) };
    NflogEntry {
        key: NflogKey {
            group_key: Arc::from(r#"{}/{severity="page"}:{alertname="DiskFull"}"#),
            receiver: "team".into(),
            integration: "webhook".into(),
            index: 300,
        },
        timestamp: Timestamp::from_secs(1_700_000_030),
        firing: vec![1, u64::MAX],
        resolved: vec![2],
        receiver_data: texts.into_iter().chain(numbers).map(|(n, d)| (n.into(), d)).collect(),
        expires_at: Timestamp::from_secs(1_700_432_030),
        version: Version { stamp: Timestamp::from_secs(1_700_000_030), node: NodeId(u64::MAX) },
        carried: vec![Carried { hash: 3, told: earlier }],
        ended: vec![Carried { hash: 4, told: earlier }],
        past: vec![earlier, Version { stamp: Timestamp::from_secs(1_700_000_030), node: NodeId(u64::MAX) }],
    }
}

fn sample_intent() -> Intent {
    let NflogEntry { key, firing, expires_at, .. } = sample_entry();
    Intent { key, unsure: firing, forget_at: expires_at }
}

fn sample_peer() -> KnownPeer {
    KnownPeer { name: "mon2".into(), node: NodeId(u64::MAX - 1), address: "[2001:db8::1]:9094".into() }
}

fn sample_group() -> SavedGroup {
    SavedGroup {
        route_id: Arc::from("{}/0"),
        labels: Labels::from_iter([("alertname", "DiskFull")]),
        next_flush: Timestamp::from_secs(1_700_000_060),
    }
}
