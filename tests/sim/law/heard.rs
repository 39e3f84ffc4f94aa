//! Heard: what fires is told in time, what fails is tried again, and what was told is told to be over.

use std::collections::BTreeMap;
use std::time::Duration;

use watchbell_engine::nflog::NflogKey;
use watchbell_engine::time::Timestamp;

use super::{Law, is_dev, name, wants_resolved};
use crate::node::{Node, PEER_TIMEOUT};
use crate::plan::{INTEGRATIONS, Mood, at};

impl Law {
    /// Whoever should know of a firing alert for long enough, knows.
    pub(crate) fn check(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        self.check_retries(now, nodes, moods);
        self.check_ends(now, nodes, moods);
        self.check_ended_silences(now, nodes);
        for alert in 0..self.plan.alerts.len() {
            for (integration, (receiver, ..)) in INTEGRATIONS.iter().enumerate() {
                let routed = (*receiver == "dev") == is_dev(&self.plan.alerts[alert].labels);
                let due = routed && moods[integration] == Mood::Fine && self.is_unmuted(now, alert);
                for (number, node) in nodes.iter().enumerate() {
                    let fires = node.engine.is_some() && self.plan.alerts[alert].fires(number, now, 0);
                    self.check_known(now, (alert, integration, number), due && fires);
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
        let (receiver, kind, index, _) = INTEGRATIONS[integration];
        let since = *self.due_since.entry(which).or_insert(now);
        if now.since(since) > self.patience(receiver) && !self.is_known(now, alert, receiver, kind, index) {
            let labels = &self.plan.alerts[alert].labels;
            let what = format!("{receiver}/{kind}[{index}] knows nothing of {labels}, which fires on node {node}");
            self.breaks("Heard", now, &what);
        }
    }

    /// Group wait and interval (or an attempt that hangs for as long), a wait for every other node, a resend and its
    /// phase, the longest back-off, a slow answer.
    fn patience(&self, receiver: &str) -> Duration {
        let route = &self.plan.policy.routes[usize::from(receiver == "dev")];
        let others = PEER_TIMEOUT * u32::try_from(self.plan.nodes).expect("a handful");
        route.group_wait + route.group_interval + others + Duration::from_secs(60 + 30 + 90 + 40)
    }

    fn is_known(&self, now: Timestamp, alert: usize, receiver: &str, kind: &str, index: u32) -> bool {
        let hash = self.plan.alerts[alert].labels.log_hash();
        self.receivers.iter().any(|(key, known)| {
            let whom = (key.receiver.as_str(), key.integration.as_str(), key.index);
            // Whoever is cut off cannot know that others have told the end, nor anybody if that was lost with a disk.
            let uncertain = now < self.parted_until || known.apart.contains(&hash) || self.lost.contains(&hash);
            let told = known.firing.contains(&hash) || uncertain && known.announced.contains(&hash);
            // Who never hears of an end cannot tell a second firing from the first: here the log decides.
            let logged = || self.nflog.iter().any(|log| log.get(key).is_some_and(|entry| entry.tells_firing(hash)));
            whom == (receiver, kind, index) && (told || !wants_resolved(key) && logged())
        })
    }

    /// Whether nothing mutes the alert anywhere, generously judged.
    fn is_unmuted(&self, now: Timestamp, alert: usize) -> bool {
        let labels = &self.plan.alerts[alert].labels;
        let skew = self.plan.skew().cast_signed();
        let silenced = self.plan.silences.iter().any(|silence| {
            let until = silence.expired.map_or(silence.ends, |expired| expired.min(silence.ends).max(silence.made));
            let spans = at(silence.starts - skew) <= now && now <= at(silence.ends.max(until) + skew);
            spans && silence.matcher.matches(labels)
        });
        let mut others = self.plan.alerts.iter();
        let inhibited =
            others.any(|other| self.inhibits(&other.labels, labels) && other.fires_anywhere(now, 1200 + skew));
        let paused = is_dev(labels) && self.is_break(now, skew / 60 + 1);
        !silenced && !inhibited && !paused
    }

    /// Within the retry budget: what failed is tried again, and not only when the group is flushed next.
    fn check_retries(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        let others = PEER_TIMEOUT * u32::try_from(self.plan.nodes).expect("a handful");
        let budget = Duration::from_secs(90 + 10) + others;
        for (key, (at, labels)) in std::mem::take(&mut self.failed) {
            let fine = is_fine(&key, moods);
            let alert = self.plan.alerts.iter().position(|alert| alert.labels == labels);
            let fires = |alert: &usize| {
                let alert = &self.plan.alerts[*alert];
                (0..nodes.len()).all(|node| nodes[node].engine.is_some() && alert.fires(node, now, 0))
            };
            let due = alert.filter(fires).is_some_and(|alert| self.is_unmuted(now, alert));
            if fine && due && now.since(at) > budget {
                self.breaks("Heard", now, &format!("{} failed and was not tried again", name(&key)));
            }
            if due {
                self.failed.insert(key, (at, labels));
            }
        }
    }

    /// Who was told that an alert fires is told that it is over, unless the knowledge was lost with a disk.
    fn check_ends(&mut self, now: Timestamp, nodes: &[Node], moods: &[Mood]) {
        let all_up = now >= self.parted_until && nodes.iter().all(|node| node.engine.is_some());
        let mut owed = BTreeMap::new();
        for (key, receiver) in self.receivers.iter().filter(|(key, _)| wants_resolved(key) && is_fine(key, moods)) {
            for hash in receiver.firing.iter().filter(|hash| all_up && self.is_over(now, **hash)) {
                let which = (key.clone(), *hash);
                owed.insert(which.clone(), self.over_since.get(&which).copied().unwrap_or(now));
            }
        }
        let late = owed.iter().find(|((key, _), since)| now.since(**since) > self.patience(&key.receiver) * 2);
        if let Some((key, hash)) = late.map(|(which, _)| which.clone()) {
            self.breaks("Heard", now, &format!("{} is not told that {hash} is resolved", name(&key)));
        }
        self.over_since = owed;
    }

    fn is_over(&self, now: Timestamp, hash: u64) -> bool {
        let alert = self.plan.alerts.iter().position(|alert| alert.labels.log_hash() == hash);
        let over = |alert: &usize| {
            !self.plan.alerts[*alert].fires_anywhere(now, 300 + self.plan.skew().cast_signed())
                && self.is_unmuted(now, *alert)
        };
        !self.lost.contains(&hash) && alert.filter(over).is_some()
    }
}

fn is_fine(key: &NflogKey, moods: &[Mood]) -> bool {
    INTEGRATIONS.iter().zip(moods).any(|((receiver, kind, index, _), mood)| {
        (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index)
            && *mood == Mood::Fine
    })
}
