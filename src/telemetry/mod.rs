//! What the program tells of itself: the log, and the list of all metrics.

mod exposition;
pub mod log;
mod metrics;
mod notifications;
mod process;
mod snapshot;
#[cfg(test)]
mod tests;

pub use metrics::{
    AlertMetrics, DispatcherMetrics, HttpMetrics, Labelled, Metrics, NflogMetrics, SilenceMetrics, Summary,
};
pub use notifications::{NotificationMetrics, NotificationSeries};
pub use snapshot::{AlertCounts, DiskCounts, GroupAlerts, SilenceCounts, Snapshot};

/// The content type of [`Metrics::render`].
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
