//! Measures what the engine and the disk are asked to do, under Alertmanager's names for its own steps.

use std::time::Duration;

use watchbell_engine::effect::{Answer, Change, Input};
use watchbell_engine::silence::edit::SilenceError;

use crate::telemetry::{Metrics, RecordMetrics};

/// What of an input is counted once the engine has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many alerts, each of which was routed.
    Alerts(usize),
    /// Records of other nodes; those that are new are passed on from here.
    News,
    /// Nothing.
    Other,
}

impl Taken {
    pub(super) fn of(input: &Input) -> Self {
        match input {
            Input::Alerts(alerts) => Self::Alerts(alerts.len()),
            Input::News(_) => Self::News,
            _ => Self::Other,
        }
    }

    /// Counts what followed from the input in `took`.
    pub(super) fn count(self, persist: &[Change], took: Duration, metrics: &Metrics) {
        match self {
            Self::Alerts(count) => metrics.dispatcher.alert_processing.observe_all(count as u64, took),
            Self::News => {
                let puts = Records::put(persist);
                metrics.silences.gossip_propagated.inc_by(puts.silences);
                metrics.nflog.gossip_propagated.inc_by(puts.nflog);
            }
            Self::Other => {}
        }
    }
}

/// Counts the records that were forgotten in a turn that took so long.
pub(super) fn count_forgotten(persist: &[Change], took: Duration, metrics: &Metrics) {
    for records in Records::deleted(persist).kinds(metrics) {
        records.maintenance.inc();
        records.gc_duration.observe(took);
    }
}

/// Counts a refusal by a limit.
pub(super) fn count_refused(answer: Option<&Answer>, metrics: &Metrics) {
    use SilenceError::{TooLarge, TooMany};
    if let Some(Answer::SilenceSet(Err(TooMany { .. } | TooLarge { .. }))) = answer {
        metrics.silences.limited.inc();
    }
}

/// How many records of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    silences: u64,
    nflog: u64,
}

impl Records {
    /// Those that are to be stored.
    pub(super) fn put(changes: &[Change]) -> Self {
        changes.iter().fold(Self::default(), |records, change| match change {
            Change::PutSilence(_) => Self { silences: records.silences + 1, ..records },
            Change::PutNflog(_) => Self { nflog: records.nflog + 1, ..records },
            _ => records,
        })
    }

    fn deleted(changes: &[Change]) -> Self {
        changes.iter().fold(Self::default(), |records, change| match change {
            Change::DeleteSilence(_) => Self { silences: records.silences + 1, ..records },
            Change::DeleteNflog(_) => Self { nflog: records.nflog + 1, ..records },
            _ => records,
        })
    }

    /// Counts an attempt to save them that took so long.
    pub(super) fn count_saved(self, took: Duration, success: bool, metrics: &Metrics) {
        for records in self.kinds(metrics) {
            records.maintenance.inc();
            records.snapshot_duration.observe(took);
            if !success {
                records.maintenance_errors.inc();
            }
        }
    }

    /// The metrics of the kinds of which there are any.
    fn kinds(self, metrics: &Metrics) -> impl Iterator<Item = &RecordMetrics> {
        let silences = (self.silences > 0).then_some(&*metrics.silences);
        silences.into_iter().chain((self.nflog > 0).then_some(&metrics.nflog))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchbell_engine::alert::posted::Posted;
    use watchbell_engine::label::Labels;
    use watchbell_engine::matcher::parse::Syntax;
    use watchbell_engine::nflog::NflogKey;
    use watchbell_engine::silence::SilenceId;
    use watchbell_engine::time::Timestamp;

    use super::*;
    use crate::cli::Features;
    use crate::telemetry::Snapshot;

    const TOOK: Duration = Duration::from_millis(1500);

    /// The lines of the metrics after `count`, that are not as they were before.
    fn counted(count: impl Fn(&Metrics)) -> Vec<String> {
        let metrics = Metrics::new(&Features::default());
        let page = || metrics.render(&Snapshot::default());
        let before = page();
        count(&metrics);
        let ours = |line: &&str| !line.starts_with("process_") && !before.lines().any(|old| old == *line);
        page().lines().filter(ours).map(str::to_owned).collect()
    }

    fn forgotten(kind: &str) -> Vec<Change> {
        let key = NflogKey { group_key: "{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 };
        match kind {
            "silences" => vec![Change::DeleteSilence(SilenceId(1)), Change::DeleteSilence(SilenceId(2))],
            _ => vec![Change::DeleteNflog(key)],
        }
    }

    #[test]
    fn alerts_are_counted_one_by_one() {
        let posted = Posted { labels: Labels::from_iter([("alertname", "A")]), ..Posted::default() };
        let alert = posted.accept(Timestamp::EPOCH, TOOK, Syntax::Fallback).unwrap();
        let input = Input::Alerts(std::iter::repeat_n(Arc::new(alert), 3).collect());
        let lines = counted(|metrics| Taken::of(&input).count(&[], TOOK, metrics));
        let name = "alertmanager_dispatcher_alert_processing_duration_seconds";
        assert_eq!(lines, [format!("{name}_sum 1.5"), format!("{name}_count 3")]);
    }

    #[test]
    fn a_turn_that_forgets_is_one_clean_up_of_what_it_forgot() {
        for kind in ["silences", "nflog"] {
            let lines = counted(|metrics| count_forgotten(&forgotten(kind), TOOK, metrics));
            let name = format!("alertmanager_{kind}");
            let wanted = ["maintenance_total 1", "gc_duration_seconds_sum 1.5", "gc_duration_seconds_count 1"]
                .map(|rest| format!("{name}_{rest}"));
            assert_eq!(lines, wanted);
        }
    }

    #[test]
    fn a_save_that_fails_counts_as_such() {
        let records = Records { silences: 2, nflog: 0 };
        let lines = counted(|metrics| records.count_saved(TOOK, false, metrics));
        let wanted = [
            "maintenance_total 1",
            "maintenance_errors_total 1",
            "snapshot_duration_seconds_sum 1.5",
            "snapshot_duration_seconds_count 1",
        ];
        assert_eq!(lines, wanted.map(|rest| format!("alertmanager_silences_{rest}")));
        assert_eq!(Records::put(&forgotten("silences")), Records::default());
    }

    #[test]
    fn a_silence_refused_by_a_limit_counts() {
        let answer = |error| Answer::SilenceSet(Err(error));
        let refused = [answer(SilenceError::TooMany { count: 1, limit: 1 }), answer(SilenceError::NotFound)];
        let lines = counted(|metrics| refused.iter().for_each(|answer| count_refused(Some(answer), metrics)));
        assert_eq!(lines, ["watchbell_silences_limited_total 1"]);
    }
}
