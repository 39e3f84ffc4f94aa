//! The laws, checked by somebody who sees everything and trusts the engine in nothing: what was posted, what is on
//! each disk, and what the receivers heard.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::Engine;
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Change;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::notification::Notification;
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::Timestamp;
use watchbell_engine::version::Version;

use crate::node::{Node, PEER_TIMEOUT};
use crate::plan::{Fault, INTEGRATIONS, Mood, Plan, at};

/// What a receiver heard last of a group.
#[derive(Clone, Debug, Default)]
struct Last {
    firing: BTreeSet<u64>,
    resolved: BTreeSet<u64>,
    flushed_at: Timestamp,
}

/// The observer.
pub(crate) struct Law {
    seed: u64,
    plan: Plan,
    last: BTreeMap<NflogKey, Last>,
    /// Alerts that were ever told as firing.
    announced: BTreeMap<NflogKey, BTreeSet<u64>>,
    /// Integrations of which nobody can know what they heard: a crash fell inside a send.
    excused: BTreeSet<NflogKey>,
    /// A partition excuses everything until this instant.
    parted_until: Timestamp,
    /// Nothing went wrong since.
    calm_since: Timestamp,
    /// Since when each alert should be known to each integration.
    due_since: BTreeMap<(usize, usize), Timestamp>,
    /// The attempts that are under way, by node.
    sending: BTreeSet<(usize, NflogKey)>,
    /// Attempts that failed and may be repeated: when, and what they told.
    failed: BTreeMap<NflogKey, (Timestamp, Labels)>,
    posted: Vec<BTreeMap<Fingerprint, Arc<Alert>>>,
    silences: Vec<BTreeMap<SilenceId, Arc<Silence>>>,
    nflog: Vec<BTreeMap<NflogKey, (Version, Timestamp)>>,
    /// Silences whose makers were told that they hold.
    acknowledged: BTreeSet<(usize, SilenceId)>,
    last_saved: Timestamp,
    pub(crate) heard_count: usize,
    history: DefaultHasher,
}

impl Law {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let nodes = plan.nodes;
        Self {
            seed,
            plan: plan.clone(),
            last: BTreeMap::new(),
            announced: BTreeMap::new(),
            excused: BTreeSet::new(),
            parted_until: Timestamp::EPOCH,
            calm_since: at(0),
            due_since: BTreeMap::new(),
            sending: BTreeSet::new(),
            failed: BTreeMap::new(),
            posted: vec![BTreeMap::new(); nodes],
            silences: vec![BTreeMap::new(); nodes],
            nflog: vec![BTreeMap::new(); nodes],
            acknowledged: BTreeSet::new(),
            last_saved: at(0),
            heard_count: 0,
            history: DefaultHasher::new(),
        }
    }

    fn broken(&self, law: &str, now: Timestamp, what: &str) -> ! {
        let second = now.as_secs() - at(0).as_secs();
        panic!("law {law} is broken in the history of seed {} at second {second}: {what}", self.seed);
    }

    /// A digest of everything that happened.
    pub(crate) fn history(&self) -> u64 {
        self.history.finish()
    }

    pub(crate) fn posted(&mut self, node: usize, alerts: &[Arc<Alert>]) {
        self.posted[node].extend(alerts.iter().map(|alert| (alert.fingerprint(), Arc::clone(alert))));
    }

    /// Somebody was told that a silence holds.
    pub(crate) fn acknowledged(&mut self, node: usize, id: SilenceId) {
        self.acknowledged.insert((node, id));
    }

    /// A change has reached a node's disk.
    pub(crate) fn saved(&mut self, now: Timestamp, node: usize, change: &Change, unsure: &mut Vec<NflogKey>) {
        match change {
            Change::PutSilence(silence) => drop(self.silences[node].insert(silence.id, Arc::clone(silence))),
            Change::PutNflog(entry) => {
                unsure.retain(|key| *key != entry.key);
                self.nflog[node].insert(entry.key.clone(), (entry.version, entry.expires_at));
                // Who does not want to hear of resolved alerts is not told that the last one is; the log knows.
                let last = self.last.get_mut(&entry.key).filter(|_| !wants_resolved(&entry.key));
                if let Some(last) = last.filter(|_| entry.firing.is_empty()) {
                    last.firing.clear();
                }
            }
            _ => return,
        }
        self.last_saved = now;
    }

    pub(crate) fn is_quiet(&self, now: Timestamp) -> bool {
        now.since(self.last_saved) > Duration::from_secs(5)
    }

    /// Hushed: a node decides to tell something.
    pub(crate) fn told(&mut self, now: Timestamp, node: usize, notification: &Notification) {
        (now, node, &notification.key, notification.reason as u8).hash(&mut self.history);
        self.failed.remove(&notification.key);
        self.sending.insert((node, notification.key.clone()));
        for alert in &notification.alerts {
            let labels = &alert.alert.labels;
            let active = |silence: &Arc<Silence>| silence.starts_at <= now && now <= silence.ends_at;
            if let Some(silence) = self.silences[node].values().find(|s| active(s) && s.matches(labels)) {
                self.broken("Hushed", now, &format!("node {node} tells {labels} in spite of silence {}", silence.id));
            }
            if self.inhibitor_of(node, labels, now).is_some() {
                self.broken("Hushed", now, &format!("node {node} tells {labels}, which is inhibited"));
            }
            if is_dev(labels) && self.is_break(now) {
                self.broken("Hushed", now, &format!("node {node} tells {labels} in a muted hour"));
            }
        }
    }

    fn inhibitor_of(&self, node: usize, target: &Labels, now: Timestamp) -> Option<&Labels> {
        let rule = self.plan.policy.inhibit_rules.first()?;
        let muting = |labels: &Labels| self.inhibits(labels, target);
        debug_assert_eq!(rule.equal.len(), 1);
        let firing = self.posted[node].values().filter(|alert| alert.ends_at > now);
        firing.map(|alert| &alert.labels).find(|labels| muting(labels))
    }

    /// The only rule of any plan, in words of its own.
    fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        !self.plan.policy.inhibit_rules.is_empty()
            && source.value("severity") == "critical"
            && target.value("severity") == "warning"
            && source.value("host") == target.value("host")
    }

    fn is_break(&self, now: Timestamp) -> bool {
        let muted = !self.plan.policy.routes[1].mute_time_intervals.is_empty();
        let times = self.plan.policy.time_intervals["break"][0].times.as_ref().expect("a break has times");
        let minute = (now.as_secs() - at(0).as_secs()) / 60 % 1440;
        muted && (i64::from(times[0].first)..i64::from(times[0].last)).contains(&minute)
    }

    /// Once and In order: a receiver hears something.
    pub(crate) fn heard(&mut self, now: Timestamp, notification: &Notification, sender_lives: bool) {
        let key = &notification.key;
        let told = |firing| {
            let some = notification.alerts.iter().filter(move |alert| alert.firing == firing);
            some.map(|alert| alert.alert.labels.log_hash()).collect::<BTreeSet<u64>>()
        };
        let (firing, resolved) = (told(true), told(false));
        (now, key, &firing, &resolved).hash(&mut self.history);
        self.heard_count += 1;
        let excused = !sender_lives || now < self.parted_until || self.excused.remove(key);
        if !excused {
            self.in_order(now, key, &firing, &resolved);
            self.once(now, notification, &firing, &resolved);
        }
        if !sender_lives {
            self.excused.insert(key.clone());
        }
        self.announced.entry(key.clone()).or_default().extend(firing.iter().copied());
        self.last.insert(key.clone(), Last { firing, resolved, flushed_at: notification.flushed_at });
    }

    fn in_order(&self, now: Timestamp, key: &NflogKey, firing: &BTreeSet<u64>, resolved: &BTreeSet<u64>) {
        let announced = self.announced.get(key).cloned().unwrap_or_default();
        if let Some(unknown) = resolved.difference(&announced).next() {
            self.broken("In order", now, &format!("{key:?} hears that {unknown} is resolved, of which it never heard"));
        }
        let over = |alert: &crate::plan::AlertPlan| {
            let stale = Duration::from_secs(240 + 60);
            let fires = alert.episodes.iter().any(|(from, until)| at(*from) <= now && now <= at(*until) + stale);
            firing.contains(&alert.labels.log_hash()) && !fires
        };
        if let Some(alert) = self.plan.alerts.iter().find(|alert| over(alert)).filter(|_| self.is_calm(now)) {
            self.broken("In order", now, &format!("{key:?} hears that {} fires, which is long over", alert.labels));
        }
    }

    fn once(&self, now: Timestamp, notification: &Notification, firing: &BTreeSet<u64>, resolved: &BTreeSet<u64>) {
        let key = &notification.key;
        let Some(last) = self.last.get(key) else { return };
        let news = !firing.is_subset(&last.firing)
            || (firing.is_empty() && !last.firing.is_empty())
            || (wants_resolved(key) && !resolved.is_subset(&last.resolved));
        let repeat = self.route_of(key).repeat_interval;
        let due = last.flushed_at + repeat <= notification.flushed_at + PEER_TIMEOUT;
        if !news && !due {
            self.broken("Once", now, &format!("{key:?} hears again what it knew: {firing:?}, resolved {resolved:?}"));
        }
    }

    fn route_of(&self, key: &NflogKey) -> &watchbell_engine::policy::Route {
        &self.plan.policy.routes[usize::from(key.receiver == "dev")]
    }

    fn is_calm(&self, now: Timestamp) -> bool {
        self.calm_since + Duration::from_secs(900) < now
    }

    /// A node starts while nobody lives who could say what was told without it.
    pub(crate) fn alone(&mut self) {
        self.excused.extend(self.last.keys().cloned());
    }

    /// Something goes wrong or is put right.
    pub(crate) fn disturbed(&mut self, now: Timestamp, fault: Fault, nodes: &[Node]) {
        self.calm_since = now;
        self.due_since.clear();
        if !matches!(fault, Fault::Receiver(..) | Fault::Reload) {
            self.failed.clear();
        }
        match fault {
            Fault::Crash(node) => {
                self.excused.extend(nodes[node].unsure.iter().cloned());
                self.posted[node].clear();
                self.sending.retain(|(sender, _)| *sender != node);
            }
            Fault::Cut(..) => self.parted_until = Timestamp::MAX,
            Fault::Heal if nodes.len() > 1 && self.parted_until == Timestamp::MAX => {
                self.parted_until = now + Duration::from_secs(600);
                self.excused.extend(self.last.keys().cloned());
            }
            _ => {}
        }
    }

    /// Kept: what was on the disk is known after a restart, and what was ended stays so.
    pub(crate) fn restarted(&self, now: Timestamp, node: usize, engine: &Engine) {
        for (id, silence) in self.silences[node].iter().filter(|(_, silence)| silence.forget_at > now) {
            let known = engine.view().silences().get(*id);
            if known.is_none_or(|known| known.version < silence.version) {
                self.broken("Kept", now, &format!("node {node} lost silence {id}, or knows an older state of it"));
            }
        }
        let mine = self.acknowledged.iter().filter(|(whose, _)| *whose == node);
        if let Some((_, id)) = mine.clone().find(|(_, id)| !self.silences[node].contains_key(id)) {
            self.broken("Kept", now, &format!("silence {id} was acknowledged by node {node} and is not on its disk"));
        }
        for (key, (version, expires_at)) in &self.nflog[node] {
            let known = engine.told(key).map(|entry| entry.version);
            if *expires_at > now && known < Some(*version) {
                self.broken("Kept", now, &format!("node {node} forgot what it told {key:?}"));
            }
        }
    }

    /// An attempt is over. If it failed and no other is under way, what is news for as long as it fires must be tried
    /// again.
    pub(crate) fn over(&mut self, now: Timestamp, node: usize, notification: &Notification, retry: bool) {
        let key = &notification.key;
        self.sending.remove(&(node, key.clone()));
        if !retry || self.sending.iter().any(|(_, sending)| sending == key) {
            return;
        }
        let last = self.last.get(&notification.key);
        let is_news = |hash| last.is_none_or(|last| !last.firing.contains(&hash));
        let mut firing = notification.alerts.iter().filter(|alert| alert.firing);
        if let Some(alert) = firing.find(|alert| is_news(alert.alert.labels.log_hash())) {
            self.failed.insert(notification.key.clone(), (now, alert.alert.labels.clone()));
        }
    }

    /// Heard, within the retry budget: what failed is tried again, and not only when the group is flushed next.
    fn check_retries(&mut self, now: Timestamp, moods: &[Mood]) {
        let others = PEER_TIMEOUT * u32::try_from(self.plan.nodes).expect("a handful");
        let budget = Duration::from_secs(90 + 10) + others;
        for (key, (at, labels)) in std::mem::take(&mut self.failed) {
            let fine = INTEGRATIONS.iter().zip(moods).any(|((receiver, kind, index, _), mood)| {
                (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index)
                    && *mood == Mood::Fine
            });
            let alert = self.plan.alerts.iter().position(|alert| alert.labels == labels);
            let unmuted = alert.is_some_and(|alert| self.should_be_known(now, alert));
            if fine && unmuted && now.since(at) > budget {
                self.broken("Heard", now, &format!("{key:?} failed and was not tried again"));
            }
            if unmuted {
                self.failed.insert(key, (at, labels));
            }
        }
    }

    /// Heard: whoever should know of a firing alert for long enough, knows.
    pub(crate) fn check(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        self.check_retries(now, moods);
        let some_node_lives = nodes.iter().any(|node| node.engine.is_some());
        for (a, alert) in self.plan.alerts.iter().enumerate() {
            for (i, (receiver, kind, index, _)) in INTEGRATIONS.iter().enumerate() {
                let routed = (*receiver == "dev") == is_dev(&alert.labels);
                let due = routed && some_node_lives && moods[i] == Mood::Fine && self.should_be_known(now, a);
                if !due {
                    self.due_since.remove(&(a, i));
                    continue;
                }
                let since = *self.due_since.entry((a, i)).or_insert(now);
                if now.since(since) > self.patience(receiver) && !self.is_known(a, receiver, kind, *index) {
                    let labels = &alert.labels;
                    self.broken("Heard", now, &format!("{receiver}/{kind}[{index}] knows nothing of {labels}"));
                }
            }
        }
    }

    /// Group wait and interval (or an attempt that hangs for as long), a wait for every other node, a resend and its
    /// phase, the longest back-off, a slow answer.
    fn patience(&self, receiver: &str) -> Duration {
        let route = &self.plan.policy.routes[usize::from(receiver == "dev")];
        let others = PEER_TIMEOUT * u32::try_from(self.plan.nodes).expect("a handful");
        route.group_wait + route.group_interval + others + Duration::from_secs(60 + 30 + 90 + 40)
    }

    fn is_known(&self, alert: usize, receiver: &str, kind: &str, index: u32) -> bool {
        let hash = self.plan.alerts[alert].labels.log_hash();
        self.last.iter().any(|(key, last)| {
            let whom = (key.receiver.as_str(), key.integration.as_str(), key.index);
            whom == (receiver, kind, index) && last.firing.contains(&hash)
        })
    }

    /// Whether the alert fires and nothing mutes it, generously judged.
    fn should_be_known(&self, now: Timestamp, alert: usize) -> bool {
        let labels = &self.plan.alerts[alert].labels;
        let fires = |number: usize, slack: u64| {
            let slack = Duration::from_secs(slack);
            let episodes = &self.plan.alerts[number].episodes;
            episodes.iter().any(|(from, until)| at(*from) <= now && now <= at(*until) + slack)
        };
        let silenced = self.plan.silences.iter().any(|silence| {
            let until = silence.expired.map_or(silence.ends, |expired| expired.min(silence.ends).max(silence.made));
            let spans = at(silence.starts) <= now && now <= at(silence.ends.max(until));
            spans && silence.matcher.matches(labels)
        });
        let mut others = 0..self.plan.alerts.len();
        let inhibited =
            others.any(|other| self.inhibits(&self.plan.alerts[other].labels, labels) && fires(other, 1200));
        let on_a_break = is_dev(labels) && self.is_break(now);
        fires(alert, 0) && !silenced && !inhibited && !on_a_break
    }

    /// Agreed: nodes that can speak to each other hold the same records.
    pub(crate) fn agreed(&self, nodes: &[Node]) {
        let mut alive = nodes.iter().enumerate().filter(|(_, node)| node.engine.is_some());
        let Some((_, first)) = alive.next() else { return };
        let records = first.records();
        for (number, node) in alive {
            if node.records() != records {
                self.broken("Agreed", self.last_saved, &format!("node {number} and the first differ"));
            }
        }
    }

    /// Bounded: when everything is over, nothing is left and nothing is waited for.
    pub(crate) fn at_the_end(&self, now: Timestamp, nodes: &[Node]) {
        for (number, node) in nodes.iter().enumerate() {
            let Some(engine) = &node.engine else { self.broken("Bounded", now, "a node never came back") };
            let left = (engine.load(), engine.view().alert_count(), engine.view().groups().count(), node.disk.len());
            if left != ((0, 0), 0, 0, 0) {
                self.broken(
                    "Bounded",
                    now,
                    &format!("node {number} keeps timers, attempts, alerts, groups, records: {left:?}"),
                );
            }
        }
    }
}

fn wants_resolved(key: &NflogKey) -> bool {
    INTEGRATIONS.iter().any(|(receiver, kind, index, wants)| {
        (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index) && *wants
    })
}

fn is_dev(labels: &Labels) -> bool {
    labels.value("team") == "dev"
}
