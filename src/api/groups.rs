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
    running: &Running,
    view: &'a View,
    filter: &AlertFilter,
    muted: bool,
    now: Timestamp,
) -> Vec<ShownGroup<'a>> {
    let mut chosen = choose(view, filter, now);
    let receivers = receivers_of(&chosen);
    chosen.retain(|chosen| muted || chosen.group.muted_by.is_empty());
    chosen.sort_by(|a, b| {
        let by_labels = a.group.labels.cmp_as_sets(&b.group.labels);
        by_labels.then_with(|| a.route.receiver.cmp(&b.route.receiver))
    });
    chosen.into_iter().map(|chosen| chosen.shown(running, &receivers, now)).collect()
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

/// The receivers of each alert in all groups that hold it, sorted.
fn receivers_of<'a>(chosen: &[Chosen<'a>]) -> BTreeMap<Fingerprint, Vec<Named<'a>>> {
    let mut receivers: BTreeMap<Fingerprint, Vec<Named<'a>>> = BTreeMap::new();
    for Chosen { route, alerts, .. } in chosen {
        for (known, _) in alerts {
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
        self.alerts.sort_by(|(a, _), (b, _)| a.alert.labels.cmp_as_told(&b.alert.labels));
        let held: Vec<_> = self.alerts.iter().map(|(known, _)| known.alert).collect();
        let route_labels = running.route_labels(self.route, self.group, &held, now);
        let alerts = self.alerts.into_iter().map(|(known, muted_by)| {
            let receivers = receivers.get(&known.fingerprint).cloned().unwrap_or_default();
            shown(known, receivers, muted_by, &self.group.muted_by)
        });
        ShownGroup {
            alerts: alerts.collect(),
            labels: Object(self.group.labels.clone()),
            receiver: Named { name: &self.route.receiver },
            route_labels: Object(route_labels),
        }
    }
}
