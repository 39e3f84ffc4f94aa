//! What the program tells of itself: the log, and the list of all metrics.

mod alerts;
mod asked;
mod cluster;
mod exposition;
mod fallbacks;
mod http;
mod keeping;
pub mod log;
mod metrics;
mod notifications;
mod peers;
mod process;
mod snapshot;
mod summary;
#[cfg(test)]
mod tests;
mod vigil;

pub use alerts::AlertMetrics;
pub use asked::{Asked, AskedMetrics};
pub use cluster::{ClusterMetrics, MessageType};
pub use http::HttpMetrics;
pub use keeping::RecordMetrics;
pub use metrics::Metrics;
pub use peers::TransportMetrics;
pub use snapshot::{AlertCounts, DiskCounts, GroupAlerts, SilenceCounts, Snapshot};

/// The content type of [`Metrics::render`].
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
