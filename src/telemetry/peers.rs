//! The metrics that tell other nodes apart, and those of TLS connections between nodes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::metrics::{HistogramFamily, Labelled, Registrar, labels};

/// What is counted for each other node, by its name.
#[derive(Debug)]
pub(super) struct PeerMetrics {
    alive: Family<Labelled, Counter>,
    pings: HistogramFamily,
}

impl PeerMetrics {
    pub(super) fn new(r: &mut Registrar<'_>) -> Self {
        let pings = "How long a peer took to say what it holds";
        Self {
            alive: r
                .counters("alertmanager_cluster_alive_messages_total", "Messages of gossip heard from a peer itself"),
            pings: r.histograms("alertmanager_cluster_pings_seconds", pings, || {
                Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5])
            }),
        }
    }

    pub(super) fn heard(&self, peer: &str) {
        self.alive.get_or_create_owned(&labels([("peer", peer)])).inc();
    }

    pub(super) fn answered(&self, peer: &str, took: Duration) {
        self.pings.get_or_create_owned(&labels([("peer", peer)])).observe(took.as_secs_f64());
    }

    pub(super) fn forget(&self, peer: &str) {
        let labels = labels([("peer", peer)]);
        self.alive.remove(&labels);
        self.pings.remove(&labels);
    }
}

/// Connections between nodes under Alertmanager's names for its TLS transport. They are on the page only with TLS.
#[derive(Debug)]
pub struct TransportMetrics {
    /// Whether nodes speak TLS with each other.
    pub shown: AtomicBool,
    /// Bytes of frames that are sent.
    pub bytes_sent: Counter,
    /// Bytes of frames that arrived.
    pub bytes_received: Counter,
    /// Connections that this node has opened.
    pub opened: Counter,
    /// Connections that this node has accepted.
    pub accepted: Counter,
    /// Connections of others that did not come about, or ended otherwise than by their end.
    pub read_errors: Counter,
    /// Frames that could not be written.
    pub write_errors: Counter,
    /// Connections that could not be opened.
    pub open_errors: Counter,
    registry: Registry,
}

impl TransportMetrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let r = &mut Registrar(&mut registry);
        let name = |rest: &str| format!("alertmanager_tls_transport_{rest}");
        let failed = r.counters(&name("write_errors_total"), "Connections not opened (stream) and writes that failed");
        let errors = |kind| failed.get_or_create_owned(&labels([("connection_type", kind)]));
        let metrics = Self {
            shown: AtomicBool::new(false),
            bytes_sent: r.counter(&name("packet_bytes_sent_total"), "Bytes of frames sent"),
            bytes_received: r.counter(&name("packet_bytes_received_total"), "Bytes of frames that arrived"),
            opened: r.counter(&name("stream_connections_sent_total"), "Connections opened"),
            accepted: r.counter(&name("stream_connections_received_total"), "Connections accepted"),
            read_errors: r.counter(&name("read_errors_total"), "Connections of others that failed"),
            write_errors: errors("packet"),
            open_errors: errors("stream"),
            registry: Registry::default(),
        };
        Self { registry, ..metrics }
    }

    /// What belongs on the page.
    pub(super) fn registry(&self) -> Option<&Registry> {
        self.shown.load(Relaxed).then_some(&self.registry)
    }
}
