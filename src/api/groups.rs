//! `/api/v2/alerts/groups`: the aggregation groups with their alerts.

use std::collections::BTreeMap;

use watchbell_engine::group::Group;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::policy::Route;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, MutedBy, View};

use crate::driver::Running;

use super::alerts::{is_asked, shown, wanted_state};
use super::params::AlertFilter;
use super::wire::shown::{Named, Object, ShownGroup};

/// A group with those of its alerts that are asked for.
struct Chosen<'a> {
    route: &'a Route,
    group: &'a Group,
    alerts: Vec<(KnownAlert<'a>, MutedBy)>,
}

/// The groups that hold alerts that are asked for; `muted` says whether groups that time intervals mute are wanted.
pub(super) fn list<'a>(
    running: &'a Running,
    view: &'a View,
    filter: &AlertFilter,
    muted: bool,
    now: Timestamp,
) -> impl Iterator<Item = ShownGroup<'a>> {
    let mut chosen = choose(view, filter, now);
    let receivers = receivers_of(&chosen);
    chosen.retain(|chosen| muted || chosen.group.muted_by.is_empty());
    chosen.sort_by(|a, b| {
        let by_labels = a.group.labels.cmp_as_sets(&b.group.labels);
        by_labels.then_with(|| a.route.receiver.cmp(&b.route.receiver))
    });
    chosen.into_iter().map(move |chosen| chosen.shown(running, &receivers, now))
}

fn choose<'a>(view: &'a View, filter: &AlertFilter, now: Timestamp) -> Vec<Chosen<'a>> {
    let receivers = filter.receivers(view.policy());
    let groups = view.groups().filter(|(route, _)| receivers.wants_any(&[Named { name: &route.receiver }]));
    let chosen = groups.map(|(route, group)| {
        let alerts = group.alerts.iter().filter_map(|fingerprint| view.alert(*fingerprint));
        let asked = alerts.filter(|known| is_asked(*known, filter, now));
        let alerts = asked.filter_map(|known| Some((known, wanted_state(view, filter, known, now)?))).collect();
        Chosen { route, group, alerts }
    });
    chosen.filter(|chosen| !chosen.alerts.is_empty()).collect()
}

/// The receivers of each alert that may be in several groups: of all that hold it, sorted.
fn receivers_of<'a>(chosen: &[Chosen<'a>]) -> BTreeMap<Fingerprint, Vec<Named<'a>>> {
    let mut receivers: BTreeMap<Fingerprint, Vec<Named<'a>>> = BTreeMap::new();
    for Chosen { route, alerts, .. } in chosen {
        for (known, _) in alerts.iter().filter(|(known, _)| known.routes().len() > 1) {
            receivers.entry(known.fingerprint).or_default().push(Named { name: &route.receiver });
        }
    }
    receivers.values_mut().for_each(|names| names.sort_unstable());
    receivers
}

impl<'a> Chosen<'a> {
    fn shown(
        mut self,
        running: &Running,
        receivers: &BTreeMap<Fingerprint, Vec<Named<'a>>>,
        now: Timestamp,
    ) -> ShownGroup<'a> {
        self.alerts.sort_by_cached_key(|(known, _)| known.alert.labels.as_told());
        let held: Vec<_> = self.alerts.iter().map(|(known, _)| known.alert).collect();
        let route_labels = running.route_labels(self.route, self.group, &held, now);
        let own = Named { name: &self.route.receiver };
        let alerts = self.alerts.into_iter().map(|(known, muted_by)| {
            let receivers = receivers.get(&known.fingerprint).cloned().unwrap_or_else(|| vec![own]);
            shown(known, receivers, muted_by, &self.group.muted_by)
        });
        ShownGroup {
            alerts: alerts.collect(),
            labels: Object(self.group.labels.clone()),
            receiver: own,
            route_labels: Object(route_labels),
        }
    }
}
