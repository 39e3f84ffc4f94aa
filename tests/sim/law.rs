//! The laws, checked by somebody who sees everything and trusts the engine in nothing: what was posted, what is on
//! each disk, and what the receivers heard. What cannot be helped is excused here and nowhere else.

mod heard;
mod kept;
mod mute;
mod rules;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Change;
use watchbell_engine::intent::Intent;
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::replica::Record;
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::Timestamp;

use crate::node::Node;
use crate::plan::{Fault, INTEGRATIONS, Plan, at};

use rules::Rules;

/// The observer.
pub(crate) struct Law {
    /// The first breach.
    pub(crate) broken: Option<String>,
    /// What was told and heard, if it is to be written down.
    pub(crate) story: Option<Vec<String>>,
    plan: Plan,
    rules: Rules,
    /// What each receiver made of what it heard of a group.
    receivers: BTreeMap<NflogKey, Receiver>,
    /// Integrations of which nobody can know what they heard: a crash fell inside a send.
    excused: BTreeSet<NflogKey>,
    /// What nodes decided to tell while messages were lost.
    unsure: BTreeSet<(usize, NflogKey)>,
    /// A partition excuses duplicates until this instant, a lost message or a clock that was set until this one.
    parted_until: Timestamp,
    shaken_until: Timestamp,
    /// Nothing went wrong since.
    calm_since: Timestamp,
    /// Since when each alert should be told to each integration by each node.
    due_since: BTreeMap<(usize, usize, usize), Timestamp>,
    /// Since when each alert should be told to be over.
    over_since: BTreeMap<(NflogKey, usize), Timestamp>,
    /// The attempts that are under way, by node.
    sending: BTreeMap<(usize, NflogKey), Sending>,
    /// Attempts that failed and may be repeated: when, and what they told.
    failed: BTreeMap<NflogKey, (Timestamp, usize)>,
    /// What each node's sender said last of each alert in the node's present life.
    posted: Vec<BTreeMap<usize, Posted>>,
    up_since: Vec<Timestamp>,
    /// What is on each node's disk.
    silences: Vec<BTreeMap<SilenceId, Arc<Silence>>>,
    nflog: Vec<BTreeMap<NflogKey, Arc<NflogEntry>>>,
    intents: Vec<BTreeMap<NflogKey, Arc<Intent>>>,
    /// Silences whose makers were told that they hold, and when those who ended one were told so.
    acknowledged: BTreeSet<(usize, SilenceId)>,
    ended: BTreeMap<SilenceId, (usize, Timestamp)>,
    /// Silences that a node was asked to end.
    ending: BTreeSet<(usize, SilenceId)>,
    /// Alerts that no disk may know any more.
    lost: BTreeSet<u64>,
    last_saved: Timestamp,
    pub(crate) heard_count: usize,
    history: DefaultHasher,
}

/// An attempt under way.
struct Sending {
    /// The alerts that it tells of.
    alerts: BTreeSet<u64>,
    /// After how long the node that makes it repeats what is unchanged.
    repeat: Duration,
}

/// What a receiver knows of a group.
struct Receiver {
    /// The number of its integration.
    integration: usize,
    /// The alerts that it believes to fire.
    firing: BTreeSet<u64>,
    /// The alerts that were ever told to it as firing, or may have been.
    announced: BTreeSet<u64>,
    /// The alerts of which it may have been told, by a node that died or gave up waiting: it may believe them to fire or to
    /// be over.
    perhaps: BTreeSet<u64>,
    /// The alerts that it heard of before a partition ended: of two logs that were written apart the newer one stays, so
    /// that one of these may be told once more, or be taken for told.
    apart: BTreeSet<u64>,
    /// When the group was flushed for what it heard last.
    flushed_at: Timestamp,
}

/// A posted alert: until when its sender vouches for it, by the node's clock, and since when it is posted as firing.
struct Posted {
    ends_at: Timestamp,
    firing_since: Option<Timestamp>,
}

impl Law {
    pub(crate) fn new(plan: &Plan) -> Self {
        let nodes = plan.nodes;
        Self {
            broken: None,
            story: None,
            rules: Rules::of(plan),
            plan: plan.clone(),
            receivers: BTreeMap::new(),
            excused: BTreeSet::new(),
            unsure: BTreeSet::new(),
            parted_until: Timestamp::EPOCH,
            shaken_until: Timestamp::EPOCH,
            calm_since: at(0),
            due_since: BTreeMap::new(),
            over_since: BTreeMap::new(),
            sending: BTreeMap::new(),
            failed: BTreeMap::new(),
            posted: (0..nodes).map(|_| BTreeMap::new()).collect(),
            up_since: vec![at(0); nodes],
            silences: vec![BTreeMap::new(); nodes],
            nflog: vec![BTreeMap::new(); nodes],
            intents: vec![BTreeMap::new(); nodes],
            acknowledged: BTreeSet::new(),
            ended: BTreeMap::new(),
            ending: BTreeSet::new(),
            lost: BTreeSet::new(),
            last_saved: at(0),
            heard_count: 0,
            history: DefaultHasher::new(),
        }
    }

    /// A digest of everything that happened.
    pub(crate) fn history(&self) -> u64 {
        self.history.finish()
    }

    fn breaks(&mut self, law: &str, now: Timestamp, what: &str) {
        let second = now.as_secs() - at(0).as_secs();
        self.broken.get_or_insert_with(|| format!("law {law} is broken at second {second}: {what}"));
    }

    fn note(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:10.3} {}", (now.as_micros() - at(0).as_micros()) as f64 / 1e6, line()));
        }
    }

    /// News reaches a node.
    pub(crate) fn arrived(&mut self, now: Timestamp, from: usize, to: usize, records: &[Record]) {
        let told = self.story.is_some();
        for record in records.iter().filter(|_| told) {
            let what = match record {
                Record::Claim(claim) => {
                    format!("{:?} {} {:?}", claim.state, name(&claim.key), claim.alerts)
                }
                Record::Sighting(seen) => format!("{} fires {:?}, owed {:?}", name(&seen.key), seen.firing, seen.owed),
                Record::Ended(alert) => format!("{} ended", alert.labels),
                Record::Seen(seen) => format!("saw {}", seen.expect),
                Record::Raised(raised) => format!("raised {:016x}", raised.fingerprint.0),
                Record::Silence(_) | Record::Nflog(_) => continue,
            };
            self.note(now, || format!("    {from} to {to}: {what}"));
        }
    }

    pub(crate) fn posted(&mut self, now: Timestamp, node: usize, alert: usize, report: &Arc<Alert>) {
        let fires = report.ends_at > report.updated_at;
        self.note(now, || format!("    posted to {node}: {} fires: {fires}", report.labels));
        let before = self.posted[node].get(&alert).and_then(|posted| posted.firing_since);
        let firing_since = fires.then(|| before.unwrap_or(now));
        // What a sender vouched for is not taken back by an end that lies ahead.
        let vouched = self.posted[node].get(&alert).filter(|_| fires).map(|posted| posted.ends_at);
        let ends_at = vouched.map_or(report.ends_at, |vouched| vouched.max(report.ends_at));
        self.posted[node].insert(alert, Posted { ends_at, firing_since });
    }

    /// A message between nodes was lost, or a clock was set.
    pub(crate) fn shaken(&mut self, now: Timestamp) {
        self.shaken_until = self.shaken_until.max(now + Duration::from_secs(10));
    }

    /// A node starts while nobody lives who could say what was told without it.
    pub(crate) fn alone(&mut self) {
        self.excused.extend(self.receivers.keys().cloned());
    }

    /// A node dies before it could say this.
    pub(crate) fn unpublished<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        let key = |record: &Record| match record {
            Record::Nflog(entry) => Some(entry.key.clone()),
            _ => None,
        };
        self.excused.extend(records.filter_map(key));
    }

    /// Something goes wrong or is put right.
    pub(crate) fn disturbed(&mut self, now: Timestamp, fault: Fault, nodes: &[Node]) {
        self.note(now, || format!("{fault:?}"));
        self.unsettled(now);
        if !matches!(fault, Fault::Receiver(..)) {
            self.failed.clear();
        }
        match fault {
            Fault::Cut(..) => {
                self.parted_until = Timestamp::MAX;
                let sending: Vec<_> =
                    self.sending.iter().map(|((_, key), s)| (key.clone(), s.alerts.clone())).collect();
                sending.iter().for_each(|(key, alerts)| self.receiver(key).announced.extend(alerts));
            }
            Fault::Heal if nodes.len() > 1 && self.parted_until == Timestamp::MAX => {
                self.parted_until = now + Duration::from_secs(600);
                self.excused.extend(self.receivers.keys().cloned());
                self.receivers.values_mut().for_each(|receiver| receiver.apart.clone_from(&receiver.announced));
            }
            Fault::SetClock(..) => self.shaken_until = now + Duration::from_secs(60),
            _ => {}
        }
    }

    /// Whatever was waited for is waited for anew.
    fn unsettled(&mut self, now: Timestamp) {
        self.calm_since = now;
        self.due_since.clear();
        self.over_since.clear();
    }

    /// The others have noticed that a node is not there any more: they do what it began, and it may have finished it.
    pub(crate) fn missed(&mut self, number: usize, node: &Node) {
        self.excused.extend(node.unsure.iter().cloned());
        let sending: Vec<_> = self.sending.extract_if(.., |(sender, _), _| *sender == number).collect();
        for ((_, key), sending) in sending {
            self.perhaps_heard(&key, &sending.alerts);
            if node.paused_since.is_some() {
                self.excused.insert(key.clone());
                self.unsure.insert((number, key));
            }
        }
    }

    /// A node that stood still goes on.
    pub(crate) fn resumed(&mut self, now: Timestamp, number: usize) {
        self.up_since[number] = now;
    }

    /// A node follows another policy from now on.
    pub(crate) fn reshaped(&mut self, node: usize, shape: usize) {
        self.rules.follows[node] = shape;
    }

    pub(crate) fn crashed(&mut self, now: Timestamp, number: usize, node: &Node) {
        self.unsettled(now);
        self.failed.clear();
        self.missed(number, node);
        self.posted[number].clear();
    }

    fn perhaps_heard(&mut self, key: &NflogKey, alerts: &BTreeSet<u64>) {
        let receiver = self.receiver(key);
        receiver.announced.extend(alerts);
        receiver.perhaps.extend(alerts);
    }

    fn receiver(&mut self, key: &NflogKey) -> &mut Receiver {
        self.receivers.entry(key.clone()).or_insert_with(|| Receiver::new(key))
    }

    fn is_calm(&self, now: Timestamp) -> bool {
        self.calm_since + Duration::from_secs(900) < now
    }

    /// A change has reached a node's disk.
    pub(crate) fn saved(&mut self, now: Timestamp, node: usize, change: &Change, unsure: &mut Vec<NflogKey>) {
        match change {
            Change::PutSilence(silence) => drop(self.silences[node].insert(silence.id, Arc::clone(silence))),
            Change::PutNflog(entry) => {
                unsure.retain(|key| *key != entry.key);
                self.nflog[node].insert(entry.key.clone(), Arc::clone(entry));
                self.silently_over(entry);
            }
            Change::DeleteNflog(key) => self.forgotten(node, key),
            Change::PutIntent(intent) => drop(self.intents[node].insert(intent.key.clone(), Arc::clone(intent))),
            Change::DeleteIntent(key) => drop(self.intents[node].remove(key)),
            _ => return,
        }
        if let Change::PutNflog(entry) = change {
            let (name, told) = (name(&entry.key), (&entry.firing, &entry.resolved, entry.version));
            self.note(now, || format!("node {node} saves {name}: {told:?}"));
        }
        self.last_saved = now;
    }

    /// Who does not want to hear of resolved alerts is not told that one is; the log knows.
    fn silently_over(&mut self, entry: &NflogEntry) {
        let Some(receiver) = self.receivers.get_mut(&entry.key).filter(|receiver| !receiver.wants_resolved()) else {
            return;
        };
        let over: Vec<u64> = receiver.firing.iter().copied().filter(|hash| !entry.tells_firing(*hash)).collect();
        receiver.firing.retain(|hash| entry.tells_firing(*hash));
        self.wait_anew(&over);
    }

    /// Who was told that it is over must be told of these alerts anew, in time.
    fn wait_anew(&mut self, over: &[u64]) {
        self.due_since.retain(|(alert, ..), _| !over.contains(&self.plan.alerts[*alert].hash));
    }

    /// What no log knows, nobody can tell the end of.
    fn forgotten(&mut self, node: usize, key: &NflogKey) {
        self.nflog[node].remove(key);
        if let Some(receiver) =
            self.receivers.get_mut(key).filter(|_| !self.nflog.iter().any(|log| log.contains_key(key)))
        {
            receiver.firing.clear();
        }
    }

    pub(crate) fn is_quiet(&self, now: Timestamp) -> bool {
        now.since(self.last_saved) > Duration::from_secs(5)
    }
}

fn name(key: &NflogKey) -> String {
    format!("{}/{}[{}] {}", key.receiver, key.integration, key.index, key.group_key)
}

/// The number of the integration that a log entry is about.
fn integration_of(key: &NflogKey) -> usize {
    let is_it = |(receiver, kind, index, _): &(&str, &str, u32, bool)| {
        (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index)
    };
    INTEGRATIONS.iter().position(is_it).expect("every integration is in the list")
}

impl Receiver {
    fn new(key: &NflogKey) -> Self {
        Self {
            integration: integration_of(key),
            firing: BTreeSet::new(),
            announced: BTreeSet::new(),
            perhaps: BTreeSet::new(),
            apart: BTreeSet::new(),
            flushed_at: Timestamp::EPOCH,
        }
    }

    fn wants_resolved(&self) -> bool {
        INTEGRATIONS[self.integration].3
    }
}
