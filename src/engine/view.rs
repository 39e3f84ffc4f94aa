//! What is known, for those who ask: alerts, groups, silences, and what mutes what. A clone is taken in constant time
//! and does not change any more, so that answering never stalls the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::alerts::{Alerts, Slot};
use crate::counted::Counted;
use crate::effect::Mute;
use crate::group::Group;
use crate::inhibit::Inhibitor;
use crate::label::{Fingerprint, Labels};
use crate::pairs::DemandedPairs;
use crate::policy::{Policy, Route};
use crate::route::GroupRef;
use crate::silence::table::Silences;
use crate::silence::{Silence, SilenceId};
use crate::time::Timestamp;

/// A snapshot of everything the API shows.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) policy: Counted<Arc<Policy>>,
    pub(crate) alerts: Counted<Alerts>,
    pub(crate) groups: Counted<Arc<BTreeMap<GroupRef, Arc<Group>>>>,
    pub(crate) silences: Counted<Arc<Silences>>,
    /// How long ended silences are shown.
    pub(crate) retention: Duration,
    pub(crate) inhibitor: Counted<Inhibitor>,
}

/// What was seen: of two views of one engine with equal versions, all that was known is the same. What follows from it may
/// still be another at another time; see [`View::next_change_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewVersion(pub u64);

/// A known alert.
#[derive(Clone, Copy, Debug)]
pub struct KnownAlert<'a> {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The alert; it may be resolved.
    pub alert: &'a Arc<Alert>,
    slot: &'a Slot,
    policy: &'a Policy,
}

/// What mutes an alert at an instant, time intervals apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MutedBy {
    /// The active silences that match it.
    pub silences: Vec<SilenceId>,
    /// The firing alert that inhibits it.
    pub inhibitor: Option<Fingerprint>,
}

impl View {
    pub(crate) fn new(policy: Arc<Policy>, retention: Duration) -> Self {
        Self {
            inhibitor: Counted::new(Inhibitor::new(&policy.inhibit_rules)),
            policy: Counted::new(policy),
            alerts: Counted::new(Alerts::default()),
            groups: Counted::new(Arc::default()),
            silences: Counted::new(Arc::default()),
            retention,
        }
    }

    /// The version of all that is known.
    pub fn version(&self) -> ViewVersion {
        let alerts = self.alerts.changes() + self.groups.changes() + self.inhibitor.changes();
        ViewVersion(alerts + self.silences.changes() + self.policy.changes())
    }

    /// The version of the silences alone.
    pub fn silences_version(&self) -> ViewVersion {
        ViewVersion(self.silences.changes())
    }

    /// The first instant after `now` at which anything may be shown otherwise although nothing has happened: an alert ends,
    /// or a silence begins, ends or is not shown any more. Hours that mute a group are known from its flush on, so they do
    /// not change with time alone. It looks at everything.
    pub fn next_change_after(&self, now: Timestamp) -> Timestamp {
        let ends = self.alerts.iter().map(|(_, slot)| slot.alert.ends_at);
        // Some ask whether an end has come, others whether it is over.
        let alerts = ends.flat_map(|end| [end, end.next()]).filter(|at| *at > now).min();
        alerts.unwrap_or(Timestamp::MAX).min(self.next_silence_change_after(now))
    }

    /// The same for the silences alone.
    pub fn next_silence_change_after(&self, now: Timestamp) -> Timestamp {
        let edges = self.silences.iter().flat_map(|silence| {
            let (starts_at, ends_at) = (silence.starts_at, silence.ends_at);
            [starts_at, ends_at, ends_at.next(), ends_at + self.retention]
        });
        edges.filter(|at| *at > now).min().unwrap_or(Timestamp::MAX)
    }

    /// The policy that is followed.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// All known alerts, resolved ones included, in order of their fingerprints.
    pub fn alerts(&self) -> impl Iterator<Item = KnownAlert<'_>> {
        self.alerts.iter().map(|(fingerprint, slot)| self.known(fingerprint, slot))
    }

    /// The alerts after `last` that may satisfy all matchers, in order of their fingerprints. What an equality demands is
    /// looked up; whether the alerts found do match must still be asked.
    pub fn alerts_after<'a>(
        &'a self,
        last: Option<Fingerprint>,
        pairs: &'a DemandedPairs,
    ) -> impl Iterator<Item = KnownAlert<'a>> {
        self.alerts.after(last, &pairs.0).map(|(fingerprint, slot)| self.known(fingerprint, slot))
    }

    /// The alert with this fingerprint.
    pub fn alert(&self, fingerprint: Fingerprint) -> Option<KnownAlert<'_>> {
        self.alerts.get(fingerprint).map(|slot| self.known(fingerprint, slot))
    }

    /// How many alerts are known.
    pub fn alert_count(&self) -> usize {
        self.alerts.len()
    }

    /// All aggregation groups with their routes, by route.
    pub fn groups(&self) -> impl Iterator<Item = (&Route, &Group)> {
        self.groups.iter().map(|(id, group)| (&self.policy.routes[id.route as usize], group.as_ref()))
    }

    /// The group with this identity, and its route.
    pub fn group(&self, id: GroupRef) -> Option<(&Route, &Group)> {
        Some((&self.policy.routes[id.route as usize], self.groups.get(&id)?))
    }

    /// All silences that are kept, those included that are remembered only so that no copy of them comes back.
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// The silences that people are shown at `now`: until the retention after their end.
    pub fn shown_silences(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Silence>> {
        self.silences.iter().filter(move |silence| silence.ends_at + self.retention > now)
    }

    /// The silence with this id, if people are shown it.
    pub fn silence(&self, id: SilenceId, now: Timestamp) -> Option<&Arc<Silence>> {
        self.silences.get(id).filter(|silence| silence.ends_at + self.retention > now)
    }

    /// What mutes an alert with these labels at `now`.
    pub fn muted_by(&self, labels: &Labels, now: Timestamp) -> MutedBy {
        let inhibitor = self.inhibitor.inhibited_by(labels, now);
        MutedBy { silences: self.silences.silencing(labels, now), inhibitor }
    }

    /// Why an alert with these labels may not be told at `now`, in the order in which Alertmanager asks; `hours` is
    /// what [`muting_hours`](Self::muting_hours) says of its route.
    pub(crate) fn mute(&self, labels: &Labels, hours: Option<Mute>, now: Timestamp) -> Option<Mute> {
        let inhibited = self.inhibitor.inhibited_by(labels, now).map(|_| Mute::Inhibited);
        let silenced = || (!self.silences.silencing(labels, now).is_empty()).then_some(Mute::Silenced);
        inhibited.or(hours).or_else(silenced)
    }

    /// Whether the hour mutes a route, and the names of the time intervals that say so.
    pub(crate) fn muting_hours(&self, route: &Route, now: Timestamp) -> Option<(Mute, Vec<SmolStr>)> {
        let inside = |name: &&SmolStr| self.policy.time_intervals.get(*name).is_some_and(|i| holds(i, now));
        let active = &route.active_time_intervals;
        if !active.is_empty() && !active.iter().any(|name| inside(&name)) {
            return Some((Mute::Inactive, active.clone()));
        }
        let muting: Vec<SmolStr> = route.mute_time_intervals.iter().filter(inside).cloned().collect();
        (!muting.is_empty()).then_some((Mute::TimeMuted, muting))
    }

    fn known<'a>(&'a self, fingerprint: Fingerprint, slot: &'a Slot) -> KnownAlert<'a> {
        KnownAlert { fingerprint, alert: &slot.alert, slot, policy: &self.policy }
    }
}

impl<'a> KnownAlert<'a> {
    /// The groups that its labels lead to, whether or not it is in them now.
    pub fn groups(&self) -> &'a [GroupRef] {
        &self.slot.groups
    }

    /// The routes that the alert takes, in the order in which they match.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &'a Route> {
        let (slot, policy) = (self.slot, self.policy);
        slot.groups.iter().map(move |group| &policy.routes[group.route as usize])
    }
}

impl MutedBy {
    /// Whether anything mutes the alert.
    pub fn is_muted(&self) -> bool {
        !self.silences.is_empty() || self.inhibitor.is_some()
    }
}

fn holds(intervals: &[crate::timeinterval::TimeInterval], now: Timestamp) -> bool {
    intervals.iter().any(|interval| interval.contains(now))
}
