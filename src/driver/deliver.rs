//! Attempts to tell, each in a task of its own and bounded in time, and their outcomes brought back to the engine.

use std::sync::{Arc, Mutex, PoisonError};

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
        let notification = attempt.notification;
        let telling = self.runtime.spawn(async move { integrations.send(&notification).await });
        let abort = telling.abort_handle();
        match tokio::time::timeout(attempt.timeout, telling).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(failure(FailureKind::Other, format!("the integration failed: {panic}"))),
            Err(_) => {
                abort.abort();
                Err(failure(FailureKind::ContextDeadlineExceeded, "context deadline exceeded".into()))
            }
        }
    }
}

fn failure(kind: FailureKind, text: String) -> Failure {
    Failure { kind, retry: true, text, retry_after: None, in_part: false }
}
