//! What is counted of mails.

use std::sync::atomic::{AtomicU64, Ordering};

/// How recipients and connections fared.
#[derive(Debug, Default)]
pub(super) struct Tally {
    recipients: [AtomicU64; Fate::ALL.len()],
    connections: AtomicU64,
    connections_opened: AtomicU64,
}

/// What became of a recipient in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A server has the mail for it.
    Accepted,
    /// Refused for good.
    Refused,
    /// Refused for now.
    Deferred,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Deferred];

    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
        }
    }
}

impl Tally {
    /// Outcomes and counts.
    pub(super) fn recipients(&self) -> Vec<(&'static str, u64)> {
        Fate::ALL.iter().map(|fate| fate.as_str()).zip(self.recipients.iter().map(read)).collect()
    }

    /// Connections that are there now, and that were ever made.
    pub(super) fn connections(&self) -> [u64; 2] {
        [&self.connections, &self.connections_opened].map(read)
    }

    pub(super) fn met(&self, fate: Fate) {
        self.recipients[fate as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
