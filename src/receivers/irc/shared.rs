//! What others may see of a session while it runs: whether it can be spoken through, and its figures.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A session as others see it.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<Figures>);

/// The figures of a session; counts go on across its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Whether messages are taken; if not, why.
    pub(super) ready: bool,
    pub(super) why_not: String,
    /// Whether that is because the server does not let us in.
    pub(super) locked_out: bool,
    /// Whether we are registered with the server.
    pub(super) connected: bool,
    /// The channels we are to be in, and whether we are.
    pub(super) channels: BTreeMap<String, bool>,
    pub(super) connects: u64,
    pub(super) sasl_failures: u64,
    pub(super) sent: u64,
    /// By what proved the arrival.
    pub(super) confirmed: BTreeMap<&'static str, u64>,
    /// By numeric or word.
    pub(super) refused: BTreeMap<String, u64>,
    /// By reason.
    pub(super) suppressed: BTreeMap<&'static str, u64>,
    /// How long the server took for the last answer to a PING.
    pub(super) lag: Option<Duration>,
    pub(super) queued: usize,
}

impl Shared {
    /// The figures, to read or to change at once.
    pub(super) fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that nothing can be said now, perhaps because we are not let in.
    pub(super) fn not_ready(&self, why: &str, locked_out: bool) {
        let mut figures = self.figures();
        (figures.ready, figures.connected, figures.locked_out) = (false, false, locked_out);
        why.clone_into(&mut figures.why_not);
        figures.channels.values_mut().for_each(|joined| *joined = false);
        (figures.lag, figures.queued) = (None, 0);
    }
}
