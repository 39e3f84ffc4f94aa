//! `/api/v2/alerts`: taking alerts in, and listing them.

use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_engine::alert::Alert;
use watchbell_engine::alert::posted::{Intake, Posted};
use watchbell_engine::label::Fingerprint;
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, MutedBy, View};

use super::params::{AlertFilter, ReceiverFilter};
use super::pieces::{List, Walk};
use super::wire::posted::PostedAlert;
use super::wire::shown::{AlertStatus, Named, Object, ShownAlert, Text, Texts};
use super::wire::time::ZonedTime;
use crate::telemetry::AlertMetrics;

/// How many alerts one step of a walk looks at.
pub(super) const ALERTS_A_STEP: usize = 16;

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

/// Goes through the alerts that are not over and asked for, in order of their fingerprints.
pub(super) struct AlertWalk {
    view: View,
    filter: AlertFilter,
    receivers: ReceiverFilter,
    now: Timestamp,
    last: Option<Fingerprint>,
}

impl AlertWalk {
    pub(super) fn new(view: View, filter: AlertFilter, now: Timestamp) -> Self {
        Self { receivers: filter.receivers(view.policy()), view, filter, now, last: None }
    }

    /// Writes the alert if it is asked for.
    fn list(&self, known: KnownAlert<'_>, to: &mut List) {
        if !is_asked(known, &self.filter, self.now) {
            return;
        }
        let names: Vec<Named<'_>> = known.routes().map(|route| Named { name: &route.receiver }).collect();
        let wanted = self.receivers.wants_any(&names);
        if let Some(muted_by) = wanted.then(|| wanted_state(&self.view, &self.filter, known, self.now)).flatten() {
            to.item(&shown(known.alert, known.fingerprint, names, &muted_by, &[]));
        }
    }
}

impl Walk for AlertWalk {
    fn go_on(&mut self, to: &mut List) -> bool {
        let found = self.view.alerts_after(self.last, self.filter.demanded()).take(ALERTS_A_STEP);
        let found: Vec<KnownAlert<'_>> = found.collect();
        fetch(found.iter().map(|known| known.alert));
        found.iter().for_each(|known| self.list(*known, to));
        let last = found.last().map(|known| known.fingerprint);
        let more = found.len() == ALERTS_A_STEP;
        self.last = last;
        more
    }
}

/// Touches all that will be read of some alerts. It lies all over the memory; touched one after the other with nothing in
/// between, the waits for it overlap.
pub(super) fn fetch<'a>(alerts: impl Iterator<Item = &'a Arc<Alert>>) {
    let link = |alert: &Alert| usize::from(alert.generator_url.bytes().next().unwrap_or_default());
    let touch = |alert: &Arc<Alert>| alert.labels.len() + alert.annotations.len() + link(alert);
    std::hint::black_box(alerts.map(touch).sum::<usize>());
}

/// The same for the labels alone.
pub(super) fn fetch_labels<'a>(alerts: impl Iterator<Item = &'a Arc<Alert>>) {
    std::hint::black_box(alerts.map(|alert| alert.labels.len()).sum::<usize>());
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
    alert: &'a Alert,
    fingerprint: Fingerprint,
    receivers: Vec<Named<'a>>,
    muted_by: &'a MutedBy,
    hours: &'a [SmolStr],
) -> ShownAlert<'a> {
    ShownAlert {
        annotations: Object(&alert.annotations),
        ends_at: ZonedTime { at: alert.ends_at, offset: alert.ends_offset },
        fingerprint: Text(fingerprint),
        receivers,
        starts_at: ZonedTime { at: alert.starts_at, offset: alert.starts_offset },
        status: AlertStatus {
            inhibited_by: Texts(muted_by.inhibitor.as_slice()),
            muted_by: hours,
            silenced_by: Texts(&muted_by.silences),
            state: if muted_by.is_muted() || !hours.is_empty() { "suppressed" } else { "active" },
        },
        updated_at: ZonedTime::local(alert.updated_at),
        generator_url: &alert.generator_url,
        labels: Object(&alert.labels),
    }
}
