//! `/api/v2/alerts/groups`: the aggregation groups with their alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use watchbell_engine::alert::Alert;
use watchbell_engine::group::Group;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::policy::Route;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{MutedBy, View};

use super::alerts::{is_over, shown, wanted_state};
use super::params::AlertFilter;
use super::wire::shown::{Named, Object, ShownGroup};

/// A group with those of its alerts that are asked for.
struct Chosen<'a> {
    route: &'a Route,
    group: &'a Group,
    alerts: Vec<(&'a Arc<Alert>, MutedBy)>,
}

/// The groups that hold alerts that are asked for; `muted` says whether groups that time intervals mute are wanted.
pub(super) fn list<'a>(view: &'a View, filter: &AlertFilter, muted: bool, now: Timestamp) -> Vec<ShownGroup<'a>> {
    let mut chosen = choose(view, filter, now);
    let receivers = receivers_of(&chosen);
    chosen.retain(|chosen| muted || chosen.group.muted_by.is_empty());
    chosen.sort_by(|a, b| {
        let by_labels = a.group.labels.cmp_as_sets(&b.group.labels);
        by_labels.then_with(|| a.route.receiver.cmp(&b.route.receiver))
    });
    chosen.into_iter().map(|chosen| chosen.shown(&receivers)).collect()
}

fn choose<'a>(view: &'a View, filter: &AlertFilter, now: Timestamp) -> Vec<Chosen<'a>> {
    let receivers = filter.receivers(view.policy());
    let groups = view.groups().filter(|(route, _)| receivers.wants_any(&[Named { name: &route.receiver }]));
    let chosen = groups.map(|(route, group)| {
        let alerts = group.alerts.iter().filter_map(|fingerprint| Some(view.alert(*fingerprint)?.alert));
        let asked = alerts.filter(|alert| !is_over(alert, now) && filter.wants_labels(&alert.labels));
        let alerts = asked.filter_map(|alert| Some((alert, wanted_state(view, filter, alert, now)?))).collect();
        Chosen { route, group, alerts }
    });
    chosen.filter(|chosen| !chosen.alerts.is_empty()).collect()
}

/// The receivers of each alert in all groups that hold it, sorted.
fn receivers_of<'a>(chosen: &[Chosen<'a>]) -> BTreeMap<Fingerprint, Vec<Named<'a>>> {
    let mut receivers: BTreeMap<Fingerprint, Vec<Named<'a>>> = BTreeMap::new();
    for Chosen { route, alerts, .. } in chosen {
        for (alert, _) in alerts {
            receivers.entry(alert.fingerprint()).or_default().push(Named { name: &route.receiver });
        }
    }
    receivers.values_mut().for_each(|names| names.sort_unstable());
    receivers
}

impl<'a> Chosen<'a> {
    fn shown(mut self, receivers: &BTreeMap<Fingerprint, Vec<Named<'a>>>) -> ShownGroup<'a> {
        self.alerts.sort_by(|(a, _), (b, _)| a.labels.cmp_as_told(&b.labels));
        let alerts = self.alerts.into_iter().map(|(alert, muted_by)| {
            let receivers = receivers.get(&alert.fingerprint()).cloned().unwrap_or_default();
            shown(alert, receivers, muted_by, &self.group.muted_by)
        });
        ShownGroup {
            alerts: alerts.collect(),
            labels: Object(self.group.labels.clone()),
            receiver: Named { name: &self.route.receiver },
            route_labels: Object(self.route.labels.clone()),
        }
    }
}
