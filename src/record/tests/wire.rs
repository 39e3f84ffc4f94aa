//! What nodes of different versions tell each other while one is upgraded after the other: the bytes of each kind of news,
//! and the sums by which they see that they hold the same.

use std::time::Duration;

use watchbell_engine::effect::Input;
use watchbell_engine::peers::{Claim, ClaimState};
use watchbell_engine::replica::Record;
use watchbell_engine::sighting::Sighting;

use super::news::engine;
use super::*;
use crate::record::news::{decode_news, encode_news};

/// [`Digest::sum`](watchbell_engine::digest::Digest::sum) over the samples.
const SUM: u64 = 11_631_425_727_494_766_800;

/// Each kind that is published and never stored, in the newest version.
fn samples() -> [(&'static str, Record); 6] {
    let NflogEntry { key, firing, resolved, version, .. } = sample_entry();
    let (node, stamp, lasts) = (version.node, version.stamp, Duration::from_millis(300_001));
    let (expect, fingerprint) = ("prometheus-größe".into(), Fingerprint(0x0123_4567_89ab_cdef));
    let claim = |state| Record::Claim(Claim { key: key.clone(), node, state, stamp, lasts, alerts: firing.clone() });
    [
        ("claim-announced-1", claim(ClaimState::Announced)),
        ("claim-sending-1", claim(ClaimState::Sending)),
        ("claim-failed-1", claim(ClaimState::Failed)),
        (
            "sighting-1",
            Record::Sighting(Sighting { key: key.clone(), node, asked: stamp, firing: firing.clone(), owed: resolved }),
        ),
        ("seen-1", Record::Seen(Seen { expect })),
        ("raised-1", Record::Raised(Raised { fingerprint, starts_at: stamp })),
    ]
}

#[test]
fn news_of_every_version_is_read_and_this_one_writes_it() {
    for (name, record) in samples() {
        let bytes = std::fs::read(format!("fixtures/record/{name}.bin")).unwrap();
        assert_eq!(decode_news(&bytes).unwrap(), record, "{name}");
        assert_eq!(encode_news(&record).unwrap(), bytes, "{name}");
    }
}

/// Nodes that compute them in different ways would fetch everything from each other again and again.
#[test]
fn equal_records_have_the_sums_that_they_always_had() {
    let mut engine = engine();
    let silence = Arc::new(Silence { forget_at: Timestamp::MAX, ..sample_silence() });
    let entry = Arc::new(NflogEntry { expires_at: Timestamp::MAX, ..sample_entry() });
    engine.handle(super::news::NOW, Input::News(vec![Record::Silence(silence), Record::Nflog(entry)]));
    let digest = engine.digest(watchbell_engine::digest::Horizon::at(super::news::NOW));
    assert_eq!((digest.count(), digest.sum()), (2, SUM));
}
