//! The metrics of the cluster. They are on the page only where there is one, as with Alertmanager.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::metrics::{Labelled, Registrar, labels};
use super::peers::{PeerMetrics, TransportMetrics};

/// The cluster as this node sees it.
#[derive(Debug)]
pub struct ClusterMetrics {
    /// Living nodes, this one among them.
    pub members: Gauge,
    /// How many living nodes come before this one.
    pub position: Gauge,
    /// Nodes that were here, or are expected by `--cluster.peer`, and do not answer.
    pub failed_peers: Gauge,
    /// Nodes that came.
    pub joined: Counter,
    /// Nodes that went, in order or not.
    pub left: Counter,
    /// Nodes that came back in another life before they were missed.
    pub updated: Counter,
    /// Lost nodes that were reached again.
    pub reconnections: Counter,
    /// Attempts to reach a lost node that failed.
    pub reconnections_failed: Counter,
    /// Addresses of `--cluster.peer` that were tried because no living node has them.
    pub refresh_joins: Counter,
    /// Names of `--cluster.peer` that could not be resolved.
    pub refresh_joins_failed: Counter,
    /// Nodes seen under a name that another node has.
    pub name_conflicts: Counter,
    /// Frames that wait for their connection.
    pub queued: Gauge,
    /// The bytes of these.
    pub queued_bytes: Gauge,
    /// Frames dropped because too much waited.
    pub dropped: Counter,
    /// Whether the state of the others is known here, or was waited for long enough.
    pub settled: Gauge,
    /// Whether anybody who reaches the port can take part.
    pub open: Gauge,
    /// Connections that nodes have opened to this one.
    pub inbound: Gauge,
    /// Connections to nodes.
    pub outbound: Gauge,
    /// Living nodes that held the same as this one when last compared.
    pub agreeing: Gauge,
    /// Records that could not be read, of a later version for example.
    pub undecodable: Counter,
    /// Records asked for and received since digests differed.
    pub repaired: Counter,
    /// How often a sender of news was made to wait.
    pub throttled: Counter,
    /// How often membership was started anew after it had failed.
    pub restarts: Counter,
    compared: Family<Labelled, Counter>,
    refused: Family<Labelled, Counter>,
    received: Traffic,
    sent: Traffic,
    peer_info: Family<Labelled, Gauge>,
    peers: PeerMetrics,
    /// The connections between nodes.
    pub transport: TransportMetrics,
    pub(super) registry: Registry,
}

/// Frames and bytes in one direction, by `msg_type`.
#[derive(Debug)]
struct Traffic {
    frames: Family<Labelled, Counter>,
    bytes: Family<Labelled, Counter>,
}

/// What a frame is counted as: Alertmanager's two kinds, and what it sends as packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// Digests, and records that were asked for.
    FullState,
    /// Records that have just changed.
    Update,
    /// Who lives.
    Gossip,
}

impl MessageType {
    fn as_str(self) -> &'static str {
        match self {
            Self::FullState => "full_state",
            Self::Update => "update",
            Self::Gossip => "gossip",
        }
    }
}

impl ClusterMetrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let r = &mut Registrar(&mut registry);
        let theirs = |rest: &str| format!("alertmanager_cluster_{rest}");
        let ours = |rest: &str| format!("watchbell_cluster_{rest}");
        let health = Gauge::<i64>::default();
        r.register(&theirs("health_score"), "Always 0: others hear this node in time, or take it for dead", &health);
        let metrics = Self {
            members: r.gauge(&theirs("members"), "Living nodes, this one among them"),
            position: r.gauge("alertmanager_peer_position", "Living nodes before this one in the order of turns"),
            failed_peers: r.gauge(&theirs("failed_peers"), "Nodes that were here or are expected, and do not answer"),
            joined: r.counter(&theirs("peers_joined_total"), "Nodes that came"),
            left: r.counter(&theirs("peers_left_total"), "Nodes that went"),
            updated: r.counter(&theirs("peers_update_total"), "Nodes that were started anew before they were missed"),
            reconnections: r.counter(&theirs("reconnections_total"), "Lost nodes that came back"),
            reconnections_failed: r.counter(&theirs("reconnections_failed_total"), "Attempts to connect that failed"),
            refresh_joins: r.counter(&theirs("refresh_join_total"), "Attempts to reach who is expected and not here"),
            refresh_joins_failed: r.counter(&theirs("refresh_join_failed_total"), "Names that cannot be resolved"),
            name_conflicts: r.counter(&theirs("peer_name_conflicts_total"), "Nodes with a name that another has"),
            queued: r.gauge(&theirs("messages_queued"), "Frames that wait for their connection"),
            queued_bytes: r.gauge(&ours("queued_bytes"), "Bytes that wait for their connection"),
            dropped: r.counter(&theirs("messages_pruned_total"), "Frames dropped because too much waited"),
            settled: r.gauge(&ours("settled"), "Whether this node knows what the others know, or waited long enough"),
            open: r.gauge(&ours("open"), "Whether anybody who reaches the port can take part"),
            inbound: r.gauge(&ours("inbound_connections"), "Connections that others opened"),
            outbound: r.gauge(&ours("outbound_connections"), "Connections to other nodes"),
            agreeing: r.gauge(&ours("agreeing_peers"), "Other living nodes that held the same when last compared"),
            undecodable: r.counter(&ours("undecodable_records_total"), "Records that could not be read"),
            repaired: r.counter(&ours("repaired_records_total"), "Records fetched because digests differed"),
            throttled: r.counter(&ours("throttled_total"), "Times that a sender of news was made to wait"),
            restarts: r.counter(&ours("membership_restarts_total"), "Times that membership was started anew"),
            compared: r.counters(&ours("digests_compared_total"), "Digests of others compared, by the result"),
            refused: r.counters(&ours("refused_total"), "Connections, frames and records refused, by the reason"),
            received: Traffic::new(r, "received"),
            sent: Traffic::new(r, "sent"),
            peer_info: r.gauges(&theirs("peer_info"), "The name of this node; always 1"),
            peers: PeerMetrics::new(r),
            transport: TransportMetrics::new(),
            registry: Registry::default(),
        };
        Self { registry, ..metrics }
    }

    /// Says what this node is called.
    pub fn named(&self, name: &str) {
        self.peer_info.get_or_create_owned(&labels([("peer", name)])).set(1);
    }

    /// Counts what was refused.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create_owned(&labels([("reason", reason)])).inc();
    }

    /// Counts a comparison.
    pub fn compared(&self, equal: bool) {
        let result = if equal { "equal" } else { "different" };
        self.compared.get_or_create_owned(&labels([("result", result)])).inc();
    }

    /// Counts a frame that arrived.
    pub fn received(&self, kind: MessageType, bytes: usize) {
        self.received.count(kind, bytes);
        self.transport.bytes_received.inc_by(bytes as u64);
    }

    /// Counts a frame that is sent.
    pub fn sent(&self, kind: MessageType, bytes: usize) {
        self.sent.count(kind, bytes);
        self.transport.bytes_sent.inc_by(bytes as u64);
    }

    /// Counts a message of gossip that a living node has sent itself.
    pub fn heard(&self, peer: &str) {
        self.peers.heard(peer);
    }

    /// Counts an answer of a node.
    pub fn answered(&self, peer: &str, took: Duration) {
        self.peers.answered(peer, took);
    }

    /// Drops what is counted for a node that is not expected any more.
    pub fn forget(&self, peer: &str) {
        self.peers.forget(peer);
    }
}

impl Traffic {
    fn new(registrar: &mut Registrar<'_>, direction: &str) -> Self {
        let name = |rest: &str| format!("alertmanager_cluster_messages_{direction}_{rest}");
        Self {
            frames: registrar.counters(&name("total"), &format!("Number of frames {direction}")),
            bytes: registrar.counters(&name("size_total"), &format!("Bytes of the frames {direction}")),
        }
    }

    fn count(&self, kind: MessageType, bytes: usize) {
        let kind = labels([("msg_type", kind.as_str())]);
        self.frames.get_or_create_owned(&kind).inc();
        self.bytes.get_or_create_owned(&kind).inc_by(bytes as u64);
    }
}
