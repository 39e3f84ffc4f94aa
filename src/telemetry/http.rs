//! The metrics of the HTTP server.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::metrics::{DEFAULT_BUCKETS, HistogramFamily, Labelled, Registrar, labels};

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
    /// Lists that were asked for and need not be sent, since the client has them.
    pub answers_unchanged: Counter,
    /// Lists that were asked for and were still there from the last time.
    pub answers_reused: Counter,
    /// Bytes of the lists that are kept.
    pub answers_kept: Gauge,
    durations: HistogramFamily,
    response_sizes: HistogramFamily,
}

impl HttpMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        let get = labels([("method", "get")]);
        let in_flight: Family<Labelled, Gauge> = Family::default();
        registrar.register("alertmanager_http_requests_in_flight", "HTTP requests in progress", &in_flight);
        let refused =
            registrar.counters("alertmanager_http_concurrency_limit_exceeded_total", "Requests refused by the limit");
        let known =
            registrar.counters("watchbell_http_answers_known_total", "Lists asked for that need not be made anew");
        Self {
            gets_in_flight: in_flight.get_or_create_owned(&get),
            gets_refused: refused.get_or_create_owned(&get),
            connections: registrar.gauge("watchbell_http_connections", "HTTP connections open"),
            connections_refused: registrar
                .counter("watchbell_http_connections_refused_total", "HTTP connections refused by the limit"),
            bodies_refused: registrar
                .counter("watchbell_http_bodies_refused_total", "HTTP request bodies refused by the limit"),
            answers_unchanged: known.get_or_create_owned(&labels([("how", "unchanged")])),
            answers_reused: known.get_or_create_owned(&labels([("how", "kept")])),
            answers_kept: registrar.gauge("watchbell_http_answers_kept_bytes", "Bytes of the lists that are kept"),
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
