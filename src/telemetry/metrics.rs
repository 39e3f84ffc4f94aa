//! The list of all metrics, under Alertmanager's names. Each room counts its own; what can be looked up when asked
//! for is in a [`Snapshot`](super::Snapshot).

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::alerts::{AlertMetrics, DispatcherMetrics, DriverMetrics};
use super::asked::AskedMetrics;
use super::cluster::ClusterMetrics;
use super::exposition::Page;
use super::fallbacks::FallbackMetrics;
use super::http::HttpMetrics;
use super::keeping::{self, RecordMetrics, SilenceMetrics, StoreMetrics};
use super::notifications::NotificationMetrics;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::vigil::VigilMetrics;
use super::{process, snapshot};
use crate::cli::Features;

/// The labels of one series.
pub(super) type Labelled = Vec<(&'static str, String)>;

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
    /// What is told without the templates that were meant for it.
    pub template_fallbacks: FallbackMetrics,
    /// What receivers count themselves.
    pub asked: AskedMetrics,
    /// The silences.
    pub silences: SilenceMetrics,
    /// The notification log.
    pub nflog: RecordMetrics,
    /// The state on disk.
    pub store: StoreMetrics,
    /// The one task that decides.
    pub driver: DriverMetrics,
    /// The other nodes.
    pub cluster: ClusterMetrics,
    /// What is watched over.
    pub vigil: VigilMetrics,
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
            template_fallbacks: FallbackMetrics::default(),
            asked: AskedMetrics::default(),
            silences: SilenceMetrics::new(registrar),
            nflog: keeping::nflog(registrar),
            store: StoreMetrics::new(registrar),
            driver: DriverMetrics::new(registrar),
            cluster: ClusterMetrics::new(),
            vigil: VigilMetrics::new(registrar),
            http: HttpMetrics::new(registrar),
            registry,
        }))
    }

    /// The page for a scraper, in the text format 0.0.4.
    pub fn render(&self, snapshot: &Snapshot) -> String {
        let mut page = Page::default();
        snapshot::write_build_info(&mut page);
        snapshot.write(&mut page);
        write_registry(&self.registry, &mut page);
        if snapshot.cluster_enabled {
            write_registry(&self.cluster.registry, &mut page);
            self.cluster.transport.registry().inspect(|registry| write_registry(registry, &mut page));
        }
        for summary in self.summaries() {
            summary.write(&mut page);
        }
        self.template_fallbacks.write(&mut page);
        self.asked.write(&mut page);
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

fn write_registry(registry: &Registry, page: &mut Page) {
    let mut counted = String::new();
    prometheus_client::encoding::text::encode_registry(&mut counted, registry)
        .expect("a String takes all that is written");
    page.open_metrics(&counted);
}

impl std::ops::Deref for Metrics {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Histograms of one name.
pub(super) type HistogramFamily = Family<Labelled, Histogram, fn() -> Histogram>;

/// The buckets of Prometheus' client libraries, in seconds.
pub(super) const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Makes metrics that appear on the page. Names are given in full; the page adds a counter's `_total` itself.
pub(super) struct Registrar<'a>(pub(super) &'a mut Registry);

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

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.register(name, help, &gauge);
        gauge
    }

    pub(super) fn gauges(&mut self, name: &str, help: &str) -> Family<Labelled, Gauge> {
        let family = Family::default();
        self.register(name, help, &family);
        family
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str) -> Histogram {
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
