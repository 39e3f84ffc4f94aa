//! What a scraper is told that is looked up when it asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use watchbell_engine::group::Group;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::policy::Policy;
use watchbell_engine::silence::SilenceState;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::View;

use super::{Shared, silences};
use crate::clock;
use crate::driver::Refused;
use crate::telemetry::{AlertCounts, DiskCounts, GroupAlerts, SilenceCounts, Snapshot};

/// The state of everything now.
pub(super) async fn snapshot(api: &Shared) -> Result<Snapshot, Refused> {
    let (running, view, disk) = (api.handle.running(), api.handle.view().await?, api.handle.disk().await?);
    let by_group = api.options.group_key_in_metrics;
    let counting = tokio::task::spawn_blocking(move || {
        let now = clock::now();
        (alerts(&view, by_group, now), silence_counts(&view, now), view)
    });
    // It can fail only by a panic or at the stop, and then there is nothing to tell.
    let (alerts, silences, view) = counting.await.map_err(|_| Refused::Stopping)?;
    let (receivers, integrations) = used_receivers(view.policy());
    Ok(Snapshot {
        config_hash: running.config_hash,
        config_last_reload_successful: running.last_reload_ok,
        config_last_reload_success_seconds: running.loaded_at.as_secs() as f64,
        receivers,
        integrations,
        inhibition_rules: view.policy().inhibit_rules.len(),
        cluster_enabled: api.handle.cluster().is_some(),
        alerts,
        per_alertname_limit: api.options.per_alertname_limit,
        aggregation_groups: view.groups().count(),
        silences,
        disk: DiskCounts {
            bytes: disk.bytes,
            commits: disk.commits,
            failed_commits: disk.failed_commits,
            folds: disk.folds,
            failed_folds: disk.failed_folds,
            records: disk.records,
            refused: disk.refused,
            queued: disk.queued,
        },
    })
}

/// How many receivers the routes use, and how many integrations these have.
fn used_receivers(policy: &Policy) -> (usize, usize) {
    let used: BTreeSet<&str> = policy.routes.iter().map(|route| route.receiver.as_str()).collect();
    let receivers = policy.receivers.iter().filter(|receiver| used.contains(receiver.name.as_str()));
    (used.len(), receivers.map(|receiver| receiver.integrations.len()).sum())
}

/// In order of precedence: an alert of several groups counts once, in the last of its states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Unprocessed,
    Active,
    Suppressed,
}

/// The alerts that fire in groups: by group, or all together.
fn alerts(view: &View, by_group: bool, now: Timestamp) -> Vec<GroupAlerts> {
    let states = |group: &Group| states(view, group, now);
    if by_group {
        let groups = view.groups().map(|(_, group)| (group, states(group)));
        let counted = groups.map(|(group, states)| GroupAlerts {
            group_key: Some(Arc::clone(&group.key)),
            counts: count(states.into_values()),
        });
        return counted.collect();
    }
    let mut all: BTreeMap<Fingerprint, State> = BTreeMap::new();
    for (fingerprint, state) in view.groups().flat_map(|(_, group)| states(group)) {
        all.entry(fingerprint).and_modify(|known| *known = state.max(*known)).or_insert(state);
    }
    vec![GroupAlerts { group_key: None, counts: count(all.into_values()) }]
}

fn states(view: &View, group: &Group, now: Timestamp) -> BTreeMap<Fingerprint, State> {
    let firing = group.alerts.iter().filter_map(|fingerprint| view.alert(*fingerprint));
    let firing = firing.filter(|known| !known.alert.is_resolved(now));
    let state = |labels| match group.flushed {
        false => State::Unprocessed,
        true if view.muted_by(labels, now).is_muted() => State::Suppressed,
        true => State::Active,
    };
    firing.map(|known| (known.fingerprint, state(&known.alert.labels))).collect()
}

fn count(states: impl Iterator<Item = State>) -> AlertCounts {
    states.fold(AlertCounts::default(), |mut counts, state| {
        match state {
            State::Unprocessed => counts.unprocessed += 1,
            State::Active => counts.active += 1,
            State::Suppressed => counts.suppressed += 1,
        }
        counts
    })
}

fn silence_counts(view: &View, now: Timestamp) -> SilenceCounts {
    view.shown_silences(now).fold(SilenceCounts::default(), |mut counts, silence| {
        match silences::state(silence, now) {
            SilenceState::Active => counts.active += 1,
            SilenceState::Pending => counts.pending += 1,
            SilenceState::Expired => counts.expired += 1,
        }
        counts
    })
}
