//! What our nodes say passes; nothing else does, and nothing makes chitchat panic.

use std::collections::HashSet;

use chitchat::transport::{ChannelTransport, Transport};
use chitchat::{ChitchatConfig, FailureDetectorConfig, Serializable, spawn_chitchat};

use super::*;

const ROUND: Duration = Duration::from_millis(20);

fn id(node: u64, port: u16) -> ChitchatId {
    ChitchatId::new(chitchat_name(NodeId(node), "a node"), 7, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn config(id: ChitchatId, seed: &str) -> ChitchatConfig {
    ChitchatConfig {
        cluster_id: "label".into(),
        gossip_interval: ROUND,
        listen_addr: id.gossip_advertise_addr,
        seed_nodes: vec![seed.into()],
        failure_detector_config: FailureDetectorConfig::default(),
        marked_for_deletion_grace_period: GONE_AFTER,
        catchup_callback: None,
        extra_liveness_predicate: None,
        chitchat_id: id,
    }
}

/// The bytes of some messages that a real chitchat without keys sends to `1`, one of each kind.
async fn real_messages() -> Vec<Vec<u8>> {
    let transport = ChannelTransport::with_mtu(65_507);
    let mut one = transport.open(SocketAddr::from(([127, 0, 0, 1], 1))).await.unwrap();
    let _two = spawn_chitchat(config(id(2, 2), "127.0.0.1:1"), Vec::new(), &transport).await.unwrap();
    let (two, syn) = one.recv().await.unwrap();
    let mut messages = vec![syn.serialize_to_vec()];
    one.send(two, syn).await.unwrap();
    while messages.len() < 2 {
        let (_, message) = one.recv().await.unwrap();
        let bytes = message.serialize_to_vec();
        if matches!(message, ChitchatMessage::SynAck { .. }) {
            messages.push(bytes);
            one.send(two, message).await.unwrap();
        }
    }
    while messages.len() < 3 {
        let (_, message) = one.recv().await.unwrap();
        if matches!(message, ChitchatMessage::Ack { .. }) {
            messages.push(message.serialize_to_vec());
        }
    }
    messages
}

#[tokio::test]
async fn what_a_node_without_keys_says_passes_unchanged() {
    for bytes in real_messages().await {
        let admitted = Screen::default().admit(&bytes, Instant::now()).unwrap();
        assert_eq!(admitted.serialize_to_vec(), bytes);
    }
}

/// Each way in which one byte can differ, and each cut: what passes must be harmless for a real chitchat.
#[tokio::test]
async fn what_passes_does_not_end_chitchat() {
    let transport = ChannelTransport::with_mtu(65_507);
    let mut stranger = transport.open(SocketAddr::from(([127, 0, 0, 1], 3))).await.unwrap();
    let victim = spawn_chitchat(config(id(9, 9), "127.0.0.1:3"), Vec::new(), &transport).await.unwrap();
    let (to, mut passed) = (SocketAddr::from(([127, 0, 0, 1], 9)), HashSet::new());
    for bytes in real_messages().await {
        for at in 0..bytes.len() {
            assert!(Screen::default().admit(&bytes[..at], Instant::now()).is_err(), "cut after {at} bytes");
            for value in 0..=u8::MAX {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                if let Ok(message) = Screen::default().admit(&bytes, Instant::now())
                    && passed.insert((message.serialize_to_vec().len(), at, value % 16))
                {
                    stranger.send(to, message).await.unwrap();
                }
            }
        }
    }
    assert!(passed.len() > 100, "{}", passed.len());
    tokio::time::sleep(ROUND * 5).await;
    let ended = tokio::time::timeout(ROUND, victim.termination_watcher()).await;
    assert!(ended.is_err(), "{ended:?}");
}

#[tokio::test]
async fn keys_do_not_pass() {
    let transport = ChannelTransport::with_mtu(65_507);
    let mut one = transport.open(SocketAddr::from(([127, 0, 0, 1], 1))).await.unwrap();
    let keys = vec![("k".to_owned(), "v".to_owned())];
    let _two = spawn_chitchat(config(id(2, 2), "127.0.0.1:1"), keys, &transport).await.unwrap();
    let (_, syn) = one.recv().await.unwrap();
    assert_eq!(Screen::default().admit(&syn.serialize_to_vec(), Instant::now()).err(), Some(Refusal::Malformed));
}

#[test]
fn nodes_beyond_the_limit_are_not_remembered() {
    let (mut screen, start) = (Screen::default(), Instant::now());
    let syn = |first: u64, count: u64| {
        let mut bytes = [&OPENING[..], &[SYN]].concat();
        u16::try_from(count).unwrap().serialize(&mut bytes);
        for node in first..first + count {
            id(node, 9).serialize(&mut bytes);
            [7_u64, 0, 0].iter().for_each(|number| number.serialize(&mut bytes));
        }
        "label".serialize(&mut bytes);
        bytes
    };
    let limit = MAX_LIVES as u64;
    assert!(screen.admit(&syn(0, limit), start).is_ok());
    assert_eq!(screen.admit(&syn(limit, 1), start).err(), Some(Refusal::TooMany));
    assert_eq!(screen.admit(&syn(0, limit + 1), start).err(), Some(Refusal::Malformed));
    assert!(screen.0.len() <= MAX_LIVES);
    assert!(screen.admit(&syn(limit, 1), start + GONE_AFTER).is_ok(), "those of then are forgotten");
}

#[test]
fn names_come_back() {
    let both = (NodeId(0xAB), SmolStr::new("harbour east"));
    assert_eq!(node_and_name(&chitchat_name(both.0, &both.1)), Some(both));
    for bad in [
        "",
        "00000000000000ab",
        "00000000000000ab ",
        "00000000000000AB x",
        "+0000000000000ab x",
        "x",
        "äöüäöüäöüäöüä x",
    ] {
        assert_eq!(node_and_name(bad), None, "{bad:?}");
    }
}
