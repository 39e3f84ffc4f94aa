//! One node: an engine, a disk, and what lies between: changes that are not on the disk yet, and what waits for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::{Answer, Attempt, Change, Effects};
use watchbell_engine::group::SavedGroup;
use watchbell_engine::intent::Intent;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::members::KnownPeer;
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::replica::Record;
use watchbell_engine::resume::Saved;
use watchbell_engine::silence::edit::SilenceLimits;
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::Timestamp;
use watchbell_engine::version::NodeId;
use watchbell_engine::{Engine, Options};

use crate::plan::{Shape, Step};

/// How long ended silences and log entries are kept in a history.
pub(crate) const RETENTION: Duration = Duration::from_secs(4 * 3600);
pub(crate) const PEER_TIMEOUT: Duration = Duration::from_secs(15);
pub(crate) const SETTLE: Duration = Duration::from_secs(30);

/// A node, running or not.
pub(crate) struct Node {
    pub(crate) engine: Option<Engine>,
    pub(crate) disk: Disk,
    /// What the disk was when it was copied.
    pub(crate) copy: Disk,
    /// By how many seconds its clock is ahead.
    pub(crate) ahead: i64,
    /// The number of the shape that it follows.
    pub(crate) shape: usize,
    /// Rises with every crash: what belongs to an earlier life is void.
    pub(crate) life: u32,
    /// Since when its process stands still.
    pub(crate) paused_since: Option<Timestamp>,
    /// It stood still, and does nothing by the clock until the others have told it what it missed.
    pub(crate) catching_up: bool,
    /// Changes in order, each with what waits for the disk.
    pub(crate) unsaved: Vec<(Vec<Change>, Dependents)>,
    /// When the next write is due.
    pub(crate) commit_at: Option<Timestamp>,
    pub(crate) wake_at: Option<Timestamp>,
    /// Attempts that the receiver has heard and whose outcome is not on the disk.
    pub(crate) unsure: Vec<NflogKey>,
    /// The other nodes that it knows and that have not said goodbye to it.
    pub(crate) known: BTreeSet<usize>,
    /// At which step of which of the next commits it crashes.
    pub(crate) crash_at: Option<(Step, u8)>,
    /// Whether it crashes in its next attempt.
    pub(crate) crash_in_send: bool,
}

/// What happens once changes are on the disk.
#[derive(Debug, Default)]
pub(crate) struct Dependents {
    pub(crate) publish: Vec<Record>,
    pub(crate) answer: Option<Answer>,
    pub(crate) deliver: Vec<Attempt>,
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    id: NodeId,
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    nflog: BTreeMap<NflogKey, Arc<NflogEntry>>,
    intents: BTreeMap<NflogKey, Arc<Intent>>,
    alerts: BTreeMap<Fingerprint, Arc<Alert>>,
    groups: BTreeMap<(Arc<str>, Labels), SavedGroup>,
    peers: BTreeMap<SmolStr, KnownPeer>,
}

impl Node {
    pub(crate) fn new(number: usize, ahead: i64) -> Self {
        let disk = Disk::new(number, 0);
        Self {
            engine: None,
            copy: disk.clone(),
            disk,
            ahead,
            shape: 0,
            life: 0,
            paused_since: None,
            catching_up: false,
            unsaved: Vec::new(),
            commit_at: None,
            wake_at: None,
            unsure: Vec::new(),
            known: BTreeSet::new(),
            crash_at: None,
            crash_in_send: false,
        }
    }

    /// Whether its process is there and does not stand still.
    pub(crate) fn runs(&self) -> bool {
        self.engine.is_some() && self.paused_since.is_none()
    }

    pub(crate) fn id(&self) -> NodeId {
        self.disk.id
    }

    /// What its clock shows at an instant.
    pub(crate) fn clock(&self, now: Timestamp) -> Timestamp {
        shift(now, self.ahead)
    }

    /// The instant at which its clock shows `time`.
    pub(crate) fn when(&self, time: Timestamp) -> Timestamp {
        shift(time, -self.ahead)
    }

    /// Whether the commit that is about to be made is the one at which it crashes.
    pub(crate) fn crash_now(&mut self) -> Option<Step> {
        let (step, commits) = self.crash_at?;
        self.crash_at = (commits > 0).then(|| (step, commits - 1));
        (commits == 0).then_some(step)
    }

    /// Everything that is not on the disk is gone.
    pub(crate) fn crash(&mut self) {
        self.engine = None;
        self.life += 1;
        (self.crash_at, self.crash_in_send) = (None, false);
        self.unsaved.clear();
        self.unsure.clear();
        (self.commit_at, self.wake_at) = (None, None);
        (self.paused_since, self.catching_up) = (None, false);
    }

    /// Silences and log entries that are kept beyond `horizon`.
    pub(crate) fn records(&self, horizon: Timestamp) -> Vec<Record> {
        let Some(engine) = &self.engine else { return Vec::new() };
        let silences = engine.view().silences().iter().filter(|silence| silence.forget_at > horizon);
        let entries = engine.nflog().filter(|entry| entry.expires_at > horizon);
        silences.cloned().map(Record::Silence).chain(entries.cloned().map(Record::Nflog)).collect()
    }
}

pub(crate) fn shift(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(time.as_micros() + seconds * 1_000_000)
}

impl Disk {
    /// An empty disk of the node with this number, in this life.
    pub(crate) fn new(number: usize, life: u32) -> Self {
        let id = NodeId(number as u64 + 1 + 100 * u64::from(life));
        let (silences, nflog, intents) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (alerts, groups, peers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { id, silences, nflog, intents, alerts, groups, peers }
    }

    pub(crate) fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.silences.values()
    }

    pub(crate) fn nflog(&self) -> impl Iterator<Item = &Arc<NflogEntry>> {
        self.nflog.values()
    }

    pub(crate) fn intents(&self) -> impl Iterator<Item = &Arc<Intent>> {
        self.intents.values()
    }

    /// The nodes that it remembers.
    pub(crate) fn peers(&self) -> BTreeSet<usize> {
        self.peers.values().map(|peer| peer.address.parse().expect("the number of a node")).collect()
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.values()
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::PutSilence(silence) => drop(self.silences.insert(silence.id, silence)),
            Change::DeleteSilence(id) => drop(self.silences.remove(&id)),
            Change::PutNflog(entry) => drop(self.nflog.insert(entry.key.clone(), entry)),
            Change::DeleteNflog(key) => drop(self.nflog.remove(&key)),
            Change::PutIntent(intent) => drop(self.intents.insert(intent.key.clone(), intent)),
            Change::DeleteIntent(key) => drop(self.intents.remove(&key)),
            Change::PutAlert(alert) => drop(self.alerts.insert(alert.fingerprint(), alert)),
            Change::DeleteAlert(fingerprint) => drop(self.alerts.remove(&fingerprint)),
            Change::PutGroup(group) => drop(self.groups.insert(name_of(&group), group)),
            Change::DeleteGroup(group) => drop(self.groups.remove(&name_of(&group))),
            Change::PutPeer(peer) => drop(self.peers.insert(peer.name.clone(), peer)),
            Change::DeletePeer(name) => drop(self.peers.remove(&name)),
        }
    }

    pub(crate) fn saved(&self) -> Saved {
        Saved {
            silences: self.silences.values().cloned().collect(),
            nflog: self.nflog.values().cloned().collect(),
            intents: self.intents.values().cloned().collect(),
            alerts: self.alerts.values().cloned().collect(),
            groups: self.groups.values().cloned().collect(),
            peers: self.peers.values().cloned().collect(),
        }
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.silences.len() + self.nflog.len() + self.intents.len() + self.alerts.len() + self.groups.len()
    }
}

fn name_of(group: &SavedGroup) -> (Arc<str>, Labels) {
    (Arc::clone(&group.route_id), group.labels.clone())
}

/// Starts a node's engine from its disk, in a world of `nodes`.
pub(crate) fn start(node: &Node, now: Timestamp, nodes: usize, shape: &Shape) -> (Engine, Effects) {
    let options = Options {
        node: node.id(),
        silences: SilenceLimits { retention: RETENTION, ..SilenceLimits::default() },
        alert_gc_interval: Duration::from_secs(600),
        per_alertname_limit: 0,
        peer_timeout: PEER_TIMEOUT,
        start_delay: Duration::ZERO,
        settle_timeout: if nodes > 1 { SETTLE } else { Duration::ZERO },
    };
    Engine::restore(node.clock(now), options, Arc::new(shape.policy()), node.disk.saved())
}
