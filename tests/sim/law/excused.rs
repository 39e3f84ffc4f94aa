//! What cannot be helped: what goes wrong, what it excuses, and for how long.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::replica::Record;
use watchbell_engine::time::Timestamp;

use super::Law;
use super::receiver::Receiver;
use crate::node::{Node, shift};
use crate::plan::Fault;

/// Nodes that see each other again know so soon what the others told.
const AGREED_WITHIN: Duration = Duration::from_secs(10);

impl Law {
    /// A message between nodes was lost, or a clock was set.
    pub(crate) fn shaken(&mut self, now: Timestamp) {
        self.shaken_until = self.shaken_until.max(now + Duration::from_secs(10));
    }

    /// A node starts, or goes on, while nobody lives who could say what was told without it: nodes that live in turn are
    /// as far apart as those of a partition.
    pub(crate) fn alone(&mut self, node: usize) {
        self.excused.extend(self.receivers.keys().cloned());
        self.by_itself = Some(node);
        self.deaf();
    }

    /// A node starts and hears none of those that live, since they are cut off from it.
    pub(crate) fn deaf(&mut self) {
        self.receivers.values_mut().for_each(Receiver::told_without);
    }

    /// A node comes to the others, and they learn from each other.
    pub(super) fn joined(&mut self, node: usize) {
        self.by_itself = None;
        self.away.remove(&node);
        self.receivers.values_mut().for_each(Receiver::contradicted);
    }

    /// A node dies before it could say this.
    pub(crate) fn unpublished<'a>(&mut self, node: usize, records: impl Iterator<Item = &'a Record>) {
        let entry = |record: &'a Record| match record {
            Record::Nflog(entry) => Some(Arc::clone(entry)),
            _ => None,
        };
        records.filter_map(entry).for_each(|entry| self.goes_with(node, &entry));
    }

    /// Nobody but a node that goes away knows what it told: the others are as far from it as in a partition.
    fn goes_with(&mut self, node: usize, entry: &NflogEntry) {
        self.excused.insert(entry.key.clone());
        self.away.insert(node);
        self.perhaps_heard(&entry.key, &entry.firing.iter().chain(&entry.resolved).copied().collect());
        let receiver = self.receiver(&entry.key);
        receiver.apart.extend(entry.firing.iter().map(|hash| (*hash, true, node)));
        receiver.apart.extend(entry.resolved.iter().map(|hash| (*hash, false, node)));
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
                self.parted_until = now + AGREED_WITHIN;
                self.away.extend((0..nodes.len()).filter(|node| !nodes[*node].runs()));
            }
            Fault::SetClock(node, by) => {
                self.shaken_until = now + Duration::from_secs(60);
                self.clock_set(node, nodes[node].clock(now), by);
            }
            _ => {}
        }
    }

    /// What was over for a node stays so.
    fn clock_set(&mut self, node: usize, before: Timestamp, by: i64) {
        let over = self.posted[node].values_mut().filter(|posted| posted.ends_at <= before);
        over.for_each(|posted| posted.ends_at = posted.ends_at.min(shift(before, by)));
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
        self.joined(number);
    }

    /// A node follows another policy from now on.
    pub(crate) fn reshaped(&mut self, now: Timestamp, node: usize, shape: usize) {
        self.watches_otherwise(now, node, shape);
        self.rules.follows[node] = shape;
        for (key, receiver) in &mut self.receivers {
            let alerts = self.plan.alerts.iter().enumerate();
            let gone = alerts.filter(|(alert, _)| !self.rules.is_in(node, *alert, key)).map(|(_, alert)| alert.hash);
            receiver.unrouted.extend(gone);
        }
    }

    pub(crate) fn crashed(&mut self, now: Timestamp, number: usize, node: &Node) {
        self.unsettled(now);
        self.failed.clear();
        self.missed(number, node);
        self.known_to_one(number).iter().for_each(|entry| self.goes_with(number, entry));
        self.posted[number].clear();
    }

    /// What was told and only this node of several knows: the news of it were lost.
    fn known_to_one(&self, number: usize) -> Vec<Arc<NflogEntry>> {
        let others = || self.nflog.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, log)| log);
        let knows = |entry: &NflogEntry| {
            others().any(|log| log.get(&entry.key).is_some_and(|known| known.version >= entry.version))
        };
        let unknown = self.nflog[number].values().filter(|entry| others().next().is_some() && !knows(entry));
        unknown.cloned().collect()
    }

    pub(super) fn perhaps_heard(&mut self, key: &NflogKey, alerts: &BTreeSet<u64>) {
        let receiver = self.receiver(key);
        receiver.announced.extend(alerts);
        receiver.perhaps.extend(alerts);
    }
}
