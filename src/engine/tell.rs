//! The attempts to tell: whether there is something to tell, whose turn it is, and what follows from the outcome.

use std::sync::Arc;
use std::time::Duration;

use crate::decide::{Told, reason_to_tell};
use crate::delivery::{ANNOUNCE, Batch, Delivery, backoff};
use crate::effect::{Attempt, AttemptId, Effects, Note};
use crate::engine::Engine;
use crate::nflog::{NflogEntry, NflogKey, ReceiverData};
use crate::notification::{Failure, FailureKind, Notification, NotifiedAlert, Reason};
use crate::peers::{Claim, ClaimState, Peer};
use crate::replica::Record;
use crate::time::Timestamp;
use crate::timer::Timer;
use crate::version::Version;

/// Log entries are kept for at least as long, however short the repeat interval: what is soon forgotten is in no digest.
const MIN_KEEP: Duration = Duration::from_secs(2 * 3600);

impl Engine {
    /// Goes on with a delivery that is not being told: decides afresh, waits for its turn, or starts an attempt.
    pub(crate) fn attempt(&mut self, now: Timestamp, key: &NflogKey, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get(key).filter(|delivery| delivery.sending.is_none()) else { return };
        let entry = self.nflog.get(key);
        let alerts = tellable(self.as_they_stand(now, delivery), entry.map(Arc::as_ref));
        let told = Told::of(&alerts);
        let (repeat, send_resolved) = (delivery.batch.repeat_interval, delivery.send_resolved);
        let Some(reason) =
            reason_to_tell(entry.map(Arc::as_ref), &told, send_resolved, repeat, delivery.batch.flushed_at)
        else {
            effects.notes.push(Note::NothingToTell(key.clone()));
            if delivery.announced_at.is_some() {
                self.claim(key, ClaimState::Failed, ANNOUNCE, effects);
            }
            return self.finish(now, key, true, effects);
        };
        if !self.is_our_turn(now, key, effects) {
            return;
        }
        if told.firing.is_empty() && !send_resolved {
            self.log(now, key, told, ReceiverData::new(), effects);
            return self.finish(now, key, true, effects);
        }
        self.start(now, key, reason, alerts, told, effects);
    }

    /// Whether the delivery may be made now; if not, sets the timer for when to ask again.
    fn is_our_turn(&mut self, now: Timestamp, key: &NflogKey, effects: &mut Effects) -> bool {
        let contested = self.turns.is_contested(key, now);
        let delivery = self.deliveries.get_mut(key).expect("a turn is waited for by a delivery");
        let announced_until = delivery.announced_at.map(|at| at + ANNOUNCE);
        let turn = self.turns.turn_at(key, delivery.batch.flushed_at, announced_until.is_some(), now);
        let mut turn = turn.max(delivery.not_before);
        if announced_until.is_some_and(|until| turn > until) {
            // Who is held up by another must announce itself anew: others may have come to it meanwhile.
            delivery.announced_at = None;
        }
        turn = turn.max(announced_until.unwrap_or(turn));
        if turn <= now && contested && announced_until.is_none() {
            delivery.announced_at = Some(now);
            turn = now + ANNOUNCE;
            self.claim(key, ClaimState::Announced, ANNOUNCE * 2, effects);
        }
        if turn > now {
            self.timers.set(Timer::Delivery(key.clone()), turn);
        }
        turn <= now
    }

    fn start(
        &mut self,
        now: Timestamp,
        key: &NflogKey,
        reason: Reason,
        mut alerts: Vec<NotifiedAlert>,
        told: Told,
        effects: &mut Effects,
    ) {
        let id = self.next_attempt();
        let previous = self.nflog.get(key).cloned();
        let delivery = self.deliveries.get_mut(key).expect("an attempt is made for a delivery");
        alerts.retain(|alert| alert.firing || delivery.send_resolved);
        let timeout = delivery.begin(id, told, now);
        let notification = Arc::new(Notification {
            key: key.clone(),
            group_labels: delivery.batch.group_labels.clone(),
            route_labels: delivery.batch.route_labels.clone(),
            reason,
            alerts,
            previous,
            flushed_at: delivery.batch.flushed_at,
        });
        effects.notes.push(Note::Tell { key: key.clone(), reason, attempt: delivery.attempts });
        self.in_flight.insert(id, key.clone());
        self.claim(key, ClaimState::Sending, timeout, effects);
        effects.deliver.push(Attempt { id, notification, timeout });
    }

    /// The alerts of the flush as they stand now, without those that are muted now: an attempt that comes late must
    /// neither tell an older state after a newer one nor what was hushed meanwhile.
    fn as_they_stand(&self, now: Timestamp, delivery: &Delivery) -> Vec<NotifiedAlert> {
        let route = delivery.group.map(|id| &self.view.policy.routes[id.route as usize]);
        let hours = route.and_then(|route| self.view.muting_hours(route, now)).map(|(why, _)| why);
        let unmuted = |alert: &&NotifiedAlert| self.view.mute(&alert.alert.labels, hours, now).is_none();
        let stands = |flushed: &NotifiedAlert| match self.view.alerts.get(flushed.alert.fingerprint()) {
            None => flushed.clone(),
            Some(slot) => NotifiedAlert { alert: Arc::clone(&slot.alert), firing: !slot.alert.is_resolved(now) },
        };
        delivery.batch.alerts.iter().filter(unmuted).map(stands).collect()
    }

    /// Takes the outcome of an attempt.
    pub(crate) fn delivered(
        &mut self,
        now: Timestamp,
        attempt: AttemptId,
        outcome: Result<ReceiverData, Failure>,
        effects: &mut Effects,
    ) {
        let Some(key) = self.in_flight.remove(&attempt) else { return };
        let Some(delivery) = self.deliveries.get_mut(&key) else { return };
        let Some((_, told)) = delivery.sending.take() else { return };
        let attempts = delivery.attempts;
        match outcome {
            Ok(data) => {
                self.log(now, &key, told, data, effects);
                effects.notes.push(Note::Told { key: key.clone(), attempts });
                self.finish(now, &key, true, effects);
            }
            Err(failure) => self.failed(now, &key, failure, effects),
        }
    }

    fn failed(&mut self, now: Timestamp, key: &NflogKey, failure: Failure, effects: &mut Effects) {
        let random = self.random();
        let Some(delivery) = self.deliveries.get(key) else { return };
        let (attempts, interval) = (delivery.attempts, delivery.batch.group_interval);
        let pause = backoff(attempts, random).max(failure.retry_after.unwrap_or_default());
        let out_of_time = delivery.deadline.is_none_or(|deadline| deadline <= now + pause);
        let superseded = delivery.next.is_some();
        if !failure.in_part {
            self.turns.failed(key, now);
            self.claim(key, ClaimState::Failed, interval, effects);
        }
        if failure.retry && !out_of_time && !superseded {
            let delivery = self.deliveries.get_mut(key).expect("it was looked at above");
            (delivery.not_before, delivery.failure) = (now + pause, Some(failure.clone()));
            self.timers.set(Timer::Delivery(key.clone()), now + pause);
            effects.notes.push(Note::Retry { key: key.clone(), attempts, failure });
            return;
        }
        let kind = if failure.retry && out_of_time { FailureKind::ContextDeadlineExceeded } else { failure.kind };
        effects.notes.push(Note::GivenUp { key: key.clone(), attempts, failure, kind });
        self.finish(now, key, false, effects);
    }

    /// Ends a delivery; if a newer flush waits, it goes on with that one.
    fn finish(&mut self, now: Timestamp, key: &NflogKey, ok: bool, effects: &mut Effects) {
        self.timers.cancel(&Timer::Delivery(key.clone()));
        let Some(delivery) = self.deliveries.get_mut(key) else { return };
        let (group, flushed_at) = (delivery.group, delivery.batch.flushed_at);
        let next: Option<Arc<Batch>> = delivery.next.take();
        match next {
            Some(batch) => delivery.restart(batch),
            None => {
                self.deliveries.remove(key);
            }
        }
        self.settle(group, key, flushed_at, ok, effects);
        self.attempt(now, key, effects);
    }

    /// Writes down what the integration now knows.
    fn log(&mut self, now: Timestamp, key: &NflogKey, told: Told, data: ReceiverData, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get(key) else { return };
        let previous = self.nflog.get(key).map(|entry| entry.version);
        let keep = (delivery.batch.repeat_interval * 2).max(MIN_KEEP).min(self.options.silences.retention);
        let entry = Arc::new(NflogEntry {
            key: key.clone(),
            timestamp: delivery.batch.flushed_at,
            firing: told.firing,
            resolved: told.resolved,
            receiver_data: data,
            expires_at: now + keep,
            version: Version::after(previous, now, self.options.node),
        });
        self.keep_nflog(Arc::clone(&entry), effects);
        self.turns.settle(key);
        effects.publish.push(Record::Nflog(entry));
    }

    /// What this node is sending, for a node that joins and missed the news of it.
    pub fn sending(&self, now: Timestamp) -> Vec<Record> {
        let sending = self.deliveries.iter().filter(|(_, delivery)| delivery.sending.is_some());
        let claim = |(key, delivery): (&NflogKey, &Delivery)| {
            let lasts = delivery.deadline.unwrap_or(now).since(now);
            Record::Claim(Claim { key: key.clone(), node: self.options.node, state: ClaimState::Sending, lasts })
        };
        sending.map(claim).collect()
    }

    fn claim(&self, key: &NflogKey, state: ClaimState, lasts: Duration, effects: &mut Effects) {
        let claim = Claim { key: key.clone(), node: self.options.node, state, lasts };
        effects.publish.push(Record::Claim(claim));
    }

    /// Who waited for a node that is gone, or after one that came, waits anew.
    pub(crate) fn peers_changed(&mut self, now: Timestamp, peers: Vec<Peer>, effects: &mut Effects) {
        self.turns.set_peers(peers, now);
        for key in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            self.attempt(now, &key, effects);
        }
    }
}

/// The alerts that an integration that was last told `entry` may hear of: resolved ones only if it heard of them.
fn tellable(mut alerts: Vec<NotifiedAlert>, entry: Option<&NflogEntry>) -> Vec<NotifiedAlert> {
    let known = |alert: &NotifiedAlert| entry.is_some_and(|e| e.knows(alert.alert.labels.log_hash()));
    alerts.retain(|alert| alert.firing || known(alert));
    alerts
}
