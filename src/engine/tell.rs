//! The attempts to tell: whether there is something to tell, whose turn it is, and what follows from the outcome.

use std::sync::Arc;

use crate::delivery::{Batch, Delivery, backoff};
use crate::effect::{Attempt, AttemptId, Effects, Note};
use crate::engine::Engine;
use crate::nflog::{NflogEntry, NflogKey, ReceiverData, Told, reason_to_tell};
use crate::notification::{Failure, FailureKind, Notification, NotifiedAlert, Reason};
use crate::peers::{Claim, ClaimState, Peer};
use crate::replica::{Record, Version};
use crate::time::Timestamp;
use crate::timer::Timer;

impl Engine {
    /// Goes on with a delivery that is not being told: decides afresh, waits for its turn, or starts an attempt.
    pub(crate) fn attempt(&mut self, now: Timestamp, key: &NflogKey, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get(key).filter(|delivery| delivery.sending.is_none()) else { return };
        let entry = self.nflog.get(key);
        let alerts = self.still_unmuted(now, delivery, delivery.batch.tellable(entry.map(Arc::as_ref)));
        let told = Told::of(&alerts);
        let repeat = delivery.batch.repeat_interval;
        let Some(reason) =
            reason_to_tell(entry.map(Arc::as_ref), &told, delivery.send_resolved, repeat, delivery.batch.flushed_at)
        else {
            effects.notes.push(Note::NothingToTell(key.clone()));
            return self.finish(now, key, true, effects);
        };
        let turn = self.turns.turn_at(key, delivery.batch.flushed_at, now);
        if turn > now {
            return self.timers.set(Timer::Delivery(key.clone()), turn);
        }
        if told.firing.is_empty() && !delivery.send_resolved {
            self.log(now, key, told, ReceiverData::new(), effects);
            return self.finish(now, key, true, effects);
        }
        self.start(now, key, reason, alerts, told, effects);
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
        let entry = self.nflog.get(key).filter(|_| reason != Reason::FirstNotification);
        let receiver_data = entry.map(|entry| entry.receiver_data.clone()).unwrap_or_default();
        let delivery = self.deliveries.get_mut(key).expect("an attempt is made for a delivery");
        alerts.retain(|alert| alert.firing || delivery.send_resolved);
        let timeout = delivery.begin(id, told, now);
        let notification = Arc::new(Notification {
            key: key.clone(),
            group_labels: delivery.batch.group_labels.clone(),
            route_labels: delivery.batch.route_labels.clone(),
            reason,
            alerts,
            receiver_data,
            flushed_at: delivery.batch.flushed_at,
        });
        effects.notes.push(Note::Tell { key: key.clone(), reason, attempt: delivery.attempts });
        self.in_flight.insert(id, key.clone());
        self.claim(key, ClaimState::Sending, timeout, effects);
        effects.deliver.push(Attempt { id, notification, timeout });
    }

    /// What became muted since the flush is not told any more.
    fn still_unmuted(&self, now: Timestamp, delivery: &Delivery, mut alerts: Vec<NotifiedAlert>) -> Vec<NotifiedAlert> {
        let route = delivery.group.map(|id| &self.view.policy.routes[id.route as usize]);
        let hours = route.and_then(|route| self.view.muting_hours(route, now)).map(|(why, _)| why);
        alerts.retain(|alert| self.view.mute(&alert.alert.labels, hours, now).is_none());
        alerts
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
        self.claim(key, ClaimState::Failed, interval, effects);
        if failure.retry && !out_of_time && !superseded {
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
        let keep = (delivery.batch.repeat_interval * 2).min(self.options.silences.retention);
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

    fn claim(&self, key: &NflogKey, state: ClaimState, lasts: std::time::Duration, effects: &mut Effects) {
        let claim = Claim { key: key.clone(), node: self.options.node, state, lasts };
        effects.publish.push(Record::Claim(claim));
    }

    /// Who waited for a node that is gone, or after one that came, waits anew.
    pub(crate) fn peers_changed(&mut self, now: Timestamp, peers: Vec<Peer>, effects: &mut Effects) {
        self.turns.set_peers(peers);
        for key in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            self.reconsider(now, &key, effects);
        }
    }

    /// What another node did may have ended or prolonged the wait for our turn. A back-off after a failure of ours
    /// runs its time.
    pub(crate) fn reconsider(&mut self, now: Timestamp, key: &NflogKey, effects: &mut Effects) {
        if self.deliveries.get(key).is_some_and(|delivery| delivery.attempts == 0) {
            self.attempt(now, key, effects);
        }
    }
}
