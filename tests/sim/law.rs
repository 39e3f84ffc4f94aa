//! The laws, checked by somebody who sees everything and trusts the engine in nothing: what was posted, what is on
//! each disk, and what the receivers heard. What cannot be helped is excused here and nowhere else.

mod heard;
mod kept;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Change;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::policy::Route;
use watchbell_engine::replica::Record;
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::Timestamp;

use crate::node::Node;
use crate::plan::{Fault, INTEGRATIONS, Plan, at};

/// The observer.
pub(crate) struct Law {
    /// The first breach.
    pub(crate) broken: Option<String>,
    /// What was told and heard, if it is to be written down.
    pub(crate) story: Option<Vec<String>>,
    plan: Plan,
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
    over_since: BTreeMap<(NflogKey, u64), Timestamp>,
    /// The attempts that are under way, by node, and what they tell as firing.
    sending: BTreeMap<(usize, NflogKey), BTreeSet<u64>>,
    /// Attempts that failed and may be repeated: when, and what they told.
    failed: BTreeMap<NflogKey, (Timestamp, Labels)>,
    /// What each node's sender said last in the node's present life.
    posted: Vec<BTreeMap<Fingerprint, Posted>>,
    up_since: Vec<Timestamp>,
    silences: Vec<BTreeMap<SilenceId, Arc<Silence>>>,
    nflog: Vec<BTreeMap<NflogKey, Arc<NflogEntry>>>,
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

/// What a receiver knows.
#[derive(Clone, Debug, Default)]
struct Receiver {
    /// The alerts that it believes to fire.
    firing: BTreeSet<u64>,
    /// The alerts that were ever told to it as firing, or may have been.
    announced: BTreeSet<u64>,
    /// The alerts that may have been told to it, by a node that died or gave up waiting.
    perhaps: BTreeSet<u64>,
    /// The alerts that it heard of before a partition ended: of two logs that were written apart the newer one stays, so
    /// that one of these may be told once more, or be taken for told.
    apart: BTreeSet<u64>,
    /// When the group was flushed for what it heard last.
    flushed_at: Timestamp,
}

/// A posted alert, and since when it is posted as firing.
struct Posted {
    alert: Arc<Alert>,
    firing_since: Option<Timestamp>,
}

impl Law {
    pub(crate) fn new(plan: &Plan) -> Self {
        let nodes = plan.nodes;
        Self {
            broken: None,
            story: None,
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

    pub(crate) fn posted(&mut self, now: Timestamp, node: usize, alerts: &[Arc<Alert>]) {
        for alert in alerts {
            let fires = alert.ends_at > alert.updated_at;
            self.note(now, || format!("    posted to {node}: {} fires: {fires}", alert.labels));
            let before = self.posted[node].get(&alert.fingerprint()).and_then(|posted| posted.firing_since);
            let firing_since = fires.then(|| before.unwrap_or(now));
            self.posted[node].insert(alert.fingerprint(), Posted { alert: Arc::clone(alert), firing_since });
        }
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
        self.calm_since = now;
        self.due_since.clear();
        self.over_since.clear();
        if !matches!(fault, Fault::Receiver(..) | Fault::Reload) {
            self.failed.clear();
        }
        match fault {
            Fault::Cut(..) => self.parted_until = Timestamp::MAX,
            Fault::Heal if nodes.len() > 1 && self.parted_until == Timestamp::MAX => {
                self.parted_until = now + Duration::from_secs(600);
                self.excused.extend(self.receivers.keys().cloned());
                self.receivers.values_mut().for_each(|receiver| receiver.apart.clone_from(&receiver.announced));
            }
            Fault::SetClock(..) => self.shaken_until = now + Duration::from_secs(60),
            _ => {}
        }
    }

    pub(crate) fn crashed(&mut self, now: Timestamp, number: usize, node: &Node) {
        self.calm_since = now;
        self.due_since.clear();
        self.over_since.clear();
        self.failed.clear();
        self.excused.extend(node.unsure.iter().cloned());
        self.posted[number].clear();
        let (dead, alive) = std::mem::take(&mut self.sending).into_iter().partition(|((node, _), _)| *node == number);
        self.sending = alive;
        let dead: BTreeMap<(usize, NflogKey), BTreeSet<u64>> = dead;
        dead.into_iter().for_each(|((_, key), firing)| self.perhaps_heard(&key, &firing));
    }

    fn perhaps_heard(&mut self, key: &NflogKey, firing: &BTreeSet<u64>) {
        let receiver = self.receivers.entry(key.clone()).or_default();
        receiver.announced.extend(firing);
        receiver.perhaps.extend(firing);
    }

    fn is_calm(&self, now: Timestamp) -> bool {
        self.calm_since + Duration::from_secs(900) < now
    }

    fn route_of(&self, key: &NflogKey) -> &Route {
        &self.plan.policy.routes[usize::from(key.receiver == "dev")]
    }

    /// Whether the alert fires on the node for all that its sender said, unmuted, for a few seconds already.
    fn surely_fires(&self, now: Timestamp, node: &Node, number: usize, alert: &Posted) -> bool {
        let clock = node.clock(now);
        let settled = self.up_since[number] + Duration::from_secs(40) <= now;
        let fires = alert.firing_since.is_some_and(|since| since + Duration::from_secs(5) <= now);
        settled && fires && alert.alert.ends_at > clock && self.mute(node, number, &alert.alert.labels, now).is_none()
    }

    /// Why the node must not tell the alert, by what it knows.
    fn mute(&self, node: &Node, number: usize, labels: &Labels, now: Timestamp) -> Option<String> {
        let clock = node.clock(now);
        let hushes = |silence: &&Arc<Silence>| {
            let ended = silence.ends_at <= silence.updated_at || self.ending.contains(&(number, silence.id));
            !ended && silence.starts_at <= clock && clock <= silence.ends_at && silence.matches(labels)
        };
        let silenced = self.silences[number].values().find(hushes).map(|silence| format!("by silence {}", silence.id));
        let firing = || self.posted[number].values().map(|posted| &posted.alert).filter(|alert| alert.ends_at > clock);
        let inhibited = || firing().any(|alert| self.inhibits(&alert.labels, labels)).then(|| "by inhibition".into());
        let paused = || (is_dev(labels) && self.is_break(clock, 0)).then(|| "by the hour".into());
        silenced.or_else(inhibited).or_else(paused)
    }

    /// The only rule of any plan, in words of its own.
    fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        !self.plan.policy.inhibit_rules.is_empty()
            && source.value("severity") == "critical"
            && target.value("severity") == "warning"
            && source.value("host") == target.value("host")
    }

    /// Whether there is a break at `clock`, or less than `minutes` away.
    fn is_break(&self, clock: Timestamp, minutes: i64) -> bool {
        let muted = !self.plan.policy.routes[1].mute_time_intervals.is_empty();
        let times = self.plan.policy.time_intervals["break"][0].times.as_ref().expect("a break has times");
        let minute = (clock.as_secs() - at(0).as_secs()).div_euclid(60);
        let (first, last) = (i64::from(times[0].first) - minutes, i64::from(times[0].last) + minutes);
        muted && (first..last).contains(&minute)
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
        let Some(receiver) = self.receivers.get_mut(&entry.key).filter(|_| !wants_resolved(&entry.key)) else { return };
        let over: Vec<u64> = receiver.firing.iter().copied().filter(|hash| !entry.tells_firing(*hash)).collect();
        receiver.firing.retain(|hash| entry.tells_firing(*hash));
        self.wait_anew(&over);
    }

    /// Who was told that it is over must be told of these alerts anew, in time.
    fn wait_anew(&mut self, over: &[u64]) {
        self.due_since.retain(|(alert, ..), _| !over.contains(&self.plan.alerts[*alert].labels.log_hash()));
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

fn wants_resolved(key: &NflogKey) -> bool {
    INTEGRATIONS.iter().any(|(receiver, kind, index, wants)| {
        (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index) && *wants
    })
}

fn is_dev(labels: &Labels) -> bool {
    labels.value("team") == "dev"
}
