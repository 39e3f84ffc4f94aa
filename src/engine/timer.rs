//! What the engine waits for. Waiting is always an entry here, never a sleep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smol_str::SmolStr;

use crate::nflog::NflogKey;
use crate::route::GroupRef;
use crate::silence::SilenceId;
use crate::time::Timestamp;
use crate::vigil::Cause;

/// Something that becomes due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A group tells its receivers what it holds.
    Flush(GroupRef),
    /// A delivery's turn has come, or its next attempt is due.
    Delivery(NflogKey),
    /// A silence ends and need not be looked at any more.
    SilenceEnds(SilenceId),
    /// A silence's retention is over.
    SilenceForgotten(SilenceId),
    /// A log entry's retention is over.
    NflogForgotten(NflogKey),
    /// What an integration may have heard does not matter any more.
    IntentForgotten(NflogKey),
    /// Resolved alerts that no group holds are dropped.
    AlertGc,
    /// What is waited for has not come, or the alert about it is to be renewed.
    Vigil(Cause),
    /// A heartbeat is due.
    Heartbeat(SmolStr),
}

/// The set of timers: each at most once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
    set: BTreeMap<Timer, Timestamp>,
}

impl Timers {
    /// Sets `timer` to `at`, instead of what it was set to before.
    pub(crate) fn set(&mut self, timer: Timer, at: Timestamp) {
        self.cancel(&timer);
        self.due.insert((at, timer.clone()));
        self.set.insert(timer, at);
    }

    pub(crate) fn cancel(&mut self, timer: &Timer) {
        if let Some((timer, at)) = self.set.remove_entry(timer) {
            self.due.remove(&(at, timer));
        }
    }

    pub(crate) fn is_set(&self, timer: &Timer) -> bool {
        self.set.contains_key(timer)
    }

    /// Makes the timers that are `wanted` due earlier.
    pub(crate) fn pull(&mut self, by: Duration, wanted: impl Fn(&Timer) -> bool) {
        let pulled: Vec<_> =
            self.set.iter().filter(|(timer, _)| wanted(timer)).map(|(t, at)| (t.clone(), *at)).collect();
        pulled.into_iter().for_each(|(timer, at)| self.set(timer, at - by));
    }

    /// When the earliest timer is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due at `now`, with the instant it was set to.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Timer)> {
        if self.next()? > now {
            return None;
        }
        let (at, timer) = self.due.pop_first()?;
        self.set.remove(&timer);
        Some((at, timer))
    }

    pub(crate) fn len(&self) -> usize {
        self.set.len()
    }
}
