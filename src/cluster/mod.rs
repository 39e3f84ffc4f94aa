//! The other nodes: who is there, and what they tell. It decides nothing about alerts: the driver is told what happened
//! ([`Event`]) and says what is to be sent ([`Cluster`]).
//!
//! Each node's own merged store is what counts; this room carries it to the others.
//!
//! * **Membership**: chitchat tells who lives, over connections of ours (`gossip`, `screen`, `members`).
//! * **News**: a record that has changed goes to every living node at once, once the disk has it.
//! * **Repair**: nodes compare digests when they meet and every few seconds. Where they differ, each asks the other for
//!   the records of the shards in question. So what any node has merged, all get, whoever wrote it, and whatever was
//!   lost on the way.
//! * **Settling**: a node that starts compares with all it finds before it says that it is ready (`settling`).
//!
//! One TCP port for everything. Each node opens a connection to each address it sends to (`links`) and speaks on it; what
//! comes in is only heard (`listener`, `strangers`). With keys the frames are sealed (`connection`, `key`, `seal`). Nothing from the
//! network reaches an assertion, and everything that can grow has a limit, in the file where it grows. What the tasks of
//! the room share is in `shared`; `keeper` is the task that keeps it together.

mod address;
mod connection;
mod frame;
mod gossip;
mod keeper;
mod key;
mod links;
mod listener;
mod members;
mod screen;
mod seal;
mod settling;
mod shared;
mod strangers;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot};
use watchbell_engine::digest::Digest;
use watchbell_engine::members::{KnownPeer, Member};
use watchbell_engine::peers::Peer;
use watchbell_engine::replica::Record;
use watchbell_engine::version::NodeId;

use crate::telemetry::{MessageType, Metrics};
use frame::{Frame, MAX_NAME, Part};
use links::Parcel;
use shared::Shared;

pub use frame::Round;
pub use key::{KeyError, KeyRing};
pub use tls::Tls;

/// Events that may wait for the driver. When it is behind, who brings more waits.
const MAX_EVENTS: usize = 64;

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct Options {
    /// This node.
    pub node: NodeId,
    /// Which of its starts this is.
    pub start: u64,
    /// The name by which it takes turns.
    pub name: SmolStr,
    /// `host:port`.
    pub listen_address: String,
    /// `host:port`, or empty.
    pub advertise_address: String,
    /// `host:port` each.
    pub peers: Vec<String>,
    /// Time between two rounds of gossip.
    pub gossip_interval: Duration,
    /// How long a connection may take to be made, and bytes to arrive.
    pub tcp_timeout: Duration,
    /// How long the name of a peer may take to resolve.
    pub resolve_timeout: Duration,
    /// How long to wait at most until the node has settled.
    pub settle_timeout: Duration,
    /// Time between two attempts to reach a lost peer.
    pub reconnect_interval: Duration,
    /// How long a lost peer is tried.
    pub reconnect_timeout: Duration,
    /// Whether a public address may be advertised without having been given.
    pub allow_public_address: bool,
    /// What all nodes of the cluster share; may be empty.
    pub label: SmolStr,
    /// The nodes that were known when this one stopped.
    pub remembered: Vec<KnownPeer>,
}

/// Who may take part. Without either of the two it is whoever reaches the port.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// The keys that seal frames.
    pub keys: Option<KeyRing>,
    /// How connections are encrypted, and whose certificates are good.
    pub tls: Option<Tls>,
}

/// Why a node cannot take part in a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// `--cluster.listen-address`.
    #[error("--cluster.listen-address: invalid listen address {address:?}: {why}")]
    Listen {
        /// As given.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// `--cluster.advertise-address`.
    #[error("--cluster.advertise-address: {address:?}: {why}")]
    Advertise {
        /// As given.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name or a label that does not fit.
    #[error("{flag}: it must have at most {MAX_NAME} bytes")]
    TooLong {
        /// Which flag.
        flag: &'static str,
    },
}

/// Something that the driver must know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The living nodes, this one among them.
    Peers(Vec<Peer>),
    /// All nodes that are here or missed, this one apart. Not before the node has settled: it would miss all of them.
    Members(Vec<Member>),
    /// A way to a living node is open, for the first time or again: it may lack what was sent before.
    Met(NodeId),
    /// It is time to compare with a node.
    Compare(NodeId),
    /// Records of another node.
    News(Vec<Record>),
    /// What another node holds.
    Digest {
        /// Which node.
        from: NodeId,
        /// What it holds.
        digest: Digest,
        /// Whether it wants to know what this node holds.
        round: Round,
    },
    /// Another node asks for records.
    Wanted {
        /// Which node.
        from: NodeId,
        /// The shards.
        shards: Vec<u8>,
    },
    /// What the others know is known here, or was waited for long enough.
    Settled,
}

/// The cluster as this node takes part in it. Clones are the same.
#[derive(Clone, Debug)]
pub struct Cluster(Arc<Shared>);

/// What is told of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// This node's name.
    pub name: SmolStr,
    /// Whether it has settled.
    pub settled: bool,
    /// The names and addresses of the living nodes, this one among them, by name.
    pub peers: Vec<(SmolStr, SocketAddr)>,
}

impl Cluster {
    /// Begins to listen, to look for the others, and to tell what happens.
    ///
    /// # Errors
    /// An address cannot be used, or a name is too long.
    pub async fn start(
        options: Options,
        security: Security,
        metrics: Metrics,
    ) -> Result<(Self, mpsc::Receiver<Event>), ClusterError> {
        for (flag, text) in [("--cluster.peer-name", &options.name), ("--cluster.label", &options.label)] {
            if text.len() > MAX_NAME {
                return Err(ClusterError::TooLong { flag });
            }
        }
        let listener = address::bind(&options.listen_address).await?;
        let bound = listener.local_addr().map_err(|error| ClusterError::Listen {
            address: options.listen_address.clone(),
            why: error.to_string(),
        })?;
        let (named, _) = address::resolve(&options.peers, options.resolve_timeout).await;
        let towards = named.first().copied();
        let public = options.allow_public_address;
        let address = address::advertised(&options.advertise_address, bound, towards, public).await?;
        let (gossip, inbox) = mpsc::channel(gossip::MAX_MESSAGES);
        let (events, told) = mpsc::channel(MAX_EVENTS);
        let shared = Arc::new(Shared::new(options, security, metrics, address, named, events, gossip));
        shared.announce(bound);
        tokio::spawn(listener::listen(listener, Arc::clone(&shared)));
        tokio::spawn(keeper::keep(Arc::clone(&shared), inbox));
        Ok((Self(shared), told))
    }

    /// Tells all living nodes what has changed.
    pub fn publish(&self, records: &[Record]) {
        let others = self.0.members().others();
        if records.is_empty() || others.is_empty() {
            return;
        }
        let parcels: Vec<Parcel> = self.0.parcels(Part::Push, records).collect();
        for other in others {
            for parcel in &parcels {
                self.0.links.send(&self.0, other.address, parcel.clone());
            }
        }
    }

    /// Tells one node what this one is doing, or what it asked for.
    pub fn tell(&self, to: NodeId, records: &[Record]) {
        if !records.is_empty() {
            self.0.parcels(Part::Push, records).for_each(|parcel| self.0.send(to, parcel));
        }
    }

    /// Answers a node that asked for records.
    pub fn answer(&self, to: NodeId, records: &[Record]) {
        self.0.parcels(Part::Answer, records).for_each(|parcel| self.0.send(to, parcel));
        self.0.send(to, Parcel::new(MessageType::FullState, &Frame::News(Part::End, Vec::new())));
    }

    /// Begins a comparison: tells a node what this one holds and wants to know the same of it.
    pub fn compare(&self, with: NodeId, digest: Digest) {
        let number = self.0.next_number();
        let round = Round::Asks(number);
        self.0.members().asked(with, number, Instant::now());
        self.0.send(with, Parcel::new(MessageType::FullState, &Frame::Digest(digest, round)));
    }

    /// Takes note of how a node's digest compared with `ours`: asks it for the shards in which it differs, and answers if
    /// it has asked.
    pub fn compared(&self, with: NodeId, ours: Digest, differing: Vec<u8>, round: Round) {
        if let Round::Asks(number) = round {
            let answer = Frame::Digest(ours, Round::Answers(number));
            self.0.send(with, Parcel::new(MessageType::FullState, &answer));
        }
        self.0.metrics.cluster.compared(differing.is_empty());
        if let Some((name, took)) = self.0.members().answer_took(with, round, Instant::now()) {
            self.0.metrics.cluster.answered(&name, took);
        }
        let wanted = self.0.members().compared(with, differing, round);
        self.0.ask(with, wanted);
    }

    /// Waits until all living nodes were compared with anew, or until nobody can be expected to wait longer: for a node
    /// that has slept and whose knowledge is old. The driver must go on taking events meanwhile.
    pub fn doubt(&self) -> oneshot::Receiver<()> {
        self.0.members().doubt(self.0.next_number());
        let (done, waiting) = oneshot::channel();
        let compared = keeper::until_compared(Arc::clone(&self.0));
        tokio::spawn(async move {
            compared.await;
            // Who asked may have gone.
            let _ = done.send(());
        });
        waiting
    }

    /// Whether there is any other living node.
    pub fn has_others(&self) -> bool {
        self.0.members().has_others()
    }

    /// What is told of the cluster now.
    pub fn status(&self) -> Status {
        let me = (self.0.me.name.clone(), self.0.me.address);
        let others = self.0.members().others().into_iter().map(|life| (life.name, life.address));
        let mut peers: Vec<_> = std::iter::once(me).chain(others).collect();
        peers.sort();
        Status { name: self.0.me.name.clone(), settled: self.0.settled.load(Relaxed), peers }
    }

    /// Lets others take part, or no more. Connections that it would not allow end.
    pub fn secure(&self, security: Security) {
        self.0.metrics.cluster.open.set(i64::from(security.is_open()));
        self.0.securing.send_replace(Arc::new(security));
    }

    /// Says goodbye, so that nobody waits for this node; what was sent before is still carried.
    pub async fn leave(&self) {
        let others = self.0.members().others();
        for other in &others {
            self.0.links.send(&self.0, other.address, Parcel::new(MessageType::Gossip, &Frame::Leave));
        }
        if !others.is_empty() {
            keeper::until_carried(&self.0).await;
        }
    }
}

impl Security {
    /// Whether anybody who reaches the port can take part.
    pub fn is_open(&self) -> bool {
        self.keys.is_none() && !self.tls.as_ref().is_some_and(|tls| tls.is_mutual)
    }
}
