//! Heard: what fires is told in time, what fails is tried again, and what was told is told to be over.

use std::collections::BTreeMap;
use std::time::Duration;

use watchbell_engine::time::Timestamp;

use super::receiver::integration_of;
use super::{Law, name};
use crate::node::Node;
use crate::plan::{INTEGRATIONS, Mood};

impl Law {
    /// Whoever should know of a firing alert for long enough, knows.
    pub(crate) fn check(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        let unmuted: Vec<bool> = (0..self.plan.alerts.len()).map(|alert| self.is_unmuted(now, alert)).collect();
        self.check_retries(now, nodes, moods, &unmuted);
        self.check_ends(now, nodes, moods, &unmuted);
        self.check_ended_silences(now, nodes);
        self.check_beats(now, nodes, moods);
        for (alert, unmuted) in unmuted.iter().enumerate() {
            for (integration, mood) in moods.iter().enumerate() {
                for (number, node) in nodes.iter().enumerate() {
                    let told = *unmuted && *mood == Mood::Fine && node.runs();
                    let due = told
                        && self.rules.is_told(number, alert, integration)
                        && (self.plan.alerts[alert].fires(number, now, 0)
                            || self.is_surely_missing(now, number, alert));
                    self.check_known(now, (alert, integration, number), due);
                }
            }
        }
    }

    fn check_known(&mut self, now: Timestamp, which: (usize, usize, usize), due: bool) {
        if !due {
            self.due_since.remove(&which);
            return;
        }
        let (alert, integration, node) = which;
        let since = *self.due_since.entry(which).or_insert(now);
        if now.since(since) > self.rules.patience() && !self.is_known(now, alert, integration) {
            let (labels, (receiver, kind, index, _)) = (&self.plan.alerts[alert].labels, INTEGRATIONS[integration]);
            let what = format!("{receiver}/{kind}[{index}] knows nothing of {labels}, which fires on node {node}");
            self.breaks("Heard", now, &what);
        }
    }

    fn is_known(&self, now: Timestamp, alert: usize, integration: usize) -> bool {
        let hash = self.plan.alerts[alert].hash;
        let mut receivers = self.receivers.iter().filter(|(_, receiver)| receiver.integration == integration);
        receivers.any(|(key, known)| {
            // Whoever is cut off or lives alone cannot know that others have told the end, nor anybody if that was lost with a
            // disk.
            let apart = now < self.parted_until || self.by_itself.is_some();
            let uncertain = apart || self.lost.contains(&hash);
            let told = known.firing.contains(&hash) || uncertain && known.announced.contains(&hash);
            // Who never hears of an end cannot tell a second firing from the first: here the log decides.
            let logged = || self.nflog.iter().any(|log| log.get(key).is_some_and(|entry| entry.tells_firing(hash)));
            told || !known.wants_resolved() && logged()
        })
    }

    /// Within the retry budget: what failed is tried again, and not only when the group is flushed next.
    fn check_retries(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood], unmuted: &[bool]) {
        let budget = Duration::from_secs(90 + 10) + self.rules.turns();
        for (key, (at, alert)) in std::mem::take(&mut self.failed) {
            let fires = |node: usize| nodes[node].runs() && self.plan.alerts[alert].fires(node, now, 0);
            let told = |node: usize| self.rules.is_in(node, alert, &key);
            let due = unmuted[alert] && (0..nodes.len()).all(|node| fires(node) && told(node));
            if due && moods[integration_of(&key)] == Mood::Fine && now.since(at) > budget {
                self.breaks("Heard", now, &format!("{} failed and was not tried again", name(&key)));
            }
            if due {
                self.failed.insert(key, (at, alert));
            }
        }
    }

    /// Who was told that an alert fires is told that it is over, unless the knowledge was lost with a disk.
    fn check_ends(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood], unmuted: &[bool]) {
        let over: Vec<bool> = (0..unmuted.len()).map(|alert| unmuted[alert] && self.is_over(now, alert)).collect();
        let mut owed = BTreeMap::new();
        if now >= self.parted_until && nodes.iter().all(Node::runs) {
            for (key, receiver) in self.receivers.iter().filter(|(_, receiver)| receiver.wants_resolved()) {
                let told = |alert: usize| (0..nodes.len()).all(|node| self.rules.is_in(node, alert, key));
                let fine = moods[receiver.integration] == Mood::Fine;
                let believes = |hash: &u64| receiver.firing.contains(hash) && !receiver.unrouted.contains(hash);
                let owes = |alert: &usize| believes(&self.plan.alerts[*alert].hash) && told(*alert);
                for alert in (0..over.len()).filter(|alert| fine && over[*alert] && owes(alert)) {
                    let which = (key.clone(), alert);
                    owed.insert(which.clone(), self.over_since.get(&which).copied().unwrap_or(now));
                }
            }
        }
        let late = owed.iter().find(|(_, since)| now.since(**since) > self.rules.patience() * 2);
        if let Some((key, alert)) = late.map(|(which, _)| which.clone()) {
            let labels = &self.plan.alerts[alert].labels;
            self.breaks("Heard", now, &format!("{} is not told that {labels} is resolved", name(&key)));
        }
        self.over_since = owed;
    }

    fn is_over(&self, now: Timestamp, alert: usize) -> bool {
        let alert = &self.plan.alerts[alert];
        let over = match alert.cause {
            None => !alert.fires_anywhere(now, 300 + self.rules.skew),
            Some(_) => self.is_surely_back(now, alert),
        };
        over && !self.lost.contains(&alert.hash)
    }
}
