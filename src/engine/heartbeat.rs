//! Heartbeats: calls to somebody outside that are made only while an expected alert goes the whole way, as any alert
//! would: received here, routed, and told to everybody whom it is routed to. What is not made says that it does not, or
//! that the engine stands still.

use smol_str::SmolStr;

use crate::effect::{Effects, Note};
use crate::engine::Engine;
use crate::nflog::NflogKey;
use crate::policy::{Expected, Heartbeat, Route};
use crate::route::{group_key, group_labels};
use crate::time::Timestamp;
use crate::timer::Timer;
use crate::vigil::Cause;

/// Why a heartbeat is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalled {
    /// This node has not received the alert in time.
    NotReceived,
    /// The alert is routed to nobody who could be told.
    NotRouted,
    /// Somebody has not been told in time, or could not be told.
    NotTold,
}

impl Stalled {
    /// The value of the metric label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReceived => "not_received",
            Self::NotRouted => "not_routed",
            Self::NotTold => "not_told",
        }
    }
}

impl Engine {
    /// Keeps the timers of heartbeats that go on, begins those that are new, and ends the others.
    pub(crate) fn follow_heartbeats(&mut self, now: Timestamp) {
        let heartbeats = self.view.policy.vigil.heartbeats.clone();
        let names: Vec<&SmolStr> = heartbeats.iter().map(|heartbeat| &heartbeat.name).collect();
        self.watch.beating.retain(|name, _| names.contains(&name));
        for Heartbeat { name, interval, .. } in &heartbeats {
            let timer = Timer::Heartbeat(name.clone());
            if !self.timers.is_set(&timer) {
                self.timers.set(timer, now.max(self.hold_until) + *interval);
            }
        }
    }

    /// What was to begin at a later moment begins now.
    pub(crate) fn beat_early(&mut self, now: Timestamp) {
        for Heartbeat { name, interval, .. } in self.view.policy.vigil.heartbeats.clone() {
            if !self.watch.beating.contains_key(&name) {
                self.timers.set(Timer::Heartbeat(name), now + interval);
            }
        }
    }

    /// Sends a heartbeat if everything works.
    pub(crate) fn beat(&mut self, now: Timestamp, name: SmolStr, effects: &mut Effects) {
        let vigil = &self.view.policy.vigil;
        let Some(heartbeat) = vigil.heartbeats.iter().find(|heartbeat| heartbeat.name == name) else { return };
        let Some(rule) = vigil.expect.iter().find(|rule| rule.name == heartbeat.expect) else { return };
        let (works, next) = (self.goes_the_whole_way(now, rule), now + heartbeat.interval);
        let before = self.watch.beating.insert(name.clone(), works.is_ok());
        if works.is_ok() {
            effects.beat.push(name.clone());
        }
        effects.notes.push(Note::Heartbeat { name: name.clone(), works, changed: before != Some(works.is_ok()) });
        self.timers.set(Timer::Heartbeat(name), next);
    }

    /// Whether the alert that was received last was received in time, and everybody whom it is routed to knows it.
    fn goes_the_whole_way(&self, now: Timestamp, rule: &Expected) -> Result<(), Stalled> {
        let watched = self.watch.causes.get(&Cause::Missing(rule.name.clone()));
        let received = watched.and_then(|watched| watched.received.as_ref());
        let received = received.filter(|(at, _)| *at + rule.within > now);
        let (_, labels) = received.ok_or(Stalled::NotReceived)?;
        let mut integrations = 0;
        for group in self.router.groups_of(labels).iter() {
            let route = &self.view.policy.routes[group.route as usize];
            let key = group_key(route, &group_labels(route, labels));
            for (key, _) in self.router.receiver_of(group.route as usize).keys(&key) {
                integrations += 1;
                self.is_told_in_time(now, &key, labels.log_hash(), route)?;
            }
        }
        if integrations > 0 { Ok(()) } else { Err(Stalled::NotRouted) }
    }

    /// An integration must have been told, by any node, not longer ago than it is told again when all is well: the repeat
    /// interval has passed at some flush, and that flush has another interval to be told in.
    fn is_told_in_time(&self, now: Timestamp, key: &NflogKey, hash: u64, route: &Route) -> Result<(), Stalled> {
        let told_at = self.nflog.get(key).and_then(|entry| entry.told_firing_at(hash));
        let longest = route.repeat_interval.saturating_add(route.group_interval * 2);
        let in_time = told_at.is_some_and(|at| now.since(at) <= longest);
        if in_time && !self.watch.failing.contains_key(key) { Ok(()) } else { Err(Stalled::NotTold) }
    }

    /// Takes note that an integration could not be told. What is not in the log was not told in time anyway: so there are
    /// never more than the log has entries.
    pub(crate) fn note_failure(&mut self, now: Timestamp, key: &NflogKey) {
        if !self.view.policy.vigil.heartbeats.is_empty() && self.nflog.contains_key(key) {
            self.watch.failing.insert(key.clone(), now);
        }
    }

    /// Takes note that the log says that an integration was told at an instant: perhaps before it could not be, since news
    /// may be old.
    pub(crate) fn note_told(&mut self, key: &NflogKey, at: Timestamp) {
        if self.watch.failing.get(key).is_some_and(|failed| *failed <= at) {
            self.watch.failing.remove(key);
        }
    }
}
