//! `--web.get-concurrency` and `--web.timeout`: how many requests run at once, and for how long.

use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use watchbell_golang::duration;

use super::error::text_response;
use crate::telemetry::HttpMetrics;

/// The limits on requests.
#[derive(Debug)]
pub(super) struct Limits {
    gets: Semaphore,
    get_concurrency: usize,
    timeout: Option<Duration>,
}

impl Limits {
    pub(super) fn new(get_concurrency: usize, timeout: Option<Duration>) -> Self {
        Self { gets: Semaphore::new(get_concurrency), get_concurrency, timeout }
    }

    /// The answer, or that there are too many requests or it took too long.
    pub(super) async fn within(
        &self,
        method: &Method,
        metrics: &HttpMetrics,
        answer: impl Future<Output = Response>,
    ) -> Response {
        let Some(timeout) = self.timeout else { return self.admit(method, metrics, answer).await };
        tokio::time::timeout(timeout, self.admit(method, metrics, answer)).await.unwrap_or_else(|_| timed_out(timeout))
    }

    async fn admit(&self, method: &Method, metrics: &HttpMetrics, answer: impl Future<Output = Response>) -> Response {
        if method != Method::GET {
            return answer.await;
        }
        let Ok(_permit) = self.gets.try_acquire() else {
            metrics.gets_refused.inc();
            let limit = self.get_concurrency;
            let text = format!("Limit of concurrent GET requests reached ({limit}), try again later.\n");
            return text_response(StatusCode::SERVICE_UNAVAILABLE, &text);
        };
        let _running = Running::new(metrics);
        answer.await
    }
}

fn timed_out(timeout: Duration) -> Response {
    let timeout = duration::format(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX));
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, format!("Exceeded configured timeout of {timeout}.\n")).into_response()
}

/// Counts a request as running until it is dropped, also if it is cancelled.
struct Running<'a>(&'a HttpMetrics);

impl<'a> Running<'a> {
    fn new(metrics: &'a HttpMetrics) -> Self {
        metrics.gets_in_flight.inc();
        Self(metrics)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.gets_in_flight.dec();
    }
}
