//! Aggregation groups: the alerts of one route that share the labels to group by, and what the last flush left open.

use std::collections::BTreeSet;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::label::{Fingerprint, Labels};
use crate::nflog::NflogKey;
use crate::spread::Fingerprints;
use crate::time::Timestamp;

/// One aggregation group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The labels that its alerts share; part of its key.
    pub labels: Labels,
    /// The key by which receivers and the notification log know it.
    pub key: Arc<str>,
    /// Its alerts. Every one is stored as long as it is here.
    pub alerts: Fingerprints,
    /// The time intervals that muted the group at its last flush.
    pub muted_by: Vec<SmolStr>,
    /// Whether it was flushed at least once.
    pub flushed: bool,
    /// When it is flushed next.
    pub next_flush: Timestamp,
    /// The last flush, while an integration has not settled it.
    pub(crate) open: Option<OpenFlush>,
}

/// A flush whose outcome is not known for all integrations.
#[derive(Clone, Debug)]
pub(crate) struct OpenFlush {
    pub(crate) at: Timestamp,
    /// Resolved alerts, with the time of the report that was flushed: they leave the group once all integrations
    /// know, unless they were reported again meanwhile.
    pub(crate) resolved: Vec<(Fingerprint, Timestamp)>,
    /// The integrations that have not settled.
    pub(crate) waiting: BTreeSet<NflogKey>,
    /// Whether an integration gave up: the resolved alerts stay for the next flush.
    pub(crate) failed: bool,
}

/// What a restart needs to know of a group so that its timer goes on where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedGroup {
    /// [`Route::id`](crate::policy::Route::id) of the group's route.
    pub route_id: Arc<str>,
    /// The group's labels.
    pub labels: Labels,
    /// When it was to be flushed next. In the past if the last flush was not settled.
    pub next_flush: Timestamp,
}

impl Group {
    pub(crate) fn new(labels: Labels, key: Arc<str>, next_flush: Timestamp) -> Self {
        Self {
            labels,
            key,
            alerts: Fingerprints::default(),
            muted_by: Vec::new(),
            flushed: false,
            next_flush,
            open: None,
        }
    }

    /// Notes that an integration has done with the flush at `at`. Returns the resolved alerts that may leave the
    /// group if this was the last one and none failed.
    pub(crate) fn settle(&mut self, key: &NflogKey, at: Timestamp, ok: bool) -> Settled {
        let Some(open) = self.open.as_mut().filter(|open| open.at == at) else { return Settled::Open };
        if !open.waiting.remove(key) {
            return Settled::Open;
        }
        open.failed |= !ok;
        if !open.waiting.is_empty() {
            return Settled::Open;
        }
        match self.open.take() {
            Some(open) if !open.failed => Settled::Told(open.resolved),
            _ => Settled::Failed,
        }
    }
}

/// Where a flush stands after one more integration has done with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Others have not.
    Open,
    /// All have; these alerts were told as resolved.
    Told(Vec<(Fingerprint, Timestamp)>),
    /// All have, but one gave up.
    Failed,
}
