//! The metrics of what is kept: silences and the notification log.

use std::ops::Deref;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::metrics::{Registrar, labels};
use super::summary::Summary;

/// The upkeep and use of one kind of record.
#[derive(Debug)]
pub struct RecordMetrics {
    /// How long the clean-ups took.
    pub gc_duration: Summary,
    /// How long it took until changes were on the disk.
    pub snapshot_duration: Summary,
    /// Clean-ups and saves.
    pub maintenance: Counter,
    /// Saves that failed.
    pub maintenance_errors: Counter,
    /// Questions asked of the records.
    pub queries: Counter,
    /// Those that failed, or found nothing in the log.
    pub query_errors: Counter,
    /// How long one took.
    pub query_duration: Histogram,
    /// Records from peers that were new here, and from here on are passed on.
    pub gossip_propagated: Counter,
}

impl RecordMetrics {
    /// The metrics of the records that Alertmanager's names call `kind`.
    fn new(registrar: &mut Registrar<'_>, kind: &str) -> Self {
        let name = |rest: &str| format!("alertmanager_{kind}_{rest}");
        let summary = |rest: &str, help: &str| Summary::new(name(rest), format!("{help} ({kind})."));
        let mut counter = |rest: &str, help: &str| registrar.counter(&name(rest), &format!("{help} ({kind})"));
        Self {
            gc_duration: summary("gc_duration_seconds", "Duration of the turns that forgot records"),
            snapshot_duration: summary("snapshot_duration_seconds", "Duration until changes were on the disk"),
            maintenance: counter("maintenance_total", "Clean-ups and saves"),
            maintenance_errors: counter("maintenance_errors_total", "Saves that failed"),
            queries: counter("queries_total", "Queries"),
            query_errors: counter("query_errors_total", "Queries that failed, or found nothing in the log"),
            gossip_propagated: counter("gossip_messages_propagated_total", "Records taken from peers and passed on"),
            query_duration: registrar.histogram(
                &name("query_duration_seconds"),
                &format!("Duration of queries over the API ({kind}); the log has none, it is asked within a flush"),
            ),
        }
    }
}

/// The silences' upkeep and use.
#[derive(Debug)]
pub struct SilenceMetrics {
    records: RecordMetrics,
    /// Silences looked at for an answer.
    pub silences_scanned: Counter,
    /// Stored silences that cannot be read.
    pub unreadable_on_load: Counter,
    /// Silences refused by a limit on their number or size.
    pub limited: Counter,
}

impl SilenceMetrics {
    /// Some of Alertmanager's metrics have nothing to count here. They are there since dashboards look for them.
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        let unreadable = registrar.counters(
            "alertmanager_silences_matcher_compile_errors_total",
            "Silences with a matcher that cannot be read; those that come in are refused before (stage index)",
        );
        let unreadable = |stage| unreadable.get_or_create_owned(&labels([("stage", stage)]));
        unreadable("index");
        registrar
            .counter("alertmanager_silences_gc_errors_total", "Errors in clean-ups; always 0, forgetting cannot fail");
        registrar.counter(
            "alertmanager_silences_query_silences_skipped_total",
            "Silences that queries did not look at; always 0, a query looks at each",
        );
        Self {
            records: RecordMetrics::new(registrar, "silences"),
            silences_scanned: registrar
                .counter("alertmanager_silences_query_silences_scanned_total", "Silences looked at by queries"),
            unreadable_on_load: unreadable("load_snapshot"),
            limited: registrar
                .counter("watchbell_silences_limited_total", "Silences refused by a limit on their number or size"),
        }
    }
}

impl Deref for SilenceMetrics {
    type Target = RecordMetrics;

    fn deref(&self) -> &RecordMetrics {
        &self.records
    }
}

/// The notification log's upkeep and use.
pub(super) fn nflog(registrar: &mut Registrar<'_>) -> RecordMetrics {
    RecordMetrics::new(registrar, "nflog")
}

/// The state on disk, as it was found at the start. How it does since is in a [`Snapshot`](super::Snapshot).
#[derive(Debug)]
pub struct StoreMetrics {
    /// Records that cannot be read, and are left where they are.
    pub damaged: Gauge,
}

impl StoreMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        let damaged = Gauge::default();
        registrar.register(
            "watchbell_store_damaged_records",
            "Records that could not be read at the start and are left where they are",
            &damaged,
        );
        Self { damaged }
    }
}
