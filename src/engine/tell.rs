//! The attempts to tell: whether there is something to tell, whose turn it is, and what follows from the outcome.

use std::sync::Arc;
use std::time::Duration;

use crate::decide::{Told, is_in, is_subset, reason_to_tell};
use crate::delivery::{ANNOUNCE, Batch, Delivery, MOST_QUESTIONS, Sending, backoff};
use crate::effect::{Attempt, AttemptId, Effects, Note};
use crate::engine::Engine;
use crate::intent::may_have_arrived;
use crate::nflog::{NflogEntry, NflogKey, ReceiverData};
use crate::notification::{Failure, FailureKind, Notification, NotifiedAlert, Reason};
use crate::peers::ClaimState;
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
        let (alerts, withheld) = self.tellable(now, key, delivery);
        let (told, unsure) = (Told::of(&alerts), self.unsure(key));
        let (entry, flushed_at) = (self.nflog.get(key).map(Arc::as_ref), delivery.batch.flushed_at);
        let (repeat, send_resolved) = (delivery.batch.repeat_interval, delivery.send_resolved);
        let Some(reason) = reason_to_tell(entry, unsure, &told, send_resolved, repeat, flushed_at) else {
            if withheld {
                if self.awaits_answers(now, key) {
                    return;
                }
                effects.publish.extend(self.ended_only_here(now, key).into_iter().map(Record::Ended));
            }
            effects.notes.push(Note::NothingToTell(key.clone()));
            if delivery.announced_at.is_some() {
                self.claim(now, key, ClaimState::Failed, ANNOUNCE, effects);
            }
            return self.finish(now, key, true, effects);
        };
        if !self.is_our_turn(now, key, &told.firing, effects) {
            return;
        }
        if told.firing.is_empty() && !send_resolved {
            self.log(now, key, told, ReceiverData::new(), effects);
            return self.finish(now, key, true, effects);
        }
        self.start(now, key, reason, alerts, told, effects);
    }

    /// Whether the delivery may be made now; if not, sets the timer for when to ask again.
    fn is_our_turn(&mut self, now: Timestamp, key: &NflogKey, firing: &[u64], effects: &mut Effects) -> bool {
        let doubts = self.doubts(key, firing);
        let unanswered = !doubts.is_empty() && !self.have_all_answered(key);
        let contested = self.turns.is_contested(key, now);
        let delivery = self.deliveries.get_mut(key).expect("a turn is waited for by a delivery");
        if !is_subset(&doubts, &delivery.asked) {
            delivery.unannounce();
        }
        let wait = if contested || unanswered { ANNOUNCE } else { Duration::ZERO };
        let announced_until = delivery.announced_at.map(|at| at + wait);
        let turn = self.turns.turn_at(key, delivery.waits_since, announced_until.is_some(), now);
        let mut turn = turn.max(delivery.not_before);
        if announced_until.is_some_and(|until| turn > until) {
            // Who is held up by another must announce itself anew: others may have come to it meanwhile.
            delivery.unannounce();
        }
        turn = turn.max(announced_until.unwrap_or(turn));
        let ask_again = unanswered && delivery.times_asked < MOST_QUESTIONS;
        let announced = announced_until.is_some() && !ask_again;
        if turn <= now && (contested || !doubts.is_empty()) && !announced {
            turn = now + ANNOUNCE;
            self.announce(now, key, &doubts, effects);
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
        let sending = Sending { told, unsure_before: self.unsure(key).to_vec() };
        self.intend(now, key, &self.said_anew(key, &Told::of(&alerts)), effects);
        let delivery = self.deliveries.get_mut(key).expect("an attempt is made for a delivery");
        let timeout = delivery.begin(sending, now);
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
        self.claim(now, key, ClaimState::Sending, timeout, effects);
        effects.deliver.push(Attempt { id, notification, timeout });
    }

    /// The alerts that the integration may hear of: resolved ones only if it heard of them before, and only if they fire
    /// nowhere else; nothing at all of an end while this node sees nothing firing and another one does. Also whether
    /// something was withheld for the sake of another node.
    fn tellable(&self, now: Timestamp, key: &NflogKey, delivery: &Delivery) -> (Vec<NotifiedAlert>, bool) {
        let elsewhere = delivery.firing_elsewhere();
        let mut alerts = self.as_they_stand(now, delivery);
        alerts.retain(|alert| alert.firing || self.may_have_heard(key, alert.alert.labels.log_hash()));
        let nothing_fires_here = !alerts.iter().any(|alert| alert.firing);
        let fires_elsewhere = |alert: &NotifiedAlert| {
            nothing_fires_here && !elsewhere.is_empty() || elsewhere.contains(&alert.alert.labels.log_hash())
        };
        let known = alerts.len();
        alerts.retain(|alert| alert.firing || !fires_elsewhere(alert));
        let withheld = alerts.len() < known;
        (alerts, withheld)
    }

    /// The alerts of the flush as they stand now, without those that are muted now: an attempt that comes late must
    /// neither tell an older state after a newer one nor what was hushed meanwhile.
    pub(crate) fn as_they_stand(&self, now: Timestamp, delivery: &Delivery) -> Vec<NotifiedAlert> {
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
        let Some(sending) = delivery.sending.take() else { return };
        let attempts = delivery.attempts;
        match outcome {
            Ok(data) => {
                self.log(now, &key, sending.told, data, effects);
                effects.notes.push(Note::Told { key: key.clone(), attempts });
                self.finish(now, &key, true, effects);
            }
            Err(failure) => {
                if !failure.in_part && !may_have_arrived(failure.kind) {
                    self.set_intent(now, &key, sending.unsure_before, effects);
                }
                self.failed(now, &key, failure, effects);
            }
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
            self.note_outcome(key, false);
            self.turns.failed(key, now);
            self.claim(now, key, ClaimState::Failed, interval, effects);
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
            Some(batch) => {
                delivery.waits_since = batch.flushed_at;
                delivery.restart(batch);
            }
            None => {
                self.deliveries.remove(key);
            }
        }
        self.settle(now, group, key, flushed_at, ok, effects);
        self.attempt(now, key, effects);
    }

    /// Writes down what the integration now knows: what it was told, and what it goes on believing of other alerts.
    fn log(&mut self, now: Timestamp, key: &NflogKey, told: Told, data: ReceiverData, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get(key) else { return };
        let previous = self.nflog.get(key).cloned();
        let version = Version::after(previous.as_ref().map(|entry| entry.version), now, self.options.node);
        let not_told = self.not_told(now, key).into_iter();
        let not_told: Vec<u64> =
            not_told.filter(|hash| !is_in(*hash, &told.firing) && !is_in(*hash, &told.resolved)).collect();
        let mut carried = previous.as_ref().map(|entry| entry.believed()).unwrap_or_default();
        carried.retain(|carried| is_in(carried.hash, &not_told));
        let unsure = not_told.into_iter().filter(|hash| !carried.iter().any(|carried| carried.hash == *hash));
        let mut firing: Vec<u64> = unsure.chain(told.firing.iter().copied()).collect();
        firing.sort_unstable();
        let keep = (delivery.batch.repeat_interval * 2).max(MIN_KEEP).min(self.options.silences.retention);
        let entry = Arc::new(NflogEntry {
            key: key.clone(),
            timestamp: delivery.batch.flushed_at,
            firing,
            resolved: told.resolved.clone(),
            receiver_data: data,
            expires_at: now + keep,
            version,
            carried: carried.into_iter().collect(),
            past: previous.map_or_else(|| vec![version], |entry| entry.past_of_next(version)),
        });
        self.keep_nflog(Arc::clone(&entry), effects);
        self.strike_out(now, key, &told, effects);
        self.turns.settle(key);
        effects.publish.push(Record::Nflog(entry));
    }
}
