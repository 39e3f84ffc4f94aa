//! The attempts to tell: whether there is something to tell, and whose turn it is.

use std::sync::Arc;
use std::time::Duration;

use crate::decide::{Told, is_subset, reason_to_tell};
use crate::delivery::{ANNOUNCE, Delivery, MOST_QUESTIONS, Sending};
use crate::effect::{Attempt, Effects, Note};
use crate::engine::Engine;
use crate::nflog::{NflogKey, ReceiverData};
use crate::notification::{Notification, NotifiedAlert, Reason};
use crate::peers::ClaimState;
use crate::replica::Record;
use crate::time::Timestamp;
use crate::timer::Timer;

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

    /// The alerts that the integration may hear of: resolved ones only if it may believe them to fire, and only if they
    /// fire nowhere else; nothing at all of an end while this node sees nothing firing and another one does. Also whether
    /// something was withheld for the sake of another node.
    fn tellable(&self, now: Timestamp, key: &NflogKey, delivery: &Delivery) -> (Vec<NotifiedAlert>, bool) {
        let elsewhere = delivery.firing_elsewhere();
        let mut alerts = self.as_they_stand(now, delivery);
        alerts.retain(|alert| alert.firing || self.may_believe_firing(key, alert.alert.labels.log_hash()));
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
}
