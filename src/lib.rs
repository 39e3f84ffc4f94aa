//! Watchbell: an Alertmanager-compatible, clustered alert router.

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod driver;
pub mod receivers;
pub mod record;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod tool;
pub mod version;
