//! Prometheus summaries, which prometheus-client has not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::exposition::Page;

/// A sum and a count of observed seconds (a Prometheus summary without quantiles).
#[derive(Debug)]
pub struct Summary {
    name: String,
    help: String,
    observed: Mutex<(f64, u64)>,
}

impl Summary {
    pub(super) fn new(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name: name.into(), help: help.into(), observed: Mutex::default() }
    }

    /// Adds one observation.
    pub fn observe(&self, duration: Duration) {
        self.observe_all(1, duration);
    }

    /// Adds `count` observations that took `duration` together.
    pub fn observe_all(&self, count: u64, duration: Duration) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.0 += duration.as_secs_f64();
        observed.1 += count;
    }

    pub(super) fn write(&self, page: &mut Page) {
        let (sum, count) = *self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        page.begin(&self.name, "summary", &self.help);
        page.series(&format!("{}_sum", self.name), &[], sum);
        page.series(&format!("{}_count", self.name), &[], count);
    }
}
