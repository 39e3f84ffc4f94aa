//! Watched: what nodes raise themselves is raised in time and not before, and over when its cause is; heartbeats are sent
//! while an alert goes the whole way, and only then. How often it is told is the matter of the other laws.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use watchbell_engine::members::Member;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::replica::Record;
use watchbell_engine::time::Timestamp;
use watchbell_engine::vigil::Cause;

use super::Law;
use super::rules::seconds;
use crate::node::{Node, SETTLE};
use crate::plan::{AlertPlan, Grouped, Mood, Plan};

/// What the observer knows of what is watched over, for each node.
pub(super) struct Vigil {
    /// The number of the alert that is expected.
    dog: usize,
    /// Since when the node waits for each cause as far as it can know; the epoch if an alert may fire already.
    since: Vec<BTreeMap<Cause, Timestamp>>,
    /// Since when it misses peers.
    lost: Vec<BTreeMap<Cause, Timestamp>>,
    /// When its sender posted the expected alert last, in its present life and while it had a rule for it.
    received: Vec<Timestamp>,
    /// When any sender did.
    received_anywhere: Timestamp,
    /// When the expected alert was heard, as firing, last.
    heard: BTreeMap<NflogKey, Timestamp>,
    /// When a receiver last heard anything.
    took: BTreeMap<NflogKey, Timestamp>,
    /// When a node that sends heartbeats last failed to tell.
    failed: BTreeMap<(usize, NflogKey), Timestamp>,
    /// When its last heartbeat was sent.
    beat: Vec<Timestamp>,
}

/// Clocks that are set by less than the engine notices, and the way of news.
const MARGIN: Duration = Duration::from_secs(15);

/// Clocks that are further apart delay that a node tells the end of what another one raised, by as much.
const CLOSE: i64 = 240;

/// What a slow receiver has heard is in the log so soon.
const LOGGED: Duration = Duration::from_secs(25);

/// Within which an alert that is posted steadily has been seen again, by all who hear of it.
const STEADILY: Duration = Duration::from_secs(150);

impl Vigil {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let mut missing = plan.alerts.iter().filter_map(|alert| alert.cause.clone());
        let missing = missing.find(|cause| matches!(cause, Cause::Missing(_)))?;
        let dog = plan.alerts.iter().position(AlertPlan::is_expected)?;
        Some(Self {
            dog,
            since: vec![BTreeMap::from([(missing, Timestamp::MAX)]); plan.nodes],
            lost: vec![BTreeMap::new(); plan.nodes],
            received: vec![Timestamp::EPOCH; plan.nodes],
            received_anywhere: Timestamp::EPOCH,
            heard: BTreeMap::new(),
            took: BTreeMap::new(),
            failed: BTreeMap::new(),
            beat: vec![Timestamp::EPOCH; plan.nodes],
        })
    }

    /// A node's sender posts an alert as firing; the node has a rule for it, or not.
    pub(super) fn posted(&mut self, now: Timestamp, node: usize, alert: usize, expects: bool) {
        if alert == self.dog {
            self.received_anywhere = now;
        }
        if alert == self.dog && expects {
            self.received[node] = now;
            self.seen(now, node);
        }
    }

    /// News reaches a node.
    pub(super) fn arrived(&mut self, now: Timestamp, to: usize, records: &[Record]) {
        if records.iter().any(|record| matches!(record, Record::Seen(_))) {
            self.seen(now, to);
        }
    }

    fn seen(&mut self, now: Timestamp, node: usize) {
        let missing = self.since[node].iter_mut().filter(|(cause, _)| matches!(cause, Cause::Missing(_)));
        missing.for_each(|(_, since)| *since = now);
    }

    /// A node fails to tell something.
    pub(super) fn failed(&mut self, now: Timestamp, node: usize, key: &NflogKey) {
        self.failed.insert((node, key.clone()), now);
    }
}

impl Law {
    /// How long a node waits before it raises this alert; `None` if it does not.
    fn wait(&self, node: usize, alert: &AlertPlan) -> Option<Duration> {
        let (cause, watch) = (alert.cause.as_ref()?, self.rules.shape(node).watch.as_ref()?);
        watch.wait(cause).filter(|_| watch.tag == alert.labels.value("tag"))
    }

    /// A node that starts waits for everything anew, but goes on with what fired when it stopped.
    pub(super) fn watches_anew(&mut self, now: Timestamp, number: usize, node: &Node) {
        let fires = |alert: &&AlertPlan| {
            let mut saved = node.disk.alerts().filter(|saved| saved.ends_at > saved.updated_at);
            saved.any(|saved| saved.labels == alert.labels)
        };
        let raised = self.plan.alerts.iter().filter(|alert| self.wait(number, alert).is_some());
        let raised: Vec<Cause> = raised.filter(fires).filter_map(|alert| alert.cause.clone()).collect();
        let Some(vigil) = &mut self.vigil else { return };
        vigil.since[number].retain(|cause, _| matches!(cause, Cause::Missing(_)));
        vigil.since[number].values_mut().for_each(|since| *since = now);
        vigil.since[number].extend(raised.into_iter().map(|cause| (cause, Timestamp::EPOCH)));
        vigil.lost[number].clear();
        (vigil.received[number], vigil.beat[number]) = (Timestamp::EPOCH, now);
        vigil.failed.retain(|(whose, _), _| *whose != number);
    }

    /// A node is about to follow another policy: what is new is waited for from now on, what is raised goes on.
    pub(super) fn watches_otherwise(&mut self, now: Timestamp, node: usize, shape: usize) {
        let wait = |shape: usize, cause: &Cause| self.plan.shapes[shape].watch.as_ref()?.wait(cause);
        let before = self.rules.follows[node];
        let Some(vigil) = &mut self.vigil else { return };
        for (cause, since) in &mut vigil.since[node] {
            match (wait(before, cause), wait(shape, cause)) {
                (None, Some(_)) => *since = now,
                (Some(wait), Some(_)) if *since + wait <= now + MARGIN => *since = Timestamp::EPOCH,
                _ => {}
            }
        }
    }

    /// A node's clock has shown nothing since an instant, or was set forward: what it did not miss by then it waits for
    /// anew.
    pub(crate) fn slept(&mut self, now: Timestamp, node: usize, from: Timestamp) {
        let Some(watch) = &self.rules.shape(node).watch else { return };
        let Some(vigil) = &mut self.vigil else { return };
        for (cause, since) in &mut vigil.since[node] {
            if watch.wait(cause).is_some_and(|wait| *since + wait > from + MARGIN) {
                *since = now;
            }
        }
    }

    /// A node is told who is here and who is missed.
    pub(crate) fn members(&mut self, now: Timestamp, node: usize, members: &[Member]) {
        let Some(vigil) = &mut self.vigil else { return };
        let lost = members.iter().filter(|member| !member.here);
        let lost: BTreeSet<Cause> = lost.map(|member| Cause::PeerDown(member.peer.name.clone())).collect();
        vigil.lost[node].retain(|cause, _| lost.contains(cause));
        vigil.since[node].retain(|cause, _| matches!(cause, Cause::Missing(_)) || lost.contains(cause));
        for cause in lost {
            vigil.lost[node].entry(cause.clone()).or_insert(now);
            vigil.since[node].entry(cause).or_insert(now);
        }
    }

    /// Nobody tells that something is missing before it can be known, nor while it is there.
    pub(super) fn told_as_missing(&mut self, now: Timestamp, number: usize, alert: usize) {
        let alert = &self.plan.alerts[alert];
        let (Some(vigil), Some(wait), Some(cause)) = (&self.vigil, self.wait(number, alert), &alert.cause) else {
            return;
        };
        let since = vigil.since[number].get(cause).copied().unwrap_or(Timestamp::MAX);
        let early = since + wait > now + MARGIN;
        // What was raised before a policy gave it more time goes on.
        let waits = self.plan.shapes.iter().filter_map(|shape| shape.watch.as_ref()?.wait(cause));
        let shortest = waits.min().unwrap_or(wait);
        let witness = self.witness(now, number, shortest).filter(|_| matches!(cause, Cause::Missing(_)));
        let labels = alert.labels.clone();
        if early {
            self.breaks("Watched", now, &format!("node {number} tells {labels} too early"));
        }
        if let Some(other) = witness {
            self.breaks("Watched", now, &format!("node {number} tells {labels}, which node {other} has seen"));
        }
    }

    /// A node that received the expected alert in time, and whom this one hears, or can ask if it was away.
    fn witness(&self, now: Timestamp, number: usize, wait: Duration) -> Option<usize> {
        let vigil = self.vigil.as_ref()?;
        let settled = |node: usize, at: Timestamp| self.up_since[node] + super::told::SETTLED <= at;
        let heard = |other: &usize| {
            let at = vigil.received[*other];
            let recently = at + MARGIN <= now && at + wait > now + MARGIN;
            let lately = at + wait / 2 > now + MARGIN;
            recently && settled(*other, at) && (settled(number, at) || lately) && self.parted_until <= at
        };
        let mut others = (0..self.plan.nodes).filter(|other| *other != number && self.plan.network.lost_percent == 0);
        others.find(heard)
    }

    /// Whether the node must have raised the alert, a while ago.
    pub(super) fn is_surely_missing(&self, now: Timestamp, node: usize, alert: usize) -> bool {
        let alert = &self.plan.alerts[alert];
        let (Some(vigil), Some(wait), Some(cause)) = (&self.vigil, self.wait(node, alert), &alert.cause) else {
            return false;
        };
        let since = match cause {
            Cause::Missing(_) => Some(vigil.received_anywhere),
            Cause::PeerDown(_) => vigil.lost[node].get(cause).copied(),
        };
        since.is_some_and(|since| since.max(self.calm_since + SETTLE) + wait + MARGIN < now)
    }

    /// Whether nobody misses anything any more.
    pub(super) fn is_surely_back(&self, now: Timestamp, alert: &AlertPlan) -> bool {
        let (Some(vigil), Some(cause)) = (&self.vigil, &alert.cause) else { return false };
        if self.rules.skew > CLOSE {
            return false;
        }
        (0..self.plan.nodes).all(|node| match cause {
            _ if self.wait(node, alert).is_none() => true,
            Cause::Missing(_) => vigil.since[node].get(cause).is_some_and(|since| *since + STEADILY > now),
            Cause::PeerDown(_) => !vigil.lost[node].contains_key(cause),
        })
    }

    /// A node sends its heartbeat: it has received the alert, and somebody was told of it in time, who has taken what came
    /// after a failure.
    pub(crate) fn beat(&mut self, now: Timestamp, node: usize) {
        self.note(now, || format!("heartbeat of node {node}"));
        let Some(vigil) = &mut self.vigil else { return };
        vigil.beat[node] = now;
        let (vigil, shape) = (self.vigil.as_ref().expect("seen above"), self.rules.shape(node));
        let missing = |cause: &&Cause| matches!(cause, Cause::Missing(_));
        let within = vigil.since[node].keys().find(missing).and_then(|cause| shape.watch.as_ref()?.wait(cause));
        let longest = seconds(shape.repeat + 2 * shape.interval + self.rules.skew) + LOGGED;
        let is_proof = |(key, at): (&NflogKey, &Timestamp)| {
            let (failed, took) = (vigil.failed.get(&(node, key.clone())), vigil.took.get(key).unwrap_or(at));
            self.rules.is_in(node, vigil.dog, key)
                && *at + longest >= now
                && failed.is_none_or(|failed| *failed <= *took + LOGGED + seconds(self.rules.skew))
        };
        let told = vigil.heard.iter().any(is_proof);
        if within.is_none_or(|within| vigil.received[node] + within + MARGIN < now) {
            self.breaks("Heartbeat", now, &format!("node {node} has not received what it sends a heartbeat for"));
        } else if !told {
            self.breaks("Heartbeat", now, &format!("node {node} sends a heartbeat for what nobody was told of"));
        }
    }

    /// Heartbeats are sent while everything works, and what failed has been told since. An alert that is told together with
    /// others is told again when any of them was told last, and not in time for a heartbeat.
    pub(super) fn check_beats(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        let Some(vigil) = &self.vigil else { return };
        let sure = self.is_calm(now) && self.plan.network.lost_percent == 0;
        let works = sure && moods.iter().all(|mood| *mood == Mood::Fine);
        let stalled = |node: &usize| {
            let steadily = self.posted[*node].get(&vigil.dog).and_then(|posted| posted.firing_since);
            let goes_the_whole_way = steadily.is_some_and(|since| since + Duration::from_secs(900) < now);
            let interval = self.rules.shape(*node).watch.as_ref().and_then(|watch| watch.beat);
            let is_long_ago = |at: Timestamp| interval.is_some_and(|interval| at + seconds(3 * interval) < now);
            let late = is_long_ago(vigil.beat[*node]);
            let mut failed = vigil
                .failed
                .iter()
                .filter(|((whose, key), _)| whose == node && self.rules.is_in(*node, vigil.dog, key));
            let told_since = failed.all(|((_, key), failed)| {
                vigil.heard.get(key).is_some_and(|heard| heard > failed && is_long_ago(*heard))
            });
            let alone = self.rules.shape(*node).grouped != Grouped::Together;
            nodes[*node].runs() && alone && told_since && goes_the_whole_way && late
        };
        let stalled = (0..nodes.len()).find(|node| works && stalled(node));
        if let Some(node) = stalled {
            self.breaks("Heartbeat", now, &format!("node {node} sends no heartbeat, and everything works"));
        }
    }

    /// A receiver hears that these fire.
    pub(super) fn proved(&mut self, now: Timestamp, key: &NflogKey, firing: &BTreeSet<u64>) {
        let Some(vigil) = &mut self.vigil else { return };
        vigil.took.insert(key.clone(), now);
        if firing.contains(&self.plan.alerts[vigil.dog].hash) {
            vigil.heard.insert(key.clone(), now);
        }
    }
}
