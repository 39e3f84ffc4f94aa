//! chitchat, which tells who lives; its types end in this room. Its messages travel as frames among others, and what
//! arrives passes the [screen](super::screen) first.
//!
//! It is version 0.11.2, the last whose messages can be turned into bytes and back from outside, which is what makes a
//! transport of our own plain code. Later versions would have to be fed through their own UDP socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chitchat::transport::{Socket, Transport};
use chitchat::{
    Chitchat, ChitchatConfig, ChitchatHandle, ChitchatId, ChitchatMessage, FailureDetectorConfig, Serializable,
    spawn_chitchat,
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

use super::Shared;
use super::frame::Frame;
use super::links::Parcel;
use super::members::Life;
use super::screen::{GONE_AFTER, Refusal, Screen, chitchat_name, node_and_name};
use crate::telemetry::MessageType;

/// Messages that may wait for chitchat; each is answered or out of date within a moment.
pub(super) const MAX_MESSAGES: usize = 256;

/// How many times the usual time between two heartbeats a node may be silent: with gossip every 200 ms some three to five
/// seconds, however many nodes there are. Less would take a lossy line or a busy machine for a death.
const SILENCE: Duration = Duration::from_secs(5);

/// Heartbeats over which the usual time is taken.
const SAMPLES: usize = 200;

/// A message and the address to which an answer goes.
pub(super) type Received = (SocketAddr, Vec<u8>);

/// Where messages for chitchat arrive. One chitchat at a time takes them.
pub(super) type Inbox = Arc<Mutex<mpsc::Receiver<Received>>>;

/// Starts chitchat in this node's life `number`.
pub(super) async fn start(shared: &Arc<Shared>, inbox: &Inbox, number: u64) -> anyhow::Result<ChitchatHandle> {
    let carriage = Carriage { shared: Arc::clone(shared), inbox: Arc::clone(inbox) };
    spawn_chitchat(config(shared, number), Vec::new(), &carriage).await
}

pub(super) fn config(shared: &Shared, number: u64) -> ChitchatConfig {
    let me = &shared.me;
    let interval = shared.options.gossip_interval;
    ChitchatConfig {
        chitchat_id: ChitchatId::new(chitchat_name(me.node, &me.name), number, me.address),
        cluster_id: me.label.to_string(),
        gossip_interval: interval,
        listen_addr: me.address,
        seed_nodes: Vec::new(),
        failure_detector_config: FailureDetectorConfig {
            phi_threshold: (SILENCE.as_secs_f64() / interval.as_secs_f64()).clamp(8.0, 100.0),
            sampling_window_size: SAMPLES,
            max_interval: Duration::from_secs(10),
            initial_interval: interval,
            dead_node_grace_period: GONE_AFTER,
        },
        marked_for_deletion_grace_period: GONE_AFTER,
        catchup_callback: None,
        extra_liveness_predicate: None,
    }
}

/// The lives that chitchat takes for alive, this node's among them.
pub(super) fn alive(chitchat: &Chitchat) -> Vec<Life> {
    let life = |id: &ChitchatId| {
        let (node, name) = node_and_name(&id.node_id)?;
        Some(Life { node, name, address: id.gossip_advertise_addr, number: id.generation_id })
    };
    chitchat.live_nodes().filter_map(life).collect()
}

/// Our transport.
pub(super) struct Carriage {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Inbox,
}

#[async_trait]
impl Transport for Carriage {
    async fn open(&self, _listen_addr: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let inbox = Arc::clone(&self.inbox).lock_owned().await;
        Ok(Box::new(Wire { shared: Arc::clone(&self.shared), inbox, screen: Screen::default() }))
    }
}

struct Wire {
    shared: Arc<Shared>,
    inbox: OwnedMutexGuard<mpsc::Receiver<Received>>,
    screen: Screen,
}

#[async_trait]
impl Socket for Wire {
    async fn send(&mut self, to: SocketAddr, message: ChitchatMessage) -> anyhow::Result<()> {
        if self.is_needless(to, &message) {
            return Ok(());
        }
        let frame = Frame::Gossip(message.serialize_to_vec());
        self.shared.links.send(&self.shared, to, Parcel::new(MessageType::Gossip, &frame));
        Ok(())
    }

    async fn recv(&mut self) -> anyhow::Result<(SocketAddr, ChitchatMessage)> {
        loop {
            let received = self.inbox.recv().await;
            let (from, bytes) = received.ok_or_else(|| anyhow::anyhow!("the room is closed"))?;
            match self.screen.admit(&bytes, Instant::now()) {
                Ok(message) => return Ok((from, message)),
                Err(Refusal::Malformed) => self.shared.metrics.cluster.refused("malformed_gossip"),
                Err(Refusal::TooMany) => self.shared.metrics.cluster.refused("too_many_nodes"),
            }
        }
    }
}

impl Wire {
    /// Whether nobody misses it: the third part of chitchat's exchange carries keys, and there are none; the second tells
    /// a living node what the next round of this one tells it, or another node, anyway.
    fn is_needless(&self, to: SocketAddr, message: &ChitchatMessage) -> bool {
        match message {
            ChitchatMessage::Ack { .. } => true,
            ChitchatMessage::SynAck { .. } => self.shared.members().lives_at(to),
            _ => false,
        }
    }
}
