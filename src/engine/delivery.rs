//! How one integration is brought to know what a group holds: one delivery for each, one attempt at a time, always
//! with the newest flush, and never in the way of another integration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::decide::Told;
use crate::effect::Note;
use crate::label::Labels;
use crate::nflog::NflogKey;
use crate::notification::{Failure, NotifiedAlert};
use crate::route::GroupRef;
use crate::sighting::Sighting;
use crate::time::Timestamp;
use crate::version::NodeId;

/// What a flush wants told; the integrations of the receiver share it.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) flushed_at: Timestamp,
    pub(crate) group_labels: Labels,
    pub(crate) route_labels: Labels,
    pub(crate) group_interval: Duration,
    pub(crate) repeat_interval: Duration,
    /// In flush order, without those that were muted.
    pub(crate) alerts: Vec<NotifiedAlert>,
}

/// Where the telling of one integration stands.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The group; `None` once a reload has taken its route away.
    pub(crate) group: Option<GroupRef>,
    pub(crate) batch: Arc<Batch>,
    /// The first flush since the integration was told last: turns are counted from it, or else a node whose turn comes
    /// late would never have one.
    pub(crate) waits_since: Timestamp,
    pub(crate) send_resolved: bool,
    /// The attempt under way.
    pub(crate) sending: Option<Sending>,
    /// The newest flush, while an attempt with an older one is under way.
    pub(crate) next: Option<Arc<Batch>>,
    /// Attempts made with this batch.
    pub(crate) attempts: u32,
    /// When this batch is given up; set by its first attempt.
    pub(crate) deadline: Option<Timestamp>,
    /// The end of the back-off.
    pub(crate) not_before: Timestamp,
    /// Why the last attempt with this batch failed.
    pub(crate) failure: Option<Failure>,
    /// When this node announced that it is about to send.
    pub(crate) announced_at: Option<Timestamp>,
    /// The alerts that it asked the others about when it did; sorted.
    pub(crate) asked: Vec<u64>,
    /// The stamp of the claim that asked about them first: what was answered to an earlier one is not the answer.
    pub(crate) asked_at: Timestamp,
    /// How often it has asked.
    pub(crate) times_asked: u32,
    /// What they answered.
    pub(crate) sightings: BTreeMap<NodeId, Sighting>,
}

/// An attempt under way.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// What the log says once it succeeds.
    pub(crate) told: Told,
    /// The alerts of which nobody knew before this attempt what the integration heard last.
    pub(crate) unsure_before: Vec<u64>,
}

/// How long a node waits after announcing that it is about to send, so that two that come to it in the same moment hear
/// of each other, and the answers arrive: far more than news takes, far less than finding out that a node is dead.
pub(crate) const ANNOUNCE: Duration = Duration::from_millis(500);

/// How often a node that lives and does not answer is asked before it is not waited for any more.
pub(crate) const MOST_QUESTIONS: u32 = 3;

/// No pipeline is given less time than this, however short the group interval.
const MIN_TIME_TO_TELL: Duration = Duration::from_secs(10);

/// Back-off between attempts: the first, the factor (3/2), the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

impl Delivery {
    pub(crate) fn new(group: GroupRef, batch: Arc<Batch>, send_resolved: bool) -> Self {
        Self {
            group: Some(group),
            waits_since: batch.flushed_at,
            batch,
            send_resolved,
            sending: None,
            next: None,
            attempts: 0,
            deadline: None,
            not_before: Timestamp::EPOCH,
            failure: None,
            announced_at: None,
            asked: Vec::new(),
            asked_at: Timestamp::EPOCH,
            times_asked: 0,
            sightings: BTreeMap::new(),
        }
    }

    /// Goes on with a newer batch.
    pub(crate) fn restart(&mut self, batch: Arc<Batch>) {
        self.batch = batch;
        self.attempts = 0;
        self.deadline = None;
        self.not_before = Timestamp::EPOCH;
        self.failure = None;
    }

    /// What is to be said when a newer flush takes the place of one that was being retried.
    pub(crate) fn superseded(&self, key: &NflogKey) -> Option<Note> {
        let failure = self.failure.clone()?;
        Some(Note::GivenUp { key: key.clone(), attempts: self.attempts, kind: failure.kind, failure })
    }

    /// Notes that this node announces that it is about to send, and asks about `doubts`.
    pub(crate) fn announce(&mut self, now: Timestamp, stamp: Timestamp, doubts: &[u64]) {
        let asks_again = self.times_asked > 0 && self.asked == doubts;
        if !asks_again {
            (self.asked, self.asked_at, self.times_asked) = (doubts.to_vec(), stamp, 0);
            self.sightings.clear();
        }
        self.announced_at = Some(now);
        self.times_asked += 1;
    }

    /// What was announced, and what was answered, counts no more.
    pub(crate) fn unannounce(&mut self) {
        self.announced_at = None;
        self.asked.clear();
        self.times_asked = 0;
        self.sightings.clear();
    }

    /// The alerts that fire on another node, as far as it was asked.
    pub(crate) fn firing_elsewhere(&self) -> BTreeSet<u64> {
        self.sightings.values().flat_map(|sighting| &sighting.firing).copied().collect()
    }

    /// Notes that an attempt starts at `now`; returns how long it may take.
    pub(crate) fn begin(&mut self, sending: Sending, now: Timestamp) -> Duration {
        let budget = self.batch.group_interval.max(MIN_TIME_TO_TELL);
        let deadline = *self.deadline.get_or_insert(now + budget);
        self.sending = Some(sending);
        (self.announced_at, self.times_asked) = (None, 0);
        self.attempts += 1;
        deadline.since(now)
    }
}

/// How long to wait after `attempts` failures: half to one and a half times the exponential; `random` decides.
pub(crate) fn backoff(attempts: u32, random: u64) -> Duration {
    let exponential = FIRST_BACKOFF.mul_f64(1.5_f64.powi(attempts.saturating_sub(1).min(64).cast_signed()));
    let share = 0.5 + (random % 1024) as f64 / 1024.0;
    exponential.min(MAX_BACKOFF).mul_f64(share)
}

/// Sorts alerts as receivers see them.
pub(crate) fn sort_for_flush(alerts: &mut [NotifiedAlert]) {
    alerts.sort_by(|a, b| a.alert.labels.as_told().cmp(&b.alert.labels.as_told()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_grows_to_a_minute_and_is_spread() {
        assert_eq!(backoff(1, 0), Duration::from_millis(250));
        assert_eq!(backoff(1, 512), Duration::from_millis(500));
        assert_eq!(backoff(2, 512), Duration::from_millis(750));
        assert_eq!(backoff(1000, 512), Duration::from_secs(60));
    }
}
