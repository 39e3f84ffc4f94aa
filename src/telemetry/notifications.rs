//! The metrics of notifications: by integration, and by receiver where that feature is enabled.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use watchbell_engine::effect::Mute;
use watchbell_engine::notification::FailureKind;

use super::metrics::{HistogramFamily, Labelled, Registrar, labels};

/// The integrations whose series exist from the start: Alertmanager's, then ours.
const INTEGRATIONS: [&str; 20] = [
    "webhook",
    "email",
    "pagerduty",
    "opsgenie",
    "wechat",
    "slack",
    "victorops",
    "pushover",
    "sns",
    "telegram",
    "discord",
    "webex",
    "msteams",
    "msteamsv2",
    "jira",
    "incidentio",
    "rocketchat",
    "mattermost",
    "irc",
    "gitlab",
];

/// What is told to receivers.
#[derive(Debug)]
pub struct NotificationMetrics {
    total: Family<Labelled, Counter>,
    failed: Family<Labelled, Counter>,
    requests: Family<Labelled, Counter>,
    requests_failed: Family<Labelled, Counter>,
    latency: HistogramFamily,
    suppressed: Family<Labelled, Counter>,
    by_receiver: bool,
}

impl NotificationMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>, by_receiver: bool) -> Self {
        let metrics = Self {
            total: registrar
                .counters("alertmanager_notifications_total", "The total number of attempted notifications"),
            failed: registrar
                .counters("alertmanager_notifications_failed_total", "The total number of failed notifications"),
            requests: registrar
                .counters("alertmanager_notification_requests_total", "The total number of attempted requests"),
            requests_failed: registrar
                .counters("alertmanager_notification_requests_failed_total", "The total number of failed requests"),
            latency: registrar.histograms(
                "alertmanager_notification_latency_seconds",
                "The latency of notifications in seconds",
                || Histogram::new([1.0, 5.0, 10.0, 15.0, 20.0]),
            ),
            suppressed: registrar.counters(
                "alertmanager_notifications_suppressed_total",
                "The total number of alerts not told because they were muted",
            ),
            by_receiver,
        };
        if !by_receiver {
            INTEGRATIONS.iter().for_each(|integration| metrics.of(integration, "").touch());
        }
        metrics
    }

    /// The series of one integration of a receiver.
    pub fn of<'a>(&'a self, integration: &str, receiver: &str) -> NotificationSeries<'a> {
        let receiver = Some(("receiver_name", receiver)).filter(|_| self.by_receiver);
        NotificationSeries { metrics: self, labels: labels([("integration", integration)].into_iter().chain(receiver)) }
    }

    /// Begins anew with the receivers of a new configuration (integration, receiver), if the metrics tell receivers.
    pub fn reconfigure<'a>(&self, receivers: impl IntoIterator<Item = (&'a str, &'a str)>) {
        if !self.by_receiver {
            return;
        }
        for family in [&self.total, &self.failed, &self.requests, &self.requests_failed] {
            family.clear();
        }
        self.latency.clear();
        receivers.into_iter().for_each(|(integration, receiver)| self.of(integration, receiver).touch());
    }

    /// Counts alerts that were not told.
    pub fn suppressed(&self, why: Mute, alerts: u64) {
        self.suppressed.get_or_create(&labels([("reason", why.as_str())])).inc_by(alerts);
    }
}

/// The series of one integration.
#[derive(Debug)]
pub struct NotificationSeries<'a> {
    metrics: &'a NotificationMetrics,
    labels: Labelled,
}

impl NotificationSeries<'_> {
    /// Counts a notification that was decided.
    pub fn attempted(&self) {
        self.metrics.total.get_or_create(&self.labels).inc();
    }

    /// Counts a notification that was given up.
    pub fn failed(&self, kind: FailureKind) {
        self.failures(kind).inc();
    }

    /// Counts one attempt to tell, how long it took, and whether the receiver took it.
    pub fn requested(&self, took: Duration, success: bool) {
        self.metrics.requests.get_or_create(&self.labels).inc();
        self.metrics.latency.get_or_create(&self.labels).observe(took.as_secs_f64());
        if !success {
            self.metrics.requests_failed.get_or_create(&self.labels).inc();
        }
    }

    fn failures(&self, kind: FailureKind) -> Counter {
        let mut labels = self.labels.clone();
        labels.push(("reason", kind.as_str().to_owned()));
        self.metrics.failed.get_or_create_owned(&labels)
    }

    /// Makes every series exist.
    fn touch(&self) {
        for family in [&self.metrics.total, &self.metrics.requests, &self.metrics.requests_failed] {
            drop(family.get_or_create(&self.labels));
        }
        drop(self.metrics.latency.get_or_create(&self.labels));
        for kind in FailureKind::ALL {
            self.failures(kind);
        }
    }
}
