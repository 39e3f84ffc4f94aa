//! The laws, checked by somebody who sees everything and trusts the engine in nothing: what was posted, what is on
//! each disk, and what the receivers heard. What cannot be helped is excused here and nowhere else (`excused`).

mod excused;
mod heard;
mod kept;
mod mute;
mod receiver;
mod rules;
mod told;
mod vigil;

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

use crate::plan::{Plan, at};

use receiver::Receiver;
use rules::Rules;
use vigil::Vigil;

/// The observer.
pub(crate) struct Law {
    /// The first breach.
    pub(crate) broken: Option<String>,
    /// What was told and heard, if it is to be written down.
    pub(crate) story: Option<Vec<String>>,
    plan: Plan,
    rules: Rules,
    /// What is watched over, if anything is.
    vigil: Option<Vigil>,
    /// What each receiver made of what it heard of a group.
    receivers: BTreeMap<NflogKey, Receiver>,
    /// Integrations of which nobody can know what they heard: a crash fell inside a send.
    excused: BTreeSet<NflogKey>,
    /// What nodes decided to tell while messages were lost.
    unsure: BTreeSet<(usize, NflogKey)>,
    /// The node that started, or went on, without anybody who could say what was told before, until another one comes.
    by_itself: Option<usize>,
    /// Nodes that went away knowing something that no other does, until they are back.
    away: BTreeSet<usize>,
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
            vigil: Vigil::of(plan),
            plan: plan.clone(),
            receivers: BTreeMap::new(),
            excused: BTreeSet::new(),
            unsure: BTreeSet::new(),
            by_itself: None,
            away: BTreeSet::new(),
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
        self.vigil.iter_mut().for_each(|vigil| vigil.arrived(now, to, records));
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
        let expects = self.rules.expects(node);
        self.vigil.iter_mut().filter(|_| fires).for_each(|vigil| vigil.posted(now, node, alert, expects));
        let before = self.posted[node].get(&alert).and_then(|posted| posted.firing_since);
        let firing_since = fires.then(|| before.unwrap_or(now));
        // What a sender vouched for is not taken back by an end that lies ahead.
        let vouched = self.posted[node].get(&alert).filter(|_| fires).map(|posted| posted.ends_at);
        let ends_at = vouched.map_or(report.ends_at, |vouched| vouched.max(report.ends_at));
        self.posted[node].insert(alert, Posted { ends_at, firing_since });
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

    /// What no log knows, nobody can tell the end of. What was heard since will be in one.
    fn forgotten(&mut self, node: usize, key: &NflogKey) {
        let Some(entry) = self.nflog[node].remove(key) else { return };
        let logs: Vec<_> = self.nflog.iter().filter_map(|log| log.get(key)).collect();
        let Some(receiver) = self.receivers.get_mut(key) else { return };
        let heard_since = receiver.flushed_at > entry.timestamp;
        let known = |hash: &u64| {
            logs.iter().any(|log| log.tells_firing(*hash)) || heard_since && receiver.told_last.contains(hash)
        };
        let unknown: Vec<u64> = receiver.firing.iter().copied().filter(|hash| !known(hash)).collect();
        receiver.firing.retain(|hash| !unknown.contains(hash));
        self.wait_anew(&unknown);
    }

    pub(crate) fn is_quiet(&self, now: Timestamp) -> bool {
        now.since(self.last_saved) > Duration::from_secs(5)
    }
}

fn name(key: &NflogKey) -> String {
    format!("{}/{}[{}] {}", key.receiver, key.integration, key.index, key.group_key)
}
