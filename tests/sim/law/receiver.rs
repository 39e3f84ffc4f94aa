//! What a receiver made of what it heard of a group.

use std::collections::BTreeSet;

use watchbell_engine::nflog::NflogKey;
use watchbell_engine::time::Timestamp;

use crate::plan::INTEGRATIONS;

/// What a receiver knows of a group.
pub(super) struct Receiver {
    /// The number of its integration.
    pub(super) integration: usize,
    /// The alerts that it believes to fire.
    pub(super) firing: BTreeSet<u64>,
    /// The alerts that were ever told to it as firing, or may have been.
    pub(super) announced: BTreeSet<u64>,
    /// The alerts of which it may have been told, by a node that died or gave up waiting: it may believe them to fire or to
    /// be over.
    pub(super) perhaps: BTreeSet<u64>,
    /// What nodes that did not see each other told it: the alert, whether it fires, the node, or `ABSENT`.
    pub(super) apart: BTreeSet<(u64, bool, usize)>,
    /// The alerts of which it was not told any more by some node for a while, since a policy said so.
    pub(super) unrouted: BTreeSet<u64>,
    /// When the group was flushed for what it heard last, and what that told as firing.
    pub(super) flushed_at: Timestamp,
    pub(super) told_last: BTreeSet<u64>,
}

/// Whoever told something to which a node that lives by itself could not listen.
const ABSENT: usize = usize::MAX;

/// The number of the integration that a log entry is about.
pub(super) fn integration_of(key: &NflogKey) -> usize {
    let is_it = |(receiver, kind, index, _): &(&str, &str, u32, bool)| {
        (key.receiver.as_str(), key.integration.as_str(), key.index) == (*receiver, *kind, *index)
    };
    INTEGRATIONS.iter().position(is_it).expect("every integration is in the list")
}

impl Receiver {
    pub(super) fn new(key: &NflogKey) -> Self {
        Self {
            integration: integration_of(key),
            firing: BTreeSet::new(),
            announced: BTreeSet::new(),
            perhaps: BTreeSet::new(),
            apart: BTreeSet::new(),
            unrouted: BTreeSet::new(),
            flushed_at: Timestamp::EPOCH,
            told_last: BTreeSet::new(),
        }
    }

    /// What was told so far is unknown to the node that lives by itself from now on.
    pub(super) fn told_without(&mut self) {
        self.apart.extend(self.announced.iter().map(|hash| (*hash, self.firing.contains(hash), ABSENT)));
    }

    /// What was told as firing and as over by nodes that did not see each other may be told once more when they do.
    pub(super) fn contradicted(&mut self) {
        let ended = |told: &(u64, bool, usize)| {
            self.apart.iter().any(|(hash, fires, by)| *hash == told.0 && !fires && *by != told.2)
        };
        let contradicted: Vec<u64> =
            self.apart.iter().filter(|told| told.1 && ended(told)).map(|told| told.0).collect();
        self.perhaps.extend(contradicted);
    }

    pub(super) fn wants_resolved(&self) -> bool {
        INTEGRATIONS[self.integration].3
    }
}
