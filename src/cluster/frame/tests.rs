//! Frames come back as they were, and nothing that looks like one makes the reader panic or grow.

use proptest::prelude::*;

use super::*;

fn hello() -> impl Strategy<Value = Frame> {
    let address =
        prop_oneof![any::<[u8; 4]>().prop_map(Into::into), any::<[u16; 8]>().prop_map(std::net::IpAddr::from)];
    let names = ("\\PC{0,60}", "[ -~]{0,255}");
    (any::<u64>(), any::<u64>(), (address, any::<u16>()), names, prop::option::of(any::<u64>())).prop_map(
        |(node, life, address, (name, label), expects)| {
            let (node, expects) = (NodeId(node), expects.map(NodeId));
            let (name, label) = (name.chars().take(60).collect(), label.into());
            Frame::Hello(Hello { node, life, address: address.into(), name, label, expects })
        },
    )
}

fn digest() -> impl Strategy<Value = Frame> {
    let shard = (any::<u64>(), any::<u32>()).prop_map(|(hash, count)| Shard { hash, count });
    let shards = prop::collection::vec(shard, SHARDS);
    (any::<i64>(), shards, any::<bool>(), any::<u64>()).prop_map(|(horizon, shards, asks, number)| {
        let round = if asks { Round::Asks(number) } else { Round::Answers(number) };
        Frame::Digest(Digest { horizon: Horizon(horizon), shards }, round)
    })
}

fn news() -> impl Strategy<Value = Frame> {
    let part = prop_oneof![Just(Part::Push), Just(Part::Answer), Just(Part::End)];
    let records = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5);
    (part, records).prop_map(|(part, records)| Frame::News(part, records))
}

fn frame() -> impl Strategy<Value = Frame> {
    let wanted = prop::collection::btree_set(any::<u8>(), 0..256);
    prop_oneof![
        hello(),
        digest(),
        news(),
        wanted.prop_map(|shards| Frame::Wanted(shards.into_iter().collect())),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Frame::Gossip),
        Just(Frame::Leave),
    ]
}

proptest! {
    #[test]
    fn frames_come_back(frame in frame()) {
        prop_assert_eq!(Frame::decode(&frame.encode()).unwrap(), frame);
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Frame::decode(&bytes);
    }

    /// Frames in which bytes were changed are refused, or are other frames that can be said.
    #[test]
    fn touched_frames_are_refused_or_frames(
        frame in frame(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = frame.encode();
        let length = bytes.len();
        changes.iter().for_each(|(at, value)| bytes[at.index(length)] = *value);
        if let Ok(read) = Frame::decode(&bytes)
            && read != Frame::Unknown
        {
            prop_assert_eq!(Frame::decode(&read.encode()).unwrap(), read);
        }
    }

    /// A frame that is cut is refused, or is another frame that says less; one that is longer is refused.
    #[test]
    fn cut_frames_do_not_confuse(frame in frame(), cut in any::<prop::sample::Index>()) {
        let bytes = frame.encode();
        let cut = Frame::decode(&bytes[..cut.index(bytes.len())]);
        prop_assert!(cut.is_err() || cut.unwrap() != frame);
        if !matches!(frame, Frame::Gossip(_) | Frame::Wanted(_)) {
            prop_assert!(Frame::decode(&[bytes, vec![255]].concat()).is_err());
        }
    }
}

#[test]
fn a_frame_of_a_later_version_is_passed_over() {
    assert_eq!(Frame::decode(b"zsomething new"), Ok(Frame::Unknown));
    assert_eq!(Frame::decode(b""), Err(RecordError::Truncated));
}

#[test]
fn a_name_may_have_255_bytes() {
    let hello = |length| {
        let (name, address) = ("n".repeat(length).into(), SocketAddr::from(([127, 0, 0, 1], 9)));
        let hello = Hello { node: NodeId(1), life: 1, address, name, label: "".into(), expects: None };
        Frame::decode(&Frame::Hello(hello).encode())
    };
    assert!(hello(MAX_NAME).is_ok());
    assert_eq!(hello(MAX_NAME + 1), Err(RecordError::Malformed("length of a name")));
}

#[test]
fn a_huge_count_of_records_costs_no_memory() {
    let mut bytes = vec![NEWS, 0];
    bytes.extend([0xFF; 9]);
    bytes.push(1);
    assert!(Frame::decode(&bytes).is_err());
}

/// Each kind of frame as the first version says it; nodes of different versions live together while one is upgraded after
/// the other.
#[test]
fn frames_of_the_first_version_are_read_and_written() {
    let address = "[2001:db8::1]:9094".parse().unwrap();
    let hello = |expects| {
        let (node, name, label) = (NodeId(u64::MAX - 1), "mon2".into(), "prod".into());
        Frame::Hello(Hello { node, life: 300, address, name, label, expects })
    };
    let shards = (0..SHARDS as u64).map(|number| Shard { hash: number << 50, count: number as u32 * 70_000 });
    let digest = Digest { horizon: Horizon(-2), shards: shards.collect() };
    let news = |part| Frame::News(part, vec![b"first".to_vec(), vec![0xff; 300], vec![]]);
    for (name, frame) in [
        ("hello-1", hello(None)),
        ("hello-expecting-1", hello(Some(NodeId(7)))),
        ("gossip-1", Frame::Gossip(b"what chitchat says".to_vec())),
        ("news-push-1", news(Part::Push)),
        ("news-answer-1", news(Part::Answer)),
        ("news-end-1", news(Part::End)),
        ("digest-asks-1", Frame::Digest(digest.clone(), Round::Asks(u64::MAX))),
        ("digest-answers-1", Frame::Digest(digest, Round::Answers(1))),
        ("wanted-1", Frame::Wanted(vec![0, 7, u8::MAX])),
        ("leave-1", Frame::Leave),
    ] {
        let bytes = std::fs::read(format!("fixtures/frame/{name}.bin")).unwrap();
        assert_eq!(Frame::decode(&bytes).unwrap(), frame, "{name}");
        assert_eq!(frame.encode(), bytes, "{name}");
    }
}
