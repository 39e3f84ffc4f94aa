//! Heartbeats, each sent in a task of its own. One that is still under way is not sent a second time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use smol_str::SmolStr;
use tokio::runtime;

use crate::receivers::Integrations;
use crate::telemetry::Metrics;

/// Sends heartbeats. Clones share the integrations.
#[derive(Clone)]
pub(super) struct Pulse {
    runtime: runtime::Handle,
    integrations: Arc<Mutex<Arc<Integrations>>>,
    /// The names of those under way.
    beating: Arc<Mutex<BTreeSet<SmolStr>>>,
    metrics: Metrics,
}

impl Pulse {
    pub(super) fn new(integrations: Arc<Integrations>, metrics: Metrics) -> Self {
        let integrations = Arc::new(Mutex::new(integrations));
        Self { runtime: runtime::Handle::current(), integrations, beating: Arc::default(), metrics }
    }

    /// Uses other integrations for all heartbeats from now on.
    pub(super) fn replace(&self, integrations: Arc<Integrations>) {
        *self.integrations.lock().unwrap_or_else(PoisonError::into_inner) = integrations;
    }

    pub(super) fn beat(&self, names: Vec<SmolStr>) {
        for name in names {
            if self.beating.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
                self.runtime.spawn(self.clone().send(name));
            }
        }
    }

    async fn send(self, name: SmolStr) {
        let integrations = Arc::clone(&self.integrations.lock().unwrap_or_else(PoisonError::into_inner));
        let beaten = integrations.beat(&name).await;
        self.beating.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        if let Err(err) = beaten {
            self.metrics.vigil.failed(&name);
            tracing::warn!(component = "vigil", heartbeat = %name, %err, "The heartbeat was not taken");
        }
    }
}
