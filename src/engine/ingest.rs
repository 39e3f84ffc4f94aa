//! Alerts coming in: merged, routed, put into groups; and dropped again when they are over.

use std::sync::Arc;

use crate::alert::{Alert, merge};
use crate::alerts::Slot;
use crate::effect::{Change, Effects, Note};
use crate::engine::Engine;
use crate::group::{Group, SavedGroup};
use crate::label::Fingerprint;
use crate::route::{GroupRef, group_key, group_labels};
use crate::time::Timestamp;
use crate::timer::Timer;

impl Engine {
    /// Takes an alert that somebody reports.
    pub(crate) fn receive(&mut self, now: Timestamp, alert: Arc<Alert>, effects: &mut Effects) {
        self.look_at(now, &alert, effects);
        self.ingest(now, alert, effects);
    }

    pub(crate) fn ingest(&mut self, now: Timestamp, alert: Arc<Alert>, effects: &mut Effects) {
        let fingerprint = alert.fingerprint();
        if !self.name_limit.admits(&alert, fingerprint, now) {
            effects.notes.push(Note::AlertLimited(alert.labels.value("alertname").into()));
            return;
        }
        let old = self.view.alerts.get(fingerprint).map(|slot| Arc::clone(&slot.alert));
        let alert = old.as_ref().map_or_else(|| Arc::clone(&alert), |old| merge(old, Arc::clone(&alert), now));
        self.store_alert(now, fingerprint, old.as_ref(), &alert);
        let grouped = self.join_groups(now, fingerprint, &alert, effects);
        if grouped && old.is_none_or(|old| is_worth_a_write(&old, &alert, now)) {
            effects.persist.push(Change::PutAlert(alert));
        }
    }

    /// Puts the alert where it can be looked up: by fingerprint and, if it is one, as a source of inhibition.
    pub(crate) fn store_alert(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        old: Option<&Arc<Alert>>,
        alert: &Arc<Alert>,
    ) {
        self.view.inhibitor.update(fingerprint, old.map(Arc::as_ref), Some(alert));
        if old.is_some() {
            self.view.alerts.replace(fingerprint, Arc::clone(alert));
        } else {
            let groups = self.router.groups_of(&alert.labels);
            self.view.alerts.insert(fingerprint, Slot { alert: Arc::clone(alert), groups });
        }
        if !self.timers.is_set(&Timer::AlertGc) {
            self.timers.set(Timer::AlertGc, now + self.options.alert_gc_interval);
        }
    }

    /// Puts the alert into the groups its labels lead to; returns whether it is in any.
    pub(crate) fn join_groups(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        alert: &Alert,
        effects: &mut Effects,
    ) -> bool {
        let Some(slot) = self.view.alerts.get(fingerprint) else { return false };
        let groups = Arc::clone(&slot.groups);
        let mut grouped = false;
        for group in groups.iter() {
            grouped |= self.join(now, *group, fingerprint, alert, effects);
        }
        grouped
    }

    /// A resolved alert of which nobody has heard joins no group: there is nothing to tell.
    fn join(
        &mut self,
        now: Timestamp,
        id: GroupRef,
        fingerprint: Fingerprint,
        alert: &Alert,
        effects: &mut Effects,
    ) -> bool {
        if self.view.groups.get(&id).is_some_and(|group| group.alerts.contains(fingerprint)) {
            return true;
        }
        if alert.is_resolved(now) && !self.is_announced(id, alert) {
            return false;
        }
        if !self.view.groups.contains_key(&id) {
            let wait = self.view.policy.routes[id.route as usize].group_wait;
            // What others have told of an old alert is known as soon as they are met again, a moment after their senders.
            let at_once = alert.starts_at + wait < now && !self.turns.lost_everybody(now);
            let next_flush = if at_once { now } else { now + wait };
            self.open_group(id, alert, next_flush);
            effects.persist.extend(self.saved_group(id).map(Change::PutGroup));
        }
        self.group_mut(id).expect("it was there or was just opened").alerts.insert(fingerprint);
        true
    }

    /// Opens the group that the alert belongs to on a route.
    pub(crate) fn open_group(&mut self, id: GroupRef, alert: &Alert, next_flush: Timestamp) {
        let route = &self.view.policy.routes[id.route as usize];
        let labels = group_labels(route, &alert.labels);
        let key = group_key(route, &labels);
        self.group_keys.insert((Arc::clone(&key), id));
        Arc::make_mut(&mut self.view.groups).insert(id, Arc::new(Group::new(labels, key, next_flush)));
        self.timers.set(Timer::Flush(id), next_flush.max(self.hold_until));
    }

    pub(crate) fn group_mut(&mut self, id: GroupRef) -> Option<&mut Group> {
        Arc::make_mut(&mut self.view.groups).get_mut(&id).map(Arc::make_mut)
    }

    /// What a restart needs to know of a group.
    pub(crate) fn saved_group(&self, id: GroupRef) -> Option<SavedGroup> {
        let group = self.view.groups.get(&id)?;
        let route_id = Arc::clone(&self.view.policy.routes[id.route as usize].id);
        Some(SavedGroup { route_id, labels: group.labels.clone(), next_flush: group.next_flush })
    }

    /// Whether any integration of the route may believe the alert to be firing.
    fn is_announced(&self, id: GroupRef, alert: &Alert) -> bool {
        let route = &self.view.policy.routes[id.route as usize];
        let key = group_key(route, &group_labels(route, &alert.labels));
        let hash = alert.labels.log_hash();
        let keys = self.router.receiver_of(id.route as usize).keys(&key);
        keys.into_iter().any(|(key, _)| self.may_believe_firing(&key, hash))
    }

    /// Takes alerts out of a group that need not be told any more, and closes the group if it is empty.
    pub(crate) fn leave(&mut self, id: GroupRef, alerts: &[Fingerprint], effects: &mut Effects) {
        let Some(group) = self.group_mut(id) else { return };
        for fingerprint in alerts {
            group.alerts.remove(*fingerprint);
        }
        if group.alerts.is_empty() {
            self.close_group(id, effects);
        }
        let settled = alerts.iter().filter(|fingerprint| !self.is_grouped(**fingerprint));
        effects.persist.extend(settled.map(|fingerprint| Change::DeleteAlert(*fingerprint)));
    }

    fn close_group(&mut self, id: GroupRef, effects: &mut Effects) {
        effects.persist.extend(self.saved_group(id).map(Change::DeleteGroup));
        if let Some(group) = Arc::make_mut(&mut self.view.groups).remove(&id) {
            self.group_keys.remove(&(Arc::clone(&group.key), id));
        }
        self.timers.cancel(&Timer::Flush(id));
    }

    fn is_grouped(&self, fingerprint: Fingerprint) -> bool {
        let holds = |id: &GroupRef| self.view.groups.get(id).is_some_and(|g| g.alerts.contains(fingerprint));
        self.view.alerts.get(fingerprint).is_some_and(|slot| slot.groups.iter().any(holds))
    }

    /// Drops resolved alerts that no group holds.
    pub(crate) fn collect_alerts(&mut self, now: Timestamp) {
        let over = self.view.alerts.iter().filter(|(_, slot)| slot.alert.is_resolved(now)).map(|(f, _)| f);
        let over: Vec<Fingerprint> = over.filter(|fingerprint| !self.is_grouped(*fingerprint)).collect();
        for fingerprint in over {
            if let Some(slot) = self.view.alerts.remove(fingerprint) {
                self.view.inhibitor.update(fingerprint, Some(&slot.alert), None);
                self.name_limit.forget(&slot.alert, fingerprint);
            }
        }
        if self.view.alerts.len() > 0 {
            self.timers.set(Timer::AlertGc, now + self.options.alert_gc_interval);
        }
    }
}

/// An ordinary re-send, which only moves the end, is not written: a restart gives every alert time to be repeated.
fn is_worth_a_write(old: &Alert, new: &Alert, now: Timestamp) -> bool {
    old.is_resolved(now) != new.is_resolved(now)
        || old.starts_at != new.starts_at
        || old.annotations != new.annotations
        || old.generator_url != new.generator_url
}
