//! Some engines in one room: every word is heard by all at once, every second is lived through, and one receiver writes
//! down what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::effect::{Change, Effects, Input, Note};
use crate::heartbeat::Stalled;
use crate::label::Labels;
use crate::matcher::{MatchOp, Matcher};
use crate::members::{KnownPeer, Member};
use crate::nflog::{NflogEntry, ReceiverData};
use crate::notification::{Failure, FailureKind, Notification};
use crate::peers::Peer;
use crate::policy::{Expected, GroupBy, Heartbeat, Integration, OwnAlert, PeerDown, Policy, Receiver, Route, Vigil};
use crate::replica::Record;
use crate::resume::Saved;
use crate::silence::edit::SilenceLimits;
use crate::time::{Timestamp, UtcOffset};
use crate::version::{NodeId, Version};
use crate::vigil::Cause;
use crate::{Engine, Options};

/// What is expected within 300 s.
pub(super) const WATCHDOG: &str = "Watchdog";

const BEGIN: i64 = 1_800_000_000;

/// So many seconds after the beginning.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(BEGIN + second)
}

pub(super) struct Room {
    pub(super) now: Timestamp,
    pub(super) policy: Policy,
    /// What the receiver was told, with the second.
    pub(super) told: Vec<String>,
    /// Whether the receiver refuses.
    pub(super) deaf: bool,
    /// When it did.
    pub(super) failures: Vec<i64>,
    nodes: Vec<Node>,
}

struct Node {
    engine: Engine,
    saved: BTreeMap<String, Change>,
    notes: Vec<Note>,
    beats: Vec<i64>,
}

/// `Watchdog` is expected, told with everything else after 10 s, and proves that all works every 10 s.
pub(super) fn policy() -> Policy {
    let seconds = Duration::from_secs;
    let own = |name: &str| OwnAlert { labels: labels(name), annotations: Labels::default() };
    let route = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: vec![],
        receiver: "r".into(),
        group_by: GroupBy::All,
        group_wait: seconds(10),
        group_interval: seconds(10),
        repeat_interval: seconds(3600),
        mute_time_intervals: vec![],
        active_time_intervals: vec![],
        continues: false,
        children: vec![1],
        labels: Labels::default(),
    };
    let watchdog = Route {
        id: "{}/{alertname=\"Watchdog\"}/0".into(),
        key: "{}/{alertname=\"Watchdog\"}".into(),
        matchers: vec![Matcher::new("alertname", MatchOp::Equal, WATCHDOG).unwrap()],
        repeat_interval: seconds(60),
        children: vec![],
        ..route.clone()
    };
    let integrations = vec![Integration { kind: "webhook".into(), index: 0, send_resolved: true }];
    let matchers = watchdog.matchers.clone();
    Policy {
        routes: vec![route, watchdog],
        inhibit_rules: vec![],
        time_intervals: BTreeMap::new(),
        receivers: vec![Receiver { name: "r".into(), labels: Labels::default(), integrations }],
        resolve_timeout: seconds(300),
        vigil: Vigil {
            expect: vec![Expected {
                name: "a".into(),
                matchers,
                within: seconds(300),
                raises: own("ExpectedAlertMissing"),
            }],
            peer_down: Some(PeerDown { after: seconds(60), raises: own("PeerDown") }),
            heartbeats: vec![Heartbeat { name: "h".into(), expect: "a".into(), interval: seconds(10) }],
        },
    }
}

pub(super) fn member(name: &str, here: bool) -> Member {
    let peer = KnownPeer { name: name.into(), node: NodeId(if here { 99 } else { 98 }), address: "there".into() };
    Member { peer: KnownPeer { node: NodeId(99), ..peer }, here }
}

fn labels(name: &str) -> Labels {
    Labels::from_iter([("alertname", name)])
}

fn restored(number: usize, now: Timestamp, policy: &Policy, saved: &BTreeMap<String, Change>) -> (Engine, Effects) {
    let options = Options {
        node: NodeId(number as u64 + 1),
        silences: SilenceLimits { retention: Duration::from_secs(36_000), ..SilenceLimits::default() },
        alert_gc_interval: Duration::from_secs(600),
        per_alertname_limit: 0,
        peer_timeout: Duration::from_secs(15),
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    };
    let mut disk = Saved::default();
    for change in saved.values().cloned() {
        match change {
            Change::PutNflog(entry) => disk.nflog.push(entry),
            Change::PutAlert(alert) => disk.alerts.push(alert),
            Change::PutGroup(group) => disk.groups.push(group),
            Change::PutPeer(peer) => disk.peers.push(peer),
            _ => {}
        }
    }
    Engine::restore(now, options, Arc::new(policy.clone()), disk)
}

impl Room {
    /// A room of nodes that expect `Watchdog`.
    pub(super) fn new(nodes: usize) -> Self {
        Self::with(nodes, policy())
    }

    /// A room of nodes that expect nothing.
    pub(super) fn quiet(nodes: usize) -> Self {
        let mut policy = policy();
        (policy.vigil.expect, policy.vigil.heartbeats) = (vec![], vec![]);
        Self::with(nodes, policy)
    }

    fn with(nodes: usize, policy: Policy) -> Self {
        let now = at(0);
        let node = |number| {
            let (engine, _) = restored(number, now, &policy, &BTreeMap::new());
            Node { engine, saved: BTreeMap::new(), notes: vec![], beats: vec![] }
        };
        let nodes = (0..nodes).map(node).collect();
        let mut room = Self { now, policy, told: vec![], deaf: false, failures: vec![], nodes };
        (0..room.nodes.len()).for_each(|number| room.introduce(number));
        room
    }

    /// Tells a node who is here.
    fn introduce(&mut self, number: usize) {
        let peer = |number| Peer { id: NodeId(number as u64 + 1), name: format!("n{}", number + 1).into() };
        self.handle(number, Input::Peers((0..self.nodes.len()).map(peer).collect()));
    }

    /// The second that is about to be lived through.
    pub(super) fn second(&self) -> i64 {
        self.now.as_secs() - BEGIN
    }

    /// Lives through each second before `second`; `happens` is asked at each what else there is.
    pub(super) fn until(&mut self, second: i64, happens: impl Fn(&mut Self, i64)) {
        while self.now < at(second) {
            happens(self, self.second());
            for number in 0..self.nodes.len() {
                let effects = self.nodes[number].engine.advance(self.now);
                self.perform(number, effects);
            }
            self.now = self.now + Duration::from_secs(1);
        }
    }

    /// Posts an alert to some nodes; it lasts as long as nobody can wait.
    pub(super) fn post(&mut self, nodes: &[usize], name: &str) {
        self.post_lasting(nodes, name, 240);
    }

    pub(super) fn post_lasting(&mut self, nodes: &[usize], name: &str, seconds: i64) {
        let (starts_at, ends_at) = (at(-100), Timestamp::from_secs(self.now.as_secs() + seconds));
        let offset = UtcOffset::default();
        let alert = Arc::new(Alert {
            labels: labels(name),
            annotations: Labels::default(),
            starts_at,
            starts_offset: offset,
            ends_at,
            ends_offset: offset,
            updated_at: self.now,
            generator_url: "".into(),
            timeout: false,
        });
        for node in nodes {
            self.handle(*node, Input::Alerts(vec![Arc::clone(&alert)]));
        }
    }

    /// What the cluster says to each node.
    pub(super) fn members(&mut self, members: &[Member]) {
        for number in 0..self.nodes.len() {
            self.handle(number, Input::Members(members.to_vec()));
        }
    }

    /// All nodes are stopped until `now`.
    pub(super) fn oversleep(&mut self, now: Timestamp) {
        self.now = now;
        (0..self.nodes.len()).for_each(|number| self.handle(number, Input::Overslept));
    }

    /// Another node, which was away, tells a node once more what that one knows, as if it had been told by itself.
    pub(super) fn old_news(&mut self, number: usize) {
        let by_another = |entry: &Arc<NflogEntry>| {
            let version = Version { node: NodeId(77), ..entry.version };
            Record::Nflog(Arc::new(NflogEntry { version, past: vec![version], ..NflogEntry::clone(entry) }))
        };
        let news = self.nodes[number].engine.nflog().map(by_another).collect();
        self.handle(number, Input::News(news));
    }

    /// Kills a node and starts it anew from its disk.
    pub(super) fn restart(&mut self, number: usize, policy: Policy) {
        let (engine, effects) = restored(number, self.now, &policy, &self.nodes[number].saved);
        self.nodes[number].engine = engine;
        self.perform(number, effects);
        self.introduce(number);
    }

    pub(super) fn reload(&mut self, number: usize, policy: Policy) {
        let effects = self.nodes[number].engine.reload(self.now, Arc::new(policy));
        self.perform(number, effects);
    }

    fn handle(&mut self, number: usize, input: Input) {
        let effects = self.nodes[number].engine.handle(self.now, input);
        self.perform(number, effects);
    }

    fn perform(&mut self, number: usize, effects: Effects) {
        let second = self.second();
        let node = &mut self.nodes[number];
        effects.persist.into_iter().for_each(|change| node.save(change));
        node.notes.extend(effects.notes);
        node.beats.extend(effects.beat.iter().map(|_| second));
        if !effects.publish.is_empty() {
            for other in (0..self.nodes.len()).filter(|other| *other != number) {
                self.handle(other, Input::News(effects.publish.clone()));
            }
        }
        for attempt in effects.deliver {
            let outcome = if self.deaf { Err(refusal()) } else { Ok(ReceiverData::new()) };
            match self.deaf {
                true => self.failures.push(second),
                false => self.told.extend(lines(second, &attempt.notification)),
            }
            self.handle(number, Input::Delivered { attempt: attempt.id, outcome });
        }
    }

    /// What a node has raised and not ended, by its notes.
    pub(super) fn raised(&self, number: usize) -> Vec<Cause> {
        let mut raised: Vec<Cause> = Vec::new();
        for note in &self.nodes[number].notes {
            match note {
                Note::Raised(cause) if !raised.contains(cause) => raised.push(cause.clone()),
                Note::Over(cause) => raised.retain(|known| known != cause),
                _ => {}
            }
        }
        raised
    }

    pub(super) fn starts_at(&self, number: usize, name: &str) -> Option<Timestamp> {
        let view = self.nodes[number].engine.view();
        let named = |labels: &Labels| labels.value("alertname") == name;
        let mut firing = view.alerts().filter(|known| !known.alert.is_resolved(self.now));
        firing.find(|known| named(&known.alert.labels)).map(|known| known.alert.starts_at)
    }

    pub(super) fn remembered(&self, number: usize) -> Vec<KnownPeer> {
        let saved = self.nodes[number].saved.values();
        saved.filter_map(|change| if let Change::PutPeer(peer) = change { Some(peer.clone()) } else { None }).collect()
    }

    pub(super) fn beats(&self, number: usize) -> Vec<i64> {
        self.nodes[number].beats.clone()
    }

    pub(super) fn notes(&self, number: usize) -> impl Iterator<Item = &Note> {
        self.nodes[number].notes.iter()
    }

    /// Why the last heartbeat was not sent.
    pub(super) fn stalled(&self, number: usize) -> Option<Stalled> {
        let last = self.nodes[number].notes.iter().rev().find_map(|note| match note {
            Note::Heartbeat { works, .. } => Some(*works),
            _ => None,
        });
        last?.err()
    }
}

impl Node {
    fn save(&mut self, change: Change) {
        match &change {
            Change::PutNflog(entry) => drop(self.saved.insert(format!("n{:?}", entry.key), change)),
            Change::DeleteNflog(key) => drop(self.saved.remove(&format!("n{key:?}"))),
            Change::PutAlert(alert) => drop(self.saved.insert(format!("a{:?}", alert.fingerprint()), change)),
            Change::DeleteAlert(fingerprint) => drop(self.saved.remove(&format!("a{fingerprint:?}"))),
            Change::PutGroup(group) => drop(self.saved.insert(format!("g{}{}", group.route_id, group.labels), change)),
            Change::DeleteGroup(group) => drop(self.saved.remove(&format!("g{}{}", group.route_id, group.labels))),
            Change::PutPeer(peer) => drop(self.saved.insert(format!("p{}", peer.name), change)),
            Change::DeletePeer(name) => drop(self.saved.remove(&format!("p{name}"))),
            _ => {}
        }
    }
}

fn refusal() -> Failure {
    Failure { kind: FailureKind::Other, retry: true, text: "no".into(), retry_after: None, in_part: false }
}

/// What is told of alerts of our own.
fn lines(second: i64, notification: &Notification) -> Vec<String> {
    let own = notification.alerts.iter().filter(|told| told.alert.labels.value("alertname") != WATCHDOG);
    let line = |firing, labels: &Labels| {
        let state = if firing { "firing" } else { "resolved" };
        format!("{second} {state} {} {}", labels.value("alertname"), labels.value("peer")).trim_end().to_owned()
    };
    own.map(|told| line(told.firing, &told.alert.labels)).collect()
}
