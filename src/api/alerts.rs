//! `/api/v2/alerts`: taking alerts in, and listing them.

use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_engine::alert::Alert;
use watchbell_engine::alert::posted::{Intake, Posted};
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, MutedBy, View};

use super::params::AlertFilter;
use super::wire::posted::PostedAlert;
use super::wire::shown::{AlertStatus, Named, Object, ShownAlert, Text};
use super::wire::time::ZonedTime;
use crate::telemetry::AlertMetrics;

/// The valid alerts of a batch, and what is wrong with each of the others.
pub(super) fn sort_out(
    posted: Vec<PostedAlert>,
    intake: Intake,
    metrics: &AlertMetrics,
) -> (Vec<Arc<Alert>>, Vec<String>) {
    let (mut alerts, mut faults) = (Vec::with_capacity(posted.len()), Vec::new());
    for posted in posted.into_iter().map(Posted::from) {
        let resolved = posted.is_resolved(intake.now);
        if resolved { &metrics.received_resolved } else { &metrics.received_firing }.inc();
        match posted.accept(intake) {
            Ok(alert) => alerts.push(Arc::new(alert)),
            Err(fault) => {
                metrics.invalid.inc();
                faults.push(fault.to_string());
            }
        }
    }
    (alerts, faults)
}

impl From<PostedAlert> for Posted {
    /// A zero time counts as none.
    fn from(posted: PostedAlert) -> Self {
        let given = |time: Option<ZonedTime>| time.and_then(ZonedTime::unless_zero).map(|time| (time.at, time.offset));
        Self {
            labels: posted.labels.unwrap_or_default(),
            annotations: posted.annotations.unwrap_or_default(),
            starts_at: given(posted.starts_at),
            ends_at: given(posted.ends_at),
            generator_url: posted.generator_url.unwrap_or_default(),
        }
    }
}

/// The alerts that are not over and asked for, in order of their fingerprints.
pub(super) fn list<'a>(
    view: &'a View,
    filter: &'a AlertFilter,
    now: Timestamp,
) -> impl Iterator<Item = ShownAlert<'a>> {
    let receivers = filter.receivers(view.policy());
    view.alerts().filter(move |known| is_asked(*known, filter, now)).filter_map(move |known| {
        let names: Vec<Named<'_>> = known.routes().map(|route| Named { name: &route.receiver }).collect();
        let muted_by = receivers.wants_any(&names).then(|| wanted_state(view, filter, known, now))??;
        Some(shown(known, names, muted_by, &[]))
    })
}

/// Whether the alert is not over and has the labels that are asked for.
pub(super) fn is_asked(known: KnownAlert<'_>, filter: &AlertFilter, now: Timestamp) -> bool {
    known.alert.ends_at >= now && filter.wants_labels(&known.alert.labels)
}

/// What mutes the alert, if alerts in that state are asked for.
pub(super) fn wanted_state(
    view: &View,
    filter: &AlertFilter,
    known: KnownAlert<'_>,
    now: Timestamp,
) -> Option<MutedBy> {
    let muted_by = view.muted_by(&known.alert.labels, now);
    filter.wants_state(!muted_by.silences.is_empty(), muted_by.inhibitor.is_some()).then_some(muted_by)
}

/// An alert as clients see it; `hours` are the time intervals that mute its group.
pub(super) fn shown<'a>(
    known: KnownAlert<'a>,
    receivers: Vec<Named<'a>>,
    muted_by: MutedBy,
    hours: &'a [SmolStr],
) -> ShownAlert<'a> {
    let alert = known.alert;
    let suppressed = muted_by.is_muted() || !hours.is_empty();
    ShownAlert {
        annotations: Object(alert.annotations.clone()),
        ends_at: ZonedTime { at: alert.ends_at, offset: alert.ends_offset },
        fingerprint: Text(known.fingerprint),
        receivers,
        starts_at: ZonedTime { at: alert.starts_at, offset: alert.starts_offset },
        status: AlertStatus {
            inhibited_by: muted_by.inhibitor.into_iter().map(Text).collect(),
            muted_by: hours,
            silenced_by: muted_by.silences.into_iter().map(Text).collect(),
            state: if suppressed { "suppressed" } else { "active" },
        },
        updated_at: ZonedTime::local(alert.updated_at),
        generator_url: &alert.generator_url,
        labels: Object(alert.labels.clone()),
    }
}
