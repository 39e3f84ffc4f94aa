//! Attempts to tell, each in a task of its own and bounded in time, and their outcomes brought back to the engine.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;
use watchbell_engine::effect::{Attempt, Input};
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, FailureKind};

use super::handle::{Command, Reply};
use crate::receivers::Integrations;
use crate::telemetry::Metrics;

/// Starts attempts. Clones share the integrations.
#[derive(Clone)]
pub(super) struct Deliverer {
    runtime: runtime::Handle,
    integrations: Arc<Mutex<Arc<Integrations>>>,
    /// Weak, so that the driver's channel ends when its handles are gone.
    outcomes: mpsc::WeakSender<Command>,
    metrics: Metrics,
}

impl Deliverer {
    pub(super) fn new(integrations: Arc<Integrations>, outcomes: mpsc::WeakSender<Command>, metrics: Metrics) -> Self {
        let integrations = Arc::new(Mutex::new(integrations));
        Self { runtime: runtime::Handle::current(), integrations, outcomes, metrics }
    }

    /// Uses other integrations for all attempts that start from now on.
    pub(super) fn replace(&self, integrations: Arc<Integrations>) {
        *self.integrations.lock().unwrap_or_else(PoisonError::into_inner) = integrations;
    }

    pub(super) fn start(&self, attempts: Vec<Attempt>) {
        for attempt in attempts {
            self.runtime.spawn(self.clone().run(attempt));
        }
    }

    async fn run(self, attempt: Attempt) {
        let (id, key) = (attempt.id, attempt.notification.key.clone());
        let started = Instant::now();
        let outcome = self.tell(attempt).await;
        let series = self.metrics.notifications.of(&key.integration, &key.receiver);
        series.requested(started.elapsed(), outcome.is_ok());
        let input = Input::Delivered { attempt: id, outcome };
        if let Some(outcomes) = self.outcomes.upgrade() {
            // Fails only when the driver is gone, and with it whoever would care.
            let _ = outcomes.send(Command::Input(input, Reply::Nobody)).await;
        }
    }

    /// A panic in an integration must not leave the engine waiting for an outcome.
    async fn tell(&self, attempt: Attempt) -> Result<ReceiverData, Failure> {
        let integrations = Arc::clone(&self.integrations.lock().unwrap_or_else(PoisonError::into_inner));
        let telling = unless_it_panics(integrations.send(&attempt.notification));
        let late = || failure(FailureKind::ContextDeadlineExceeded, "context deadline exceeded".into());
        tokio::time::timeout(attempt.timeout, telling).await.unwrap_or_else(|_| Err(late()))
    }
}

/// The outcome of `telling`. A task of its own would do as well, and cost two changes between threads.
async fn unless_it_panics<T>(telling: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut telling = pin!(telling);
    let failed = || failure(FailureKind::Other, "the integration failed: it panicked, the log says where".into());
    // After a panic it is polled no more, so nobody sees what is half done.
    let poll = |context: &mut Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| telling.as_mut().poll(context))).unwrap_or_else(|_| Poll::Ready(Err(failed())))
    };
    poll_fn(poll).await
}

fn failure(kind: FailureKind, text: String) -> Failure {
    Failure { kind, retry: true, text, retry_after: None, in_part: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_that_is_tried_again() {
        let panics = async {
            tokio::task::yield_now().await;
            panic!("a mistake of the integration");
        };
        let failure = unless_it_panics::<()>(panics).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (FailureKind::Other, true));
        assert_eq!(unless_it_panics(async { Ok(7) }).await, Ok(7));
    }
}
