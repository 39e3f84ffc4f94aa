//! The metrics of what is kept: silences and the notification log.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use super::metrics::{Registrar, labels};
use super::summary::Summary;

/// The silences' upkeep and use.
#[derive(Debug)]
pub struct SilenceMetrics {
    /// How long a clean-up took.
    pub gc_duration: Summary,
    /// Records that a clean-up found broken.
    pub gc_errors: Counter,
    /// How long writing to disk took.
    pub snapshot_duration: Summary,
    /// Clean-ups.
    pub maintenance: Counter,
    /// Clean-ups that failed.
    pub maintenance_errors: Counter,
    /// Questions asked of the silences.
    pub queries: Counter,
    /// Those that failed.
    pub query_errors: Counter,
    /// How long one took.
    pub query_duration: Histogram,
    /// Silences looked at for an answer.
    pub silences_scanned: Counter,
    /// Silences that an answer did not have to look at.
    pub silences_skipped: Counter,
    /// Stored silences with a matcher that cannot be read.
    pub unreadable_on_load: Counter,
    /// Silences from peers that were passed on.
    pub gossip_propagated: Counter,
}

impl SilenceMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        let unreadable = registrar.counters(
            "alertmanager_silences_matcher_compile_errors_total",
            "Number of silences with a matcher that cannot be read",
        );
        let unreadable = |stage| unreadable.get_or_create_owned(&labels([("stage", stage)]));
        // What comes in over the API is read before it is a silence, so this one stays at zero.
        unreadable("index");
        Self {
            gc_duration: Summary::new("alertmanager_silences_gc_duration_seconds", "Duration of silence clean-ups."),
            gc_errors: registrar.counter("alertmanager_silences_gc_errors_total", "Errors in silence clean-ups"),
            snapshot_duration: Summary::new(
                "alertmanager_silences_snapshot_duration_seconds",
                "Duration of writing silences to disk.",
            ),
            maintenance: registrar.counter("alertmanager_silences_maintenance_total", "Silence maintenance runs"),
            maintenance_errors: registrar
                .counter("alertmanager_silences_maintenance_errors_total", "Silence maintenance runs that failed"),
            queries: registrar.counter("alertmanager_silences_queries_total", "Silence queries"),
            query_errors: registrar.counter("alertmanager_silences_query_errors_total", "Silence queries that failed"),
            query_duration: registrar
                .histogram("alertmanager_silences_query_duration_seconds", "Duration of silence queries"),
            silences_scanned: registrar
                .counter("alertmanager_silences_query_silences_scanned_total", "Silences looked at by queries"),
            silences_skipped: registrar
                .counter("alertmanager_silences_query_silences_skipped_total", "Silences that queries did not look at"),
            unreadable_on_load: unreadable("load_snapshot"),
            gossip_propagated: registrar.counter(
                "alertmanager_silences_gossip_messages_propagated_total",
                "Silences received from peers and passed on",
            ),
        }
    }
}

/// The notification log's upkeep and use.
#[derive(Debug)]
pub struct NflogMetrics {
    /// How long a clean-up took.
    pub gc_duration: Summary,
    /// How long writing to disk took.
    pub snapshot_duration: Summary,
    /// Clean-ups.
    pub maintenance: Counter,
    /// Clean-ups that failed.
    pub maintenance_errors: Counter,
    /// Questions asked of the log.
    pub queries: Counter,
    /// Those that failed or found nothing.
    pub query_errors: Counter,
    /// How long one took.
    pub query_duration: Histogram,
    /// Entries from peers that were passed on.
    pub gossip_propagated: Counter,
}

impl NflogMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        Self {
            gc_duration: Summary::new("alertmanager_nflog_gc_duration_seconds", "Duration of log clean-ups."),
            snapshot_duration: Summary::new(
                "alertmanager_nflog_snapshot_duration_seconds",
                "Duration of writing the log to disk.",
            ),
            maintenance: registrar.counter("alertmanager_nflog_maintenance_total", "Log maintenance runs"),
            maintenance_errors: registrar
                .counter("alertmanager_nflog_maintenance_errors_total", "Log maintenance runs that failed"),
            queries: registrar.counter("alertmanager_nflog_queries_total", "Notification log queries"),
            query_errors: registrar.counter(
                "alertmanager_nflog_query_errors_total",
                "Notification log queries that failed or found nothing",
            ),
            query_duration: registrar
                .histogram("alertmanager_nflog_query_duration_seconds", "Duration of notification log queries"),
            gossip_propagated: registrar.counter(
                "alertmanager_nflog_gossip_messages_propagated_total",
                "Log entries received from peers and passed on",
            ),
        }
    }
}
