//! The metrics of alerts as they come in and are grouped.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::metrics::{Labelled, Registrar, labels};
use super::summary::Summary;

/// Alerts as they come in.
#[derive(Debug)]
pub struct AlertMetrics {
    /// Firing alerts received, valid or not.
    pub received_firing: Counter,
    /// Resolved alerts received, valid or not.
    pub received_resolved: Counter,
    /// Alerts refused because they were not valid.
    pub invalid: Counter,
    handed_over: [Counter; 2],
    limited: Family<Labelled, Counter>,
    names_in_limited: bool,
}

impl AlertMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>, names_in_limited: bool) -> Self {
        let received = registrar.counters("alertmanager_alerts_received_total", "The total number of received alerts");
        let invalid = registrar.counters("alertmanager_alerts_invalid_total", "The total number of invalid alerts");
        let limited = registrar.counters("alertmanager_alerts_limited_total", "Alerts dropped by the alertname limit");
        let handed_over = registrar.counters(
            "alertmanager_alerts_subscriber_channel_writes_total",
            "Number of alerts handed to those who follow alerts",
        );
        let to = |subscriber| handed_over.get_or_create_owned(&labels([("subscriber", subscriber)]));
        let by_status = |status| received.get_or_create_owned(&labels([("status", status), ("version", "v2")]));
        let metrics = Self {
            received_firing: by_status("firing"),
            received_resolved: by_status("resolved"),
            invalid: invalid.get_or_create_owned(&labels([("version", "v2")])),
            handed_over: [to("dispatcher"), to("inhibitor")],
            limited,
            names_in_limited,
        };
        if !names_in_limited {
            metrics.limited("");
        }
        metrics
    }

    /// Counts valid alerts that were handed to the engine, where grouping and inhibition see them at once.
    pub fn handed_over(&self, alerts: u64) {
        for subscriber in &self.handed_over {
            subscriber.inc_by(alerts);
        }
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
}

impl DispatcherMetrics {
    /// Three of Alertmanager's metrics have nothing to count here. They are there since dashboards look for them.
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        registrar.counter(
            "alertmanager_dispatcher_aggregation_group_creation_retries_total",
            "Attempts to make an aggregation group that met another; always 0, one task makes all groups",
        );
        registrar.counter(
            "alertmanager_dispatcher_aggregation_group_creation_given_up_total",
            "Alerts dropped because their aggregation group could not be made; always 0, none is dropped",
        );
        registrar.counter(
            "alertmanager_dispatcher_aggregation_group_limit_reached_total",
            "Aggregation groups not made because there were too many; always 0, there are as many as alerts ask for",
        );
        Self {
            alert_processing: Summary::new(
                "alertmanager_dispatcher_alert_processing_duration_seconds",
                "Summary of latencies for the processing of alerts.",
            ),
        }
    }
}

/// The task that owns the engine.
#[derive(Debug)]
pub struct DriverMetrics {
    /// What waits for it.
    pub waiting: Gauge,
    /// Attempts to tell that are under way.
    pub attempts: Gauge,
    /// Claims of other nodes that are held.
    pub claims: Gauge,
}

impl DriverMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        let (waiting, attempts, claims) = (Gauge::default(), Gauge::default(), Gauge::default());
        registrar.register(
            "watchbell_driver_waiting_commands",
            "Commands that wait for the engine; who sends more than there is room for waits too",
            &waiting,
        );
        registrar.register("watchbell_driver_attempts", "Attempts to tell that are under way", &attempts);
        registrar.register(
            "watchbell_driver_claims",
            "What other nodes say they are sending, or failed to send; at most 50,000, and no more is heard",
            &claims,
        );
        Self { waiting, attempts, claims }
    }
}
