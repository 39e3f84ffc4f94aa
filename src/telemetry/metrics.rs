//! The list of all metrics, under Alertmanager's names. Each room counts its own; what can be looked up when asked
//! for is in a [`Snapshot`](super::Snapshot).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::exposition::Page;
use super::notifications::NotificationMetrics;
use super::snapshot::Snapshot;
use super::{process, snapshot};
use crate::cli::Features;

/// The labels of one series.
pub type Labelled = Vec<(&'static str, String)>;

/// Everything that is counted. Cloning is cheap, and clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

/// The metrics by subject.
#[derive(Debug)]
pub struct Inner {
    /// What arrives.
    pub alerts: AlertMetrics,
    /// What is grouped.
    pub dispatcher: DispatcherMetrics,
    /// What is told.
    pub notifications: NotificationMetrics,
    /// The silences.
    pub silences: SilenceMetrics,
    /// The notification log.
    pub nflog: NflogMetrics,
    /// What is asked over HTTP.
    pub http: HttpMetrics,
    registry: Registry,
}

impl Metrics {
    /// All metrics at zero; `features` chooses which labels they have.
    pub fn new(features: &Features) -> Self {
        let mut registry = Registry::default();
        let registrar = &mut Registrar(&mut registry);
        Self(Arc::new(Inner {
            alerts: AlertMetrics::new(registrar, features.alert_names_in_metrics),
            dispatcher: DispatcherMetrics::new(registrar),
            notifications: NotificationMetrics::new(registrar, features.receiver_name_in_metrics),
            silences: SilenceMetrics::new(registrar),
            nflog: NflogMetrics::new(registrar),
            http: HttpMetrics::new(registrar),
            registry,
        }))
    }

    /// The page for a scraper, in the text format 0.0.4.
    pub fn render(&self, snapshot: &Snapshot) -> String {
        let mut page = Page::default();
        snapshot::write_build_info(&mut page);
        snapshot.write(&mut page);
        let mut counted = String::new();
        prometheus_client::encoding::text::encode_registry(&mut counted, &self.registry)
            .expect("a String takes all that is written");
        page.open_metrics(&counted);
        for summary in self.summaries() {
            summary.write(&mut page);
        }
        for (name, kind, help, value) in process::metrics() {
            page.begin(name, kind, help);
            page.series(name, &[], value);
        }
        page.finish()
    }

    fn summaries(&self) -> [&Summary; 5] {
        let (silences, nflog) = (&self.silences, &self.nflog);
        let routing = &self.dispatcher.alert_processing;
        [routing, &silences.gc_duration, &silences.snapshot_duration, &nflog.gc_duration, &nflog.snapshot_duration]
    }
}

impl std::ops::Deref for Metrics {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Alerts as they come in.
#[derive(Debug)]
pub struct AlertMetrics {
    /// Firing alerts received, valid or not.
    pub received_firing: Counter,
    /// Resolved alerts received, valid or not.
    pub received_resolved: Counter,
    /// Alerts refused because they were not valid.
    pub invalid: Counter,
    limited: Family<Labelled, Counter>,
    names_in_limited: bool,
}

impl AlertMetrics {
    fn new(registrar: &mut Registrar<'_>, names_in_limited: bool) -> Self {
        let received = registrar.counters("alertmanager_alerts_received_total", "The total number of received alerts");
        let invalid = registrar.counters("alertmanager_alerts_invalid_total", "The total number of invalid alerts");
        let limited = registrar.counters("alertmanager_alerts_limited_total", "Alerts dropped by the alertname limit");
        let by_status = |status| received.get_or_create_owned(&labels([("status", status), ("version", "v2")]));
        let metrics = Self {
            received_firing: by_status("firing"),
            received_resolved: by_status("resolved"),
            invalid: invalid.get_or_create_owned(&labels([("version", "v2")])),
            limited,
            names_in_limited,
        };
        if !names_in_limited {
            metrics.limited("");
        }
        metrics
    }

    /// The alerts dropped by the limit on alerts of one name.
    pub fn limited(&self, alertname: &str) -> Counter {
        let alertname = Some(("alertname", alertname)).filter(|_| self.names_in_limited);
        self.limited.get_or_create_owned(&labels(alertname))
    }
}

/// Routing and grouping.
#[derive(Debug)]
pub struct DispatcherMetrics {
    /// How long one alert took to route.
    pub alert_processing: Summary,
    /// How often a group was not made because there were too many.
    pub group_limit_reached: Counter,
}

impl DispatcherMetrics {
    fn new(registrar: &mut Registrar<'_>) -> Self {
        Self {
            alert_processing: Summary::new(
                "alertmanager_dispatcher_alert_processing_duration_seconds",
                "Summary of latencies for the processing of alerts.",
            ),
            group_limit_reached: registrar.counter(
                "alertmanager_dispatcher_aggregation_group_limit_reached_total",
                "Number of times an aggregation group could not be made because there were too many",
            ),
        }
    }
}

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
    /// Silences from peers that were passed on.
    pub gossip_propagated: Counter,
}

impl SilenceMetrics {
    fn new(registrar: &mut Registrar<'_>) -> Self {
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
    fn new(registrar: &mut Registrar<'_>) -> Self {
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

/// The HTTP server.
#[derive(Debug)]
pub struct HttpMetrics {
    /// GET requests in progress.
    pub gets_in_flight: Gauge,
    /// GET requests refused because too many were in progress.
    pub gets_refused: Counter,
    /// Connections open.
    pub connections: Gauge,
    /// Connections closed at once because too many were open.
    pub connections_refused: Counter,
    /// Requests refused because of a body above the limit.
    pub bodies_refused: Counter,
    durations: HistogramFamily,
    response_sizes: HistogramFamily,
}

impl HttpMetrics {
    fn new(registrar: &mut Registrar<'_>) -> Self {
        let get = labels([("method", "get")]);
        let in_flight: Family<Labelled, Gauge> = Family::default();
        registrar.register("alertmanager_http_requests_in_flight", "HTTP requests in progress", &in_flight);
        let refused =
            registrar.counters("alertmanager_http_concurrency_limit_exceeded_total", "Requests refused by the limit");
        let connections = Gauge::default();
        registrar.register("watchbell_http_connections", "HTTP connections open", &connections);
        Self {
            gets_in_flight: in_flight.get_or_create_owned(&get),
            gets_refused: refused.get_or_create_owned(&get),
            connections,
            connections_refused: registrar
                .counter("watchbell_http_connections_refused_total", "HTTP connections refused by the limit"),
            bodies_refused: registrar
                .counter("watchbell_http_bodies_refused_total", "HTTP request bodies refused by the limit"),
            durations: registrar.histograms(
                "alertmanager_http_request_duration_seconds",
                "Histogram of latencies for HTTP requests",
                || Histogram::new(DEFAULT_BUCKETS),
            ),
            response_sizes: registrar.histograms(
                "alertmanager_http_response_size_bytes",
                "Histogram of response sizes for HTTP requests",
                || Histogram::new([1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]),
            ),
        }
    }

    /// Counts an answered request; `method` is in lower case.
    pub fn request(&self, handler: &str, method: &str, code: u16, duration: Duration) {
        let labels = labels([("handler", handler), ("method", method), ("code", &code.to_string())]);
        self.durations.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Counts the size of an answer of a plain endpoint; `method` is in lower case.
    pub fn response_size(&self, handler: &str, method: &str, bytes: u64) {
        self.response_sizes.get_or_create(&labels([("handler", handler), ("method", method)])).observe(bytes as f64);
    }
}

/// A sum and a count of observed seconds (a Prometheus summary without quantiles).
#[derive(Debug)]
pub struct Summary {
    name: &'static str,
    help: &'static str,
    observed: Mutex<(f64, u64)>,
}

impl Summary {
    fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, observed: Mutex::default() }
    }

    /// Adds one observation.
    pub fn observe(&self, duration: Duration) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.0 += duration.as_secs_f64();
        observed.1 += 1;
    }

    fn write(&self, page: &mut Page) {
        let (sum, count) = *self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        page.begin(self.name, "summary", self.help);
        page.series(&format!("{}_sum", self.name), &[], sum);
        page.series(&format!("{}_count", self.name), &[], count);
    }
}

/// Histograms of one name.
pub(super) type HistogramFamily = Family<Labelled, Histogram, fn() -> Histogram>;

/// The buckets of Prometheus' client libraries, in seconds.
const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Makes metrics that appear on the page. Names are given in full; the page adds a counter's `_total` itself.
pub(super) struct Registrar<'a>(&'a mut Registry);

impl Registrar<'_> {
    pub(super) fn register(&mut self, name: &str, help: &str, metric: &(impl Metric + Clone)) {
        self.0.register(name.strip_suffix("_total").unwrap_or(name), help, metric.clone());
    }

    pub(super) fn counter(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.register(name, help, &counter);
        counter
    }

    pub(super) fn counters(&mut self, name: &str, help: &str) -> Family<Labelled, Counter> {
        let family = Family::default();
        self.register(name, help, &family);
        family
    }

    fn histogram(&mut self, name: &str, help: &str) -> Histogram {
        let histogram = Histogram::new(DEFAULT_BUCKETS);
        self.register(name, help, &histogram);
        histogram
    }

    pub(super) fn histograms(&mut self, name: &str, help: &str, make: fn() -> Histogram) -> HistogramFamily {
        let family = Family::new_with_constructor(make);
        self.register(name, help, &family);
        family
    }
}

pub(super) fn labels<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> Labelled {
    pairs.into_iter().map(|(key, value)| (key, value.to_owned())).collect()
}
