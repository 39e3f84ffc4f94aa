//! `/api/v2/alerts`: taking alerts in, and listing them.

use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_engine::alert::Alert;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::parse::{Syntax, is_valid_label_name};
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{KnownAlert, MutedBy, View};
use watchbell_golang::quote::quote;

use super::params::AlertFilter;
use super::wire::posted::PostedAlert;
use super::wire::shown::{AlertStatus, Named, Object, ShownAlert, Text};
use super::wire::time::ZonedTime;
use crate::telemetry::AlertMetrics;

/// What a batch is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intake {
    pub(super) now: ZonedTime,
    pub(super) resolve_timeout: std::time::Duration,
    pub(super) syntax: Syntax,
}

impl Intake {
    /// The valid alerts of a batch, and what is wrong with each of the others.
    pub(super) fn sort_out(self, posted: Vec<PostedAlert>, metrics: &AlertMetrics) -> (Vec<Arc<Alert>>, Vec<String>) {
        let (mut alerts, mut faults) = (Vec::with_capacity(posted.len()), Vec::new());
        for posted in posted {
            let alert = self.complete(posted);
            let received =
                if alert.is_resolved(self.now.at) { &metrics.received_resolved } else { &metrics.received_firing };
            received.inc();
            match self.validate(&alert) {
                Ok(()) => alerts.push(Arc::new(alert)),
                Err(fault) => {
                    metrics.invalid.inc();
                    faults.push(fault);
                }
            }
        }
        (alerts, faults)
    }

    /// Fills in what the sender left out: an alert without an end fires until `resolve_timeout` has passed, one
    /// without a start began at its end, or now.
    fn complete(self, posted: PostedAlert) -> Alert {
        let given_end = posted.ends_at.and_then(ZonedTime::unless_zero);
        let computed_end = || ZonedTime::local(self.now.at + self.resolve_timeout);
        let ends_at = given_end.unwrap_or_else(computed_end);
        let starts_at = posted.starts_at.and_then(ZonedTime::unless_zero).or(given_end).unwrap_or(self.now);
        Alert {
            labels: without_empty(posted.labels.unwrap_or_default()),
            annotations: posted.annotations.unwrap_or_default(),
            starts_at: starts_at.at,
            starts_offset: starts_at.offset,
            ends_at: ends_at.at,
            ends_offset: ends_at.offset,
            updated_at: self.now.at,
            generator_url: posted.generator_url.unwrap_or_default(),
            timeout: given_end.is_none(),
        }
    }

    fn validate(self, alert: &Alert) -> Result<(), String> {
        if alert.ends_at < alert.starts_at {
            return Err("start time must be before end time".to_owned());
        }
        if alert.labels.is_empty() {
            return Err("at least one label pair required".to_owned());
        }
        self.check_names("invalid label set", &alert.labels)?;
        self.check_names("invalid annotations", &alert.annotations)
    }

    fn check_names(self, what: &str, labels: &Labels) -> Result<(), String> {
        let invalid = labels.iter().map(|(name, _)| name).find(|name| !is_valid_label_name(self.syntax, name));
        invalid.map_or(Ok(()), |name| Err(format!("{what}: invalid name {}", quote(name))))
    }
}

/// A label without a value is the same as no label.
fn without_empty(labels: Labels) -> Labels {
    if labels.iter().all(|(_, value)| !value.is_empty()) {
        return labels;
    }
    labels.iter().filter(|(_, value)| !value.is_empty()).map(|(n, v)| (SmolStr::new(n), SmolStr::new(v))).collect()
}

/// The alerts that are not over and asked for, in order of their fingerprints.
pub(super) fn list<'a>(view: &'a View, filter: &AlertFilter, now: Timestamp) -> Vec<ShownAlert<'a>> {
    let receivers = filter.receivers(view.policy());
    let alerts = view.alerts().filter(|known| is_asked(*known, filter, now)).filter_map(|known| {
        let names: Vec<Named<'_>> = known.routes().map(|route| Named { name: &route.receiver }).collect();
        let muted_by = receivers.wants_any(&names).then(|| wanted_state(view, filter, known, now))??;
        Some(shown(known, names, muted_by, &[]))
    });
    alerts.collect()
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
