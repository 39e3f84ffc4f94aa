//! What a scraper is told that is looked up when it asks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use watchbell_engine::group::Group;
use watchbell_engine::policy::Policy;
use watchbell_engine::silence::SilenceState;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, View};

use super::stamp::{Stamp, Subject};
use super::{Shared, silences};
use crate::clock;
use crate::driver::Refused;
use crate::telemetry::{AlertCounts, DiskCounts, GroupAlerts, SilenceCounts, Snapshot};

/// The state of everything now.
pub(super) async fn snapshot(api: &Shared) -> Result<Snapshot, Refused> {
    let (running, view, disk) = (api.handle.running(), api.handle.view().await?, api.handle.disk().await?);
    let (Counts { alerts, silences }, view) = counts(api, view, running.loaded_at).await?;
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

/// What was counted last, and when.
#[derive(Debug, Default)]
pub(super) struct LastCounts(Mutex<Option<(Stamp, Counts)>>);

/// What is counted one by one.
#[derive(Clone, Debug)]
struct Counts {
    alerts: Vec<GroupAlerts>,
    silences: SilenceCounts,
}

/// The counts of a view, which are made anew only if they may be others than the last ones.
async fn counts(api: &Shared, view: View, loaded_at: Timestamp) -> Result<(Counts, View), Refused> {
    let (answers, last) = (api.answers.clone(), Arc::clone(&api.last_counts));
    let (by_group, run) = (api.options.group_key_in_metrics, api.started_at);
    let counting = tokio::task::spawn_blocking(move || {
        let now = clock::now();
        let stamp = Stamp::new(Subject::Alerts, run, &view, loaded_at, now);
        let mut last = last.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.take().filter(|(made, _)| answers.holds(*made, stamp, &view));
        let make = || (stamp, Counts { alerts: alerts(&view, by_group, now), silences: silence_counts(&view, now) });
        let (_, counts) = last.insert(known.unwrap_or_else(make));
        (counts.clone(), view)
    });
    // It can fail only by a panic or at the stop, and then there is nothing to tell.
    counting.await.map_err(|_| Refused::Stopping)
}

/// How many receivers the routes use, and how many integrations these have.
fn used_receivers(policy: &Policy) -> (usize, usize) {
    let used: BTreeSet<&str> = policy.routes.iter().map(|route| route.receiver.as_str()).collect();
    let receivers = policy.receivers.iter().filter(|receiver| used.contains(receiver.name.as_str()));
    (used.len(), receivers.map(|receiver| receiver.integrations.len()).sum())
}

/// An alert of several groups counts once: as processed if one of them was flushed.
#[derive(Clone, Copy, PartialEq, Eq)]
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
            counts: count(states.into_iter()),
        });
        return counted.collect();
    }
    let states = view.alerts().filter(|known| !known.alert.is_resolved(now)).filter_map(|known| {
        let holding = known.groups().iter().filter_map(|id| Some(view.group(*id)?.1));
        let holding = holding.filter(|group| group.alerts.contains(known.fingerprint));
        let flushed = holding.map(|group| group.flushed).max()?;
        Some(state(view, known, flushed, now))
    });
    vec![GroupAlerts { group_key: None, counts: count(states) }]
}

fn states(view: &View, group: &Group, now: Timestamp) -> Vec<State> {
    let held = group.alerts.iter().filter_map(|fingerprint| view.alert(fingerprint));
    let firing = held.filter(|known| !known.alert.is_resolved(now));
    firing.map(|known| state(view, known, group.flushed, now)).collect()
}

fn state(view: &View, known: KnownAlert<'_>, flushed: bool, now: Timestamp) -> State {
    match flushed {
        false => State::Unprocessed,
        true if view.muted_by(&known.alert.labels, now).is_muted() => State::Suppressed,
        true => State::Active,
    }
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
