//! Going on after a change from outside: a restart, a sleep, a new policy, a cluster that has settled. Timers of groups
//! that exist before and after stay where they were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::effect::{Change, Effects};
use crate::engine::{Engine, Options};
use crate::group::{Group, SavedGroup};
use crate::inhibit::Inhibitor;
use crate::intent::Intent;
use crate::label::{Fingerprint, Labels};
use crate::members::KnownPeer;
use crate::nflog::NflogEntry;
use crate::policy::Policy;
use crate::route::{GroupRef, Router};
use crate::silence::Silence;
use crate::step::rewound;
use crate::time::{Timestamp, UtcOffset};
use crate::timer::Timer;
use crate::vigil::Watch;

/// What was on disk.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Silences.
    pub silences: Vec<Arc<Silence>>,
    /// Log entries.
    pub nflog: Vec<Arc<NflogEntry>>,
    /// What integrations may have heard.
    pub intents: Vec<Arc<Intent>>,
    /// Alerts of which not everybody was told that they are resolved.
    pub alerts: Vec<Arc<Alert>>,
    /// Timers of groups.
    pub groups: Vec<SavedGroup>,
    /// The other nodes.
    pub peers: Vec<KnownPeer>,
}

/// A group by names that hold under every policy: its route's id and its labels.
type GroupsBefore = BTreeMap<(Arc<str>, Labels), Group>;

/// Senders vouch for what fires for the time of several reports: who sleeps for less misses nothing by it.
const LONG_SLEEP: Duration = Duration::from_secs(10);

impl Engine {
    /// An engine that goes on where another stopped, or was killed. What has outlived its retention is left out and
    /// among the effects as deleted.
    ///
    /// An alert that ran out while nobody was there may still fire: it gets the time of `resolve_timeout` to be
    /// repeated.
    pub fn restore(now: Timestamp, options: Options, policy: Arc<Policy>, saved: Saved) -> (Self, Effects) {
        let mut engine = Self::new(now, options, policy);
        let mut effects = Effects::default();
        for silence in saved.silences {
            engine.keep_silence(now, silence, &mut effects);
        }
        for entry in saved.nflog {
            engine.keep_nflog(entry, &mut effects);
        }
        saved.intents.into_iter().for_each(|intent| engine.keep_intent(intent));
        for alert in saved.alerts {
            let alert = engine.with_time_to_repeat(now, alert);
            let fingerprint = alert.fingerprint();
            if engine.name_limit.admits(&alert, fingerprint, now) {
                engine.store_alert(now, fingerprint, None, &alert);
            }
        }
        let carried = saved.groups.into_iter().map(|group| {
            let flushed_before = Group::new(group.labels.clone(), "".into(), group.next_flush);
            ((group.route_id, group.labels), flushed_before)
        });
        // What was just read is on disk already.
        effects = Effects::default();
        engine.regroup(now, carried.collect(), &mut effects);
        // What fires already is taken over.
        let book = saved.peers.into_iter().map(|peer| (peer.name.clone(), peer)).collect();
        engine.watch = Watch { book, ..Watch::default() };
        engine.keep_watch(now, &mut effects);
        (engine, effects)
    }

    /// Follows another policy. Alerts, silences and the log stay; groups that exist under both policies keep their
    /// timers; attempts that are under way go on.
    pub fn reload(&mut self, now: Timestamp, policy: Arc<Policy>) -> Effects {
        self.follow_clock(now);
        let carried = self.take_groups();
        self.router = Router::new(Arc::clone(&policy));
        *self.view.inhibitor = Inhibitor::new(&policy.inhibit_rules);
        *self.view.policy = policy;
        let alerts: Vec<(Fingerprint, Arc<Alert>)> =
            self.view.alerts.iter().map(|(fingerprint, slot)| (fingerprint, Arc::clone(&slot.alert))).collect();
        for (fingerprint, alert) in alerts {
            self.view.alerts.remove(fingerprint);
            self.store_alert(now, fingerprint, None, &alert);
        }
        let mut effects = Effects::default();
        self.regroup(now, carried, &mut effects);
        self.keep_watch(now, &mut effects);
        effects
    }

    /// The other nodes' state is known: held flushes may happen.
    pub(crate) fn settled(&mut self, now: Timestamp) {
        self.hold_until = self.hold_until.min(now.max(self.start_at));
        let held: Vec<GroupRef> = self.view.groups.keys().copied().collect();
        for id in held {
            let never_flushed = self.view.groups.get(&id).filter(|group| !group.flushed);
            if let Some(next) = never_flushed.map(|group| group.next_flush.max(self.hold_until)) {
                self.timers.set(Timer::Flush(id), next);
            }
        }
        self.begin_vigil_early(self.hold_until);
    }

    /// Ends all groups, with what must survive until [`regroup`](Self::regroup). A flush that was not settled is done
    /// again at once, unless an attempt for it is under way.
    fn take_groups(&mut self) -> GroupsBefore {
        self.deliveries.retain(|key, delivery| {
            (delivery.group, delivery.next) = (None, None);
            if delivery.sending.is_none() {
                self.timers.cancel(&Timer::Delivery(key.clone()));
            }
            delivery.sending.is_some()
        });
        let groups = std::mem::take(&mut *self.view.groups);
        self.group_keys.clear();
        let mut carried = GroupsBefore::new();
        for (id, group) in groups.iter() {
            self.timers.cancel(&Timer::Flush(*id));
            let mut group = Group::clone(group);
            if group.open.take().is_some() {
                group.next_flush = Timestamp::EPOCH;
            }
            carried.insert((Arc::clone(&self.view.policy.routes[id.route as usize].id), group.labels.clone()), group);
        }
        carried
    }

    /// Puts every alert into its groups; those that were there before go on.
    fn regroup(&mut self, now: Timestamp, carried: GroupsBefore, effects: &mut Effects) {
        let alerts: Vec<(Fingerprint, Arc<Alert>)> =
            self.view.alerts.iter().map(|(fingerprint, slot)| (fingerprint, Arc::clone(&slot.alert))).collect();
        for (fingerprint, alert) in alerts {
            if !self.join_groups(now, fingerprint, &alert, &mut Effects::default()) {
                effects.persist.push(Change::DeleteAlert(fingerprint));
            }
        }
        let opened: Vec<GroupRef> = self.view.groups.keys().copied().collect();
        for id in opened {
            let Some(saved) = self.saved_group(id) else { continue };
            if let Some(before) = carried.get(&(saved.route_id, saved.labels)) {
                self.carry_over(now, id, before);
            }
            effects.persist.extend(self.saved_group(id).map(Change::PutGroup));
        }
        self.forget_gone_groups(&carried, effects);
    }

    fn carry_over(&mut self, now: Timestamp, id: GroupRef, before: &Group) {
        let interval = self.view.policy.routes[id.route as usize].group_interval;
        let next_flush = before.next_flush.min(now + interval).max(now);
        let group = self.group_mut(id).expect("it was just opened");
        (group.flushed, group.next_flush) = (before.flushed, next_flush);
        group.muted_by.clone_from(&before.muted_by);
        self.timers.set(Timer::Flush(id), next_flush.max(self.hold_until));
    }

    fn forget_gone_groups(&self, carried: &GroupsBefore, effects: &mut Effects) {
        let there: BTreeSet<_> =
            self.view.groups.keys().filter_map(|id| self.saved_group(*id)).map(|g| (g.route_id, g.labels)).collect();
        let gone = carried.iter().filter(|(name, _)| !there.contains(*name));
        effects.persist.extend(gone.map(|((route_id, labels), group)| {
            let saved =
                SavedGroup { route_id: Arc::clone(route_id), labels: labels.clone(), next_flush: group.next_flush };
            Change::DeleteGroup(saved)
        }));
    }

    /// The time in which nobody was there, and nobody could report anything, does not count: what was to fire for longer
    /// does so for as much longer.
    pub(crate) fn overslept(&mut self, since: Timestamp, now: Timestamp, effects: &mut Effects) {
        let slept = now.since(since);
        if slept < LONG_SLEEP {
            return;
        }
        self.begin_vigil_anew(now);
        self.share_beginnings(now, effects);
        let open = self.view.alerts.iter().filter(|(_, slot)| slot.alert.ends_at > since);
        let open = open.filter(|(_, slot)| slot.alert.ends_at > slot.alert.updated_at);
        let open: Vec<_> = open.map(|(fingerprint, slot)| (fingerprint, Arc::clone(&slot.alert))).collect();
        for (fingerprint, alert) in open {
            let longer = Arc::new(Alert { ends_at: alert.ends_at + slept, ..Alert::clone(&alert) });
            self.store_alert(now, fingerprint, Some(&alert), &longer);
        }
    }

    /// An alert whose end lay ahead when it was reported, and has passed, is given time to be reported again. It was not
    /// reported later than now, even if the clock was set back meanwhile.
    fn with_time_to_repeat(&self, now: Timestamp, alert: Arc<Alert>) -> Arc<Alert> {
        let is_ahead = alert.updated_at > now;
        let alert = if is_ahead { Arc::new(rewound(&alert, alert.updated_at, now)) } else { alert };
        let ended_meanwhile = alert.updated_at < alert.ends_at && alert.ends_at <= now;
        if !ended_meanwhile {
            return alert;
        }
        let ends_at = now + self.view.policy.resolve_timeout;
        Arc::new(Alert { ends_at, ends_offset: UtcOffset::default(), timeout: true, ..Alert::clone(&alert) })
    }
}
