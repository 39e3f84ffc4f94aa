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
//! comes in is only heard (`listener`). With keys the frames are sealed (`connection`, `key`, `seal`). Nothing from the
//! network reaches an assertion, and everything that can grow has a limit, in the file where it grows.

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
mod tls;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot, watch};
use watchbell_engine::digest::Digest;
use watchbell_engine::peers::Peer;
use watchbell_engine::replica::Record;
use watchbell_engine::version::NodeId;

use crate::record::news::encode_news;
use crate::telemetry::{MessageType, Metrics};
use frame::{Frame, Hello, MAX_NAME, Part};
use gossip::Received;
use links::{Links, Parcel};
use members::Members;

pub use key::{KeyError, KeyRing};
pub use tls::Tls;

/// Events that may wait for the driver. When it is behind, who brings more waits.
const MAX_EVENTS: usize = 64;

/// Bytes of records in one frame, so that gossip never waits long behind one.
const PORTION: usize = 64 << 10;

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
        asks: bool,
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

/// What the tasks of the room share.
#[derive(Debug)]
struct Shared {
    me: Me,
    options: Options,
    metrics: Metrics,
    security: watch::Receiver<Arc<Security>>,
    /// Kept beside its receiver so that it can be replaced.
    securing: watch::Sender<Arc<Security>>,
    links: Links,
    members: Mutex<Members>,
    /// The addresses that operators named, as they resolve now.
    named: Mutex<BTreeSet<SocketAddr>>,
    /// Addresses at which this node has found itself.
    own: Mutex<BTreeSet<SocketAddr>>,
    events: mpsc::Sender<Event>,
    gossip: mpsc::Sender<Received>,
    connections: AtomicU64,
    settled: AtomicBool,
    /// Whether it was told that another node has a copy of this one's disk.
    told_of_twin: AtomicBool,
}

/// Who this node is.
#[derive(Debug)]
struct Me {
    node: NodeId,
    name: SmolStr,
    label: SmolStr,
    /// What others are told.
    address: SocketAddr,
    life: AtomicU64,
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

    /// Tells a node what this one holds; `asks` wants to know the same of it.
    pub fn compare(&self, with: NodeId, digest: Digest, asks: bool) {
        self.0.send(with, Parcel::new(MessageType::FullState, &Frame::Digest(digest, asks)));
    }

    /// Takes note of how a node's digest compared: asks it for the shards in which it differs.
    pub fn compared(&self, with: NodeId, differing: Vec<u8>) {
        self.0.metrics.cluster.compared(differing.is_empty());
        let wanted = self.0.members().compared(with, differing);
        self.0.ask(with, wanted);
    }

    /// Waits until all living nodes were compared with anew, or until nobody can be expected to wait longer: for a node
    /// that has slept and whose knowledge is old. The driver must go on taking events meanwhile.
    pub fn doubt(&self) -> oneshot::Receiver<()> {
        self.0.members().doubt();
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
        !self.0.members().others().is_empty()
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

impl Shared {
    fn new(
        options: Options,
        security: Security,
        metrics: Metrics,
        address: SocketAddr,
        named: BTreeSet<SocketAddr>,
        events: mpsc::Sender<Event>,
        gossip: mpsc::Sender<Received>,
    ) -> Self {
        let me = Me {
            node: options.node,
            name: options.name.clone(),
            label: options.label.clone(),
            address,
            life: AtomicU64::new(first_life(options.start)),
        };
        metrics.cluster.named(&me.name);
        metrics.cluster.open.set(i64::from(security.is_open()));
        let (securing, security) = watch::channel(Arc::new(security));
        let members = Mutex::new(Members::new(Peer { id: me.node, name: me.name.clone() }));
        let (links, named, own) = (Links::default(), Mutex::new(named), Mutex::new(BTreeSet::from([address])));
        let (connections, settled, told_of_twin) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
        Self {
            me,
            options,
            metrics,
            security,
            securing,
            links,
            members,
            named,
            own,
            events,
            gossip,
            connections,
            settled,
            told_of_twin,
        }
    }

    fn announce(&self, bound: SocketAddr) {
        let (name, address) = (&self.me.name, self.me.address);
        tracing::info!(component = "cluster", peer = %name, listen = %bound, advertise = %address, "Listening for peers");
        if self.security().is_open() {
            tracing::warn!(
                component = "cluster",
                "The cluster is open: who reaches {bound} can take part in it. --cluster.key-file closes it"
            );
        }
        let (looped, others) = (address.ip().is_loopback(), self.named());
        if looped && others.iter().any(|other| !other.ip().is_loopback()) {
            tracing::warn!(component = "cluster", %address, "Peers elsewhere cannot reach this node; set --cluster.advertise-address");
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self) -> BTreeSet<SocketAddr> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn own(&self) -> MutexGuard<'_, BTreeSet<SocketAddr>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn security(&self) -> Arc<Security> {
        Arc::clone(&self.security.borrow())
    }

    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Relaxed) + 1
    }

    /// The node that is meant when something is sent to an address: whoever is there, if an operator named the address.
    fn expected_at(&self, address: SocketAddr) -> Option<NodeId> {
        if self.named().contains(&address) { None } else { self.members().at(address) }
    }

    /// Frames of records, each of moderate length. A record that is too long for any frame is left out; the disk has
    /// refused it as well.
    fn parcels(&self, part: Part, records: &[Record]) -> impl Iterator<Item = Parcel> {
        let mut portions: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut length = PORTION;
        for record in records.iter().filter_map(|record| encode_news(record).ok()) {
            if length + record.len() > PORTION {
                portions.push(Vec::new());
                length = 0;
            }
            length += record.len();
            portions.last_mut().expect("the first record opens a portion").push(record);
        }
        let kind = if part == Part::Push { MessageType::Update } else { MessageType::FullState };
        portions.into_iter().map(move |portion| Parcel::new(kind, &Frame::News(part, portion)))
    }

    fn send(self: &Arc<Self>, to: NodeId, parcel: Parcel) {
        let address = self.members().address(to);
        if let Some(address) = address {
            self.links.send(self, address, parcel);
        }
    }

    fn ask(self: &Arc<Self>, node: NodeId, shards: Vec<u8>) {
        if !shards.is_empty() {
            self.send(node, Parcel::new(MessageType::FullState, &Frame::Wanted(shards)));
        }
    }

    /// Takes note that a node has sent all that it was asked for.
    fn answered(self: &Arc<Self>, node: NodeId) {
        let wanted = self.members().answered(node);
        self.ask(node, wanted);
    }

    fn has_left(&self, node: NodeId, life: u64) {
        self.members().end(node, life, Instant::now());
    }

    fn refused(&self, address: SocketAddr) {
        self.members().refused(address, Instant::now());
    }

    /// Says it once; it would be said at each attempt to connect.
    fn tell_of_twin(&self, at: SocketAddr) {
        if !self.told_of_twin.swap(true, Relaxed) {
            tracing::error!(component = "cluster", %at, "Another node has a copy of this node's data directory; neither hears the other");
        }
    }

    fn take_gossip(&self, from: SocketAddr, message: Vec<u8>) {
        if self.gossip.try_send((from, message)).is_err() {
            self.metrics.cluster.refused("too_much_gossip");
        }
    }

    /// Tells the driver; waits when it is behind.
    async fn tell(&self, event: Event) {
        // Without a driver nobody wants to know.
        let _ = self.events.send(event).await;
    }
}

/// Later starts are greater. A start from a copy of a disk is another life all the same.
fn first_life(start: u64) -> u64 {
    let random = connection::random();
    start << 32 | u64::from(u32::from_le_bytes([random[0], random[1], random[2], random[3]]))
}

impl Me {
    fn hello(&self) -> Hello {
        Hello {
            node: self.node,
            life: self.life.load(Relaxed),
            address: self.address,
            name: self.name.clone(),
            label: self.label.clone(),
            expects: None,
        }
    }

    /// Whether somebody who says hello means this node.
    fn check(&self, hello: &Hello) -> Result<(), &'static str> {
        if hello.label != self.label {
            return Err("it has another --cluster.label");
        }
        if hello.expects.is_some_and(|node| node != self.node) {
            return Err("it looks for another node at this address");
        }
        Ok(())
    }

    /// Whether somebody who says hello is this node itself.
    fn is(&self, hello: &Hello) -> bool {
        hello.node == self.node && hello.life == self.life.load(Relaxed)
    }
}
