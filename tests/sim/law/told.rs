//! What a node may decide to tell (Hushed, and In order among nodes that see different things), and what a receiver may
//! hear (Once, In order).

use std::collections::BTreeSet;
use std::hash::Hash;
use std::time::Duration;

use watchbell_engine::nflog::NflogKey;
use watchbell_engine::notification::{Failure, FailureKind, Notification};
use watchbell_engine::time::Timestamp;

use super::rules::seconds;
use super::{Law, Sending, name};
use crate::node::{Node, PEER_TIMEOUT};

impl Law {
    /// A node decides to tell something.
    pub(crate) fn told(&mut self, now: Timestamp, number: usize, nodes: &[Node], notification: &Notification) {
        (now, number, &notification.key, notification.reason as u8).hash(&mut self.history);
        self.note(now, || {
            let (firing, resolved) = hashes(notification);
            format!("node {number} tells {} {firing:?}, resolved {resolved:?}", name(&notification.key))
        });
        self.failed.remove(&notification.key);
        let repeat = seconds(self.rules.shape(number).repeat);
        let alerts = notification.alerts.iter().map(|alert| alert.alert.labels.log_hash()).collect();
        self.sending.insert((number, notification.key.clone()), Sending { alerts, repeat });
        self.told_by_one(now, number, &nodes[number], notification);
        let sure = now >= self.parted_until && now >= self.shaken_until;
        if !sure {
            let same = self.sending.keys().filter(|(_, sending)| *sending == notification.key);
            self.unsure.extend(same.cloned());
            self.receiver(&notification.key).announced.extend(hashes(notification).0);
        }
        if sure && self.up_since[number] + SETTLED <= now {
            self.told_for_all(now, number, nodes, notification);
        }
    }

    /// Nobody tells what it knows to be muted, nor that something is over of which it was told again and again that it
    /// fires, whatever became of its clock and process.
    fn told_by_one(&mut self, now: Timestamp, number: usize, node: &Node, notification: &Notification) {
        for told in &notification.alerts {
            let labels = &told.alert.labels;
            let Some(alert) = self.alert_with(labels.log_hash()) else {
                return self.breaks("Watched", now, &format!("node {number} tells {labels}, which nobody knows"));
            };
            if told.firing {
                self.told_as_missing(now, number, alert);
            }
            if let Some(why) = self.mute(now, node, number, alert) {
                self.breaks("Hushed", now, &format!("node {number} tells {labels}, which is muted {why}"));
            }
            let posted = self.posted[number].get(&alert).and_then(|posted| posted.firing_since);
            let fires =
                posted.is_some_and(|since| since + REPEATED <= now) && self.plan.alerts[alert].fires(number, now, 0);
            if fires && !told.firing {
                let what = format!("node {number} says that {labels} is over, which its sender never said");
                self.breaks("In order", now, &what);
            }
        }
    }

    /// In order, for all nodes together: nobody says that something is over which surely fires on another node, nor that
    /// nothing fires.
    fn told_for_all(&mut self, now: Timestamp, number: usize, nodes: &[Node], notification: &Notification) {
        let (key, (firing, resolved)) = (&notification.key, hashes(notification));
        let Some(receiver) = self.receivers.get(key) else { return };
        let contradicts = |other: usize, alert: usize| {
            let hash = self.plan.alerts[alert].hash;
            let told = resolved.contains(&hash) || firing.is_empty();
            told && receiver.firing.contains(&hash) && self.rules.is_in(other, alert, key)
        };
        let fires_on = |(other, node): (usize, &Node)| {
            let mut posted = self.posted[other].iter().filter(|_| other != number && node.runs());
            let posted = posted.find(|(alert, posted)| {
                contradicts(other, **alert) && self.surely_fires(now, node, other, **alert, posted)
            });
            posted.map(|(alert, _)| (other, self.plan.alerts[*alert].labels.clone()))
        };
        if let Some((other, labels)) = nodes.iter().enumerate().find_map(fires_on) {
            let what = format!("node {number} says that all is over, or {labels}, which fires on node {other}");
            self.breaks("In order", now, &what);
        }
    }

    fn alert_of(&self, hash: u64) -> usize {
        self.alert_with(hash).expect("what nobody knows was not told")
    }

    fn alert_with(&self, hash: u64) -> Option<usize> {
        self.plan.alerts.iter().position(|alert| alert.hash == hash)
    }

    /// A receiver hears something.
    pub(crate) fn heard(&mut self, now: Timestamp, number: usize, notification: &Notification, sender_lives: bool) {
        let key = &notification.key;
        let (firing, resolved) = hashes(notification);
        (now, key, &firing, &resolved).hash(&mut self.history);
        self.heard_count += 1;
        self.note(now, || format!("heard from node {number}: {} {firing:?}, resolved {resolved:?}", name(key)));
        self.in_order(now, number, key, &firing, &resolved);
        let unsure = self.unsure.remove(&(number, key.clone())) || now < self.parted_until;
        let excused = !sender_lives || unsure || self.excused.remove(key);
        if !excused {
            let repeat = self.sending.get(&(number, key.clone())).map_or(Duration::ZERO, |sending| sending.repeat);
            self.once(now, notification, repeat, &firing, &resolved);
        }
        if !sender_lives {
            self.excused.insert(key.clone());
        }
        self.proved(now, key, &firing);
        self.wait_anew(&resolved.iter().copied().collect::<Vec<_>>());
        let apart = unsure || self.by_itself == Some(number) || !self.away.is_empty();
        let receiver = self.receiver(key);
        receiver.announced.extend(&firing);
        receiver.firing.extend(&firing);
        receiver.firing.retain(|hash| !resolved.contains(hash));
        // Nobody knows that what a dead node had sent has arrived.
        receiver.perhaps.retain(|hash| !sender_lives || !resolved.contains(hash) && !firing.contains(hash));
        receiver.unrouted.retain(|hash| !firing.contains(hash));
        receiver.flushed_at = notification.flushed_at;
        receiver.told_last.clone_from(&firing);
        if apart {
            receiver.apart.extend(firing.iter().map(|hash| (*hash, true, number)));
            receiver.apart.extend(resolved.iter().map(|hash| (*hash, false, number)));
            receiver.contradicted();
        }
    }

    fn in_order(
        &mut self,
        now: Timestamp,
        number: usize,
        key: &NflogKey,
        firing: &BTreeSet<u64>,
        resolved: &BTreeSet<u64>,
    ) {
        let announced = self.receivers.get(key).map(|receiver| receiver.announced.clone()).unwrap_or_default();
        if let Some(unknown) = resolved.difference(&announced).next() {
            let what = format!("{} hears that {unknown} is resolved, of which it never heard", name(key));
            self.breaks("In order", now, &what);
        }
        let stale = 240 + 60 + self.plan.senders_ahead[number].abs();
        let over =
            self.plan.alerts.iter().find(|alert| {
                firing.contains(&alert.hash) && alert.cause.is_none() && !alert.fires(number, now, stale)
            });
        if let Some(labels) = over.map(|alert| alert.labels.clone()).filter(|_| self.is_calm(now)) {
            self.breaks("In order", now, &format!("{} hears that {labels} fires, which is long over", name(key)));
        }
    }

    fn once(
        &mut self,
        now: Timestamp,
        notification: &Notification,
        repeat: Duration,
        firing: &BTreeSet<u64>,
        resolved: &BTreeSet<u64>,
    ) {
        let key = &notification.key;
        let Some(receiver) = self.receivers.get(key) else { return };
        let open = |hash: &u64| {
            let known = [&receiver.firing, &receiver.perhaps, &self.lost];
            known.iter().any(|known| known.contains(hash))
        };
        let ended = receiver.wants_resolved() && resolved.iter().any(open);
        let unknown = |hash: &u64| {
            let unsure = [&receiver.perhaps, &self.lost];
            !receiver.firing.contains(hash) || unsure.iter().any(|unsure| unsure.contains(hash))
        };
        let news = firing.iter().any(unknown) || ended;
        let apart = PEER_TIMEOUT + seconds(self.rules.skew);
        let due = receiver.flushed_at + repeat <= notification.flushed_at + apart;
        let over_before = resolved.iter().copied().find(|hash| !open(hash));
        if !news && !due {
            self.breaks("Once", now, &format!("{} hears again {firing:?}, resolved {resolved:?}", name(key)));
        }
        if let Some(over) = over_before {
            self.breaks("Once", now, &format!("{} hears again that {over} is over", name(key)));
        }
    }

    /// An attempt is over. If it failed and no other is under way, what is news for as long as it fires must be tried
    /// again.
    pub(crate) fn over(&mut self, now: Timestamp, node: usize, notification: &Notification, failure: Option<&Failure>) {
        let key = &notification.key;
        self.sending.remove(&(node, key.clone()));
        self.note(now, || format!("node {node} is done with {}: {failure:?}", name(key)));
        let Some(failure) = failure else { return };
        let beats = self.rules.shape(node).watch.as_ref().is_some_and(|watch| watch.beat.is_some());
        self.vigil.iter_mut().filter(|_| beats).for_each(|vigil| vigil.failed(now, node, key));
        if failure.kind == FailureKind::ContextDeadlineExceeded {
            let (firing, resolved) = hashes(notification);
            self.perhaps_heard(key, &firing.union(&resolved).copied().collect());
        }
        let is_in = |alert| self.rules.is_in(node, alert, key);
        if !failure.retry || self.sending.keys().any(|(_, sending)| sending == key) {
            return;
        }
        let receiver = self.receivers.get(key);
        let is_news = |hash| receiver.is_none_or(|receiver| !receiver.firing.contains(&hash));
        let firing = notification.alerts.iter().filter(|alert| alert.firing).map(|alert| alert.alert.labels.log_hash());
        if let Some(alert) = firing.filter(|hash| is_news(*hash)).map(|hash| self.alert_of(hash)).find(|a| is_in(*a)) {
            self.failed.insert(key.clone(), (now, alert));
        }
    }
}

/// Whose sender has said something for so long has said it more than once.
const REPEATED: Duration = Duration::from_secs(130);

/// A node that is up for so long knows the others, and they know it.
pub(super) const SETTLED: Duration = Duration::from_secs(40);

/// The alerts told as firing and those told as resolved.
fn hashes(notification: &Notification) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let told = |firing| {
        let some = notification.alerts.iter().filter(move |alert| alert.firing == firing);
        some.map(|alert| alert.alert.labels.log_hash()).collect()
    };
    (told(true), told(false))
}
