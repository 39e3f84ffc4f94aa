//! `/api/v2/alerts/groups`: the aggregation groups with their alerts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::IntoIter;

use watchbell_engine::alert::Alert;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::policy::Policy;
use watchbell_engine::route::GroupRef;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, MutedBy, View};

use crate::driver::Running;

use super::alerts::{ALERTS_A_STEP, fetch, fetch_labels, is_asked, shown, wanted_state};
use super::params::AlertFilter;
use super::pieces::{List, Walk};
use super::wire::shown::{Named, Object};

/// Goes through the groups that hold alerts that are asked for, by their labels, then by their receivers, and in each
/// through these alerts, in the order in which people are told them.
pub(super) struct GroupWalk {
    running: Arc<Running>,
    view: View,
    now: Timestamp,
    receivers: Receivers,
    left: IntoIter<Chosen>,
    open: Option<Open>,
}

/// The routes of each alert that is shown and may be in several groups, by the names of their receivers.
type Receivers = BTreeMap<Fingerprint, Vec<u32>>;

/// A group with those of its alerts that are asked for.
struct Chosen {
    id: GroupRef,
    alerts: Vec<Held>,
}

/// An alert that is asked for.
struct Held {
    fingerprint: Fingerprint,
    alert: Arc<Alert>,
    muted_by: MutedBy,
}

/// A group that is partly written.
struct Open {
    id: GroupRef,
    begun: bool,
    alerts: IntoIter<Held>,
    /// What stands behind its alerts.
    end: Vec<u8>,
}

impl GroupWalk {
    /// `muted` says whether groups that time intervals mute are asked for. This looks at all alerts, and sorts them.
    pub(super) fn new(running: Arc<Running>, view: View, filter: &AlertFilter, muted: bool, now: Timestamp) -> Self {
        let mut chosen = choose(&view, filter, now);
        let receivers = receivers_of(&chosen, &view);
        chosen.retain(|id, _| muted || view.group(*id).is_some_and(|(_, group)| group.muted_by.is_empty()));
        let mut groups: Vec<_> =
            chosen.into_iter().filter_map(|(id, alerts)| Some((view.group(id)?, id, alerts))).collect();
        groups.sort_by(|((a_route, a), ..), ((b_route, b), ..)| {
            a.labels.cmp_as_sets(&b.labels).then_with(|| a_route.receiver.cmp(&b_route.receiver))
        });
        let chosen: Vec<Chosen> =
            groups.into_iter().map(|(_, id, alerts)| Chosen { id, alerts: in_order(alerts) }).collect();
        Self { running, view, now, receivers, left: chosen.into_iter(), open: None }
    }
}

/// The alerts that are asked for, with what mutes them, by the groups that hold them.
fn choose<'a>(
    view: &'a View,
    filter: &'a AlertFilter,
    now: Timestamp,
) -> BTreeMap<GroupRef, Vec<(KnownAlert<'a>, MutedBy)>> {
    let receivers = filter.receivers(view.policy());
    let holds = |id: &GroupRef, fingerprint| {
        let group = view.group(*id).filter(|(_, group)| group.alerts.contains(fingerprint));
        group.is_some_and(|(route, _)| receivers.wants_any(&[Named { name: &route.receiver }]))
    };
    let mut chosen: BTreeMap<GroupRef, Vec<(KnownAlert<'a>, MutedBy)>> = BTreeMap::new();
    let mut all = view.alerts_after(None, filter.demanded());
    loop {
        let some: Vec<KnownAlert<'_>> = all.by_ref().take(ALERTS_A_STEP).collect();
        if some.is_empty() {
            return chosen;
        }
        fetch_labels(some.iter().map(|known| known.alert));
        for known in some.into_iter().filter(|known| is_asked(*known, filter, now)) {
            let mut groups = known.groups().iter().filter(|id| holds(id, known.fingerprint)).peekable();
            let state = groups.peek().and_then(|_| wanted_state(view, filter, known, now));
            let Some(muted_by) = state else { continue };
            groups.for_each(|id| chosen.entry(*id).or_default().push((known, muted_by.clone())));
        }
    }
}

fn receivers_of(chosen: &BTreeMap<GroupRef, Vec<(KnownAlert<'_>, MutedBy)>>, view: &View) -> Receivers {
    let mut receivers = Receivers::new();
    for (id, alerts) in chosen {
        for (known, _) in alerts.iter().filter(|(known, _)| known.groups().len() > 1) {
            receivers.entry(known.fingerprint).or_default().push(id.route);
        }
    }
    receivers.values_mut().for_each(|routes| routes.sort_by_key(|route| receiver(view.policy(), *route)));
    receivers
}

fn receiver(policy: &Policy, route: u32) -> Named<'_> {
    Named { name: &policy.routes[route as usize].receiver }
}

fn in_order(mut alerts: Vec<(KnownAlert<'_>, MutedBy)>) -> Vec<Held> {
    alerts.sort_by_cached_key(|(known, _)| known.alert.labels.as_told());
    let held = alerts.into_iter().map(|(known, muted_by)| {
        let (fingerprint, alert) = (known.fingerprint, Arc::clone(known.alert));
        Held { fingerprint, alert, muted_by }
    });
    held.collect()
}

impl Walk for GroupWalk {
    fn go_on(&mut self, to: &mut List) -> bool {
        let open = self.open.take().or_else(|| self.left.next().and_then(|chosen| self.begin(chosen, to)));
        let Some(mut open) = open else { return false };
        fetch(open.alerts.as_slice().iter().take(ALERTS_A_STEP).map(|held| &held.alert));
        for held in open.alerts.by_ref().take(ALERTS_A_STEP) {
            self.write(&held, &mut open.begun, open.id, to);
        }
        if open.alerts.len() > 0 {
            self.open = Some(open);
            return true;
        }
        to.raw(&open.end);
        self.left.len() > 0
    }
}

impl GroupWalk {
    fn begin(&self, chosen: Chosen, to: &mut List) -> Option<Open> {
        let (route, group) = self.view.group(chosen.id)?;
        let held: Vec<_> = chosen.alerts.iter().map(|held| &held.alert).collect();
        let route_labels = self.running.route_labels(route, group, &held, self.now);
        let mut end = List::default();
        end.raw(b"],\"labels\":");
        end.json(&Object(&group.labels));
        end.raw(b",\"receiver\":");
        end.json(&Named { name: &route.receiver });
        end.raw(b",\"routeLabels\":");
        end.json(&Object(&route_labels));
        end.raw(b"}");
        to.next();
        to.raw(b"{\"alerts\":");
        Some(Open { id: chosen.id, begun: false, alerts: chosen.alerts.into_iter(), end: end.into() })
    }

    fn write(&self, held: &Held, begun: &mut bool, id: GroupRef, to: &mut List) {
        let Some((_, group)) = self.view.group(id) else { return };
        to.raw(if std::mem::replace(begun, true) { b"," } else { b"[" });
        let routes = self.receivers.get(&held.fingerprint).map_or(std::slice::from_ref(&id.route), Vec::as_slice);
        let names = routes.iter().map(|route| receiver(self.view.policy(), *route)).collect();
        to.json(&shown(&held.alert, held.fingerprint, names, &held.muted_by, &group.muted_by));
    }
}
