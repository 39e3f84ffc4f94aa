//! What the tasks of the room share: who this node is, the connections, the members, and the ways to the driver and to
//! chitchat.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use smol_str::SmolStr;
use tokio::sync::{mpsc, watch};
use watchbell_engine::peers::Peer;
use watchbell_engine::replica::Record;
use watchbell_engine::version::NodeId;

use super::connection::random;
use super::frame::{Frame, Hello, Part};
use super::gossip::Received;
use super::links::{Links, Parcel};
use super::members::Members;
use super::{Event, Options, Security};
use crate::record::news::encode_news;
use crate::telemetry::{MessageType, Metrics};

/// Bytes of records in one frame, so that gossip never waits long behind one.
const PORTION: usize = 64 << 10;

/// What the tasks of the room share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) me: Me,
    pub(super) options: Options,
    pub(super) metrics: Metrics,
    pub(super) security: watch::Receiver<Arc<Security>>,
    /// Kept beside its receiver so that it can be replaced.
    pub(super) securing: watch::Sender<Arc<Security>>,
    pub(super) links: Links,
    pub(super) members: Mutex<Members>,
    /// The addresses that operators named, as they resolve now.
    pub(super) named: Mutex<BTreeSet<SocketAddr>>,
    /// Addresses at which this node has found itself.
    pub(super) own: Mutex<BTreeSet<SocketAddr>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) gossip: mpsc::Sender<Received>,
    pub(super) numbers: AtomicU64,
    pub(super) settled: AtomicBool,
    /// Whether it was told that another node has a copy of this one's disk.
    pub(super) told_of_twin: AtomicBool,
}

/// Who this node is.
#[derive(Debug)]
pub(super) struct Me {
    pub(super) node: NodeId,
    pub(super) name: SmolStr,
    pub(super) label: SmolStr,
    /// What others are told.
    pub(super) address: SocketAddr,
    pub(super) life: AtomicU64,
}

impl Shared {
    pub(super) fn new(
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
        metrics.cluster.transport.shown.store(security.tls.is_some(), Relaxed);
        let (securing, security) = watch::channel(Arc::new(security));
        let mut members = Members::new(Peer { id: me.node, name: me.name.clone() });
        members.remember(&options.remembered, Instant::now());
        let members = Mutex::new(members);
        let (links, named, own) = (Links::default(), Mutex::new(named), Mutex::new(BTreeSet::from([address])));
        let (numbers, settled, told_of_twin) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
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
            numbers,
            settled,
            told_of_twin,
        }
    }

    pub(super) fn announce(&self, bound: SocketAddr) {
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

    pub(super) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn named(&self) -> BTreeSet<SocketAddr> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn own(&self) -> MutexGuard<'_, BTreeSet<SocketAddr>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn security(&self) -> Arc<Security> {
        Arc::clone(&self.security.borrow())
    }

    /// A number that was not used before: of a connection, or of a comparison.
    pub(super) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// The node that is meant when something is sent to an address: whoever is there, if an operator named the address.
    pub(super) fn expected_at(&self, address: SocketAddr) -> Option<NodeId> {
        if self.named().contains(&address) { None } else { self.members().at(address) }
    }

    /// Frames of records, each of moderate length. A record that is too long for any frame is left out; the disk has
    /// refused it as well.
    pub(super) fn parcels(&self, part: Part, records: &[Record]) -> impl Iterator<Item = Parcel> {
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

    pub(super) fn send(self: &Arc<Self>, to: NodeId, parcel: Parcel) {
        let address = self.members().address(to);
        if let Some(address) = address {
            self.links.send(self, address, parcel);
        }
    }

    pub(super) fn ask(self: &Arc<Self>, node: NodeId, shards: Vec<u8>) {
        if !shards.is_empty() {
            self.send(node, Parcel::new(MessageType::FullState, &Frame::Wanted(shards)));
        }
    }

    /// Takes note that a node has sent all that it was asked for.
    pub(super) fn answered(self: &Arc<Self>, node: NodeId) {
        let wanted = self.members().answered(node);
        self.ask(node, wanted);
    }

    pub(super) fn has_left(&self, node: NodeId, life: u64) {
        self.members().end(node, life, Instant::now());
    }

    pub(super) fn refused(&self, address: SocketAddr) {
        self.members().refused(address, Instant::now());
    }

    /// Says it once; it would be said at each attempt to connect.
    pub(super) fn tell_of_twin(&self, at: SocketAddr) {
        if !self.told_of_twin.swap(true, Relaxed) {
            tracing::error!(component = "cluster", %at, "Another node has a copy of this node's data directory; neither hears the other");
        }
    }

    pub(super) fn take_gossip(&self, from: &Hello, message: Vec<u8>) {
        // Strangers make no series.
        if let Some(name) = self.members().living_name(from.node) {
            self.metrics.cluster.heard(&name);
        }
        if self.gossip.try_send((from.address, message)).is_err() {
            self.metrics.cluster.refused("too_much_gossip");
        }
    }

    /// Tells the driver; waits when it is behind.
    pub(super) async fn tell(&self, event: Event) {
        // Without a driver nobody wants to know.
        let _ = self.events.send(event).await;
    }
}

/// Later starts are greater. A start from a copy of a disk is another life all the same.
fn first_life(start: u64) -> u64 {
    let random = random();
    start << 32 | u64::from(u32::from_le_bytes([random[0], random[1], random[2], random[3]]))
}

impl Me {
    pub(super) fn hello(&self) -> Hello {
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
    pub(super) fn check(&self, hello: &Hello) -> Result<(), &'static str> {
        if hello.label != self.label {
            return Err("it has another --cluster.label");
        }
        if hello.expects.is_some_and(|node| node != self.node) {
            return Err("it looks for another node at this address");
        }
        Ok(())
    }

    /// Whether somebody who says hello is this node itself.
    pub(super) fn is(&self, hello: &Hello) -> bool {
        hello.node == self.node && hello.life == self.life.load(Relaxed)
    }
}
