//! What follows from the outcome of an attempt: what the integration now knows is written down, or another attempt is
//! waited for, or it is given up; then the next flush has its turn.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use crate::decide::{Told, is_in};
use crate::delivery::{Batch, backoff};
use crate::effect::{AttemptId, Effects, Note};
use crate::engine::Engine;
use crate::intent::may_have_arrived;
use crate::nflog::{Carried, NflogEntry, NflogKey, ReceiverData};
use crate::notification::{Failure, FailureKind};
use crate::peers::ClaimState;
use crate::replica::Record;
use crate::time::Timestamp;
use crate::timer::Timer;
use crate::version::Version;

/// Log entries are kept for at least as long, however short the repeat interval: what is soon forgotten is in no digest.
const MIN_KEEP: Duration = Duration::from_secs(2 * 3600);

/// So many ends are kept for a missing node: more than a group has in an outage, in 6 KiB of an entry.
const MOST_ENDS: usize = 256;

impl Engine {
    /// Takes the outcome of an attempt.
    pub(crate) fn delivered(
        &mut self,
        now: Timestamp,
        attempt: AttemptId,
        outcome: Result<ReceiverData, Failure>,
        effects: &mut Effects,
    ) {
        let Some(key) = self.in_flight.remove(&attempt) else { return };
        let Some(delivery) = self.deliveries.get_mut(&key) else { return };
        let Some(sending) = delivery.sending.take() else { return };
        let attempts = delivery.attempts;
        match outcome {
            Ok(data) => {
                self.log(now, &key, sending.told, data, effects);
                effects.notes.push(Note::Told { key: key.clone(), attempts });
                self.finish(now, &key, true, effects);
            }
            Err(failure) => {
                if !failure.in_part && !may_have_arrived(failure.kind) {
                    self.set_intent(now, &key, sending.unsure_before, effects);
                }
                self.failed(now, &key, failure, effects);
            }
        }
    }

    fn failed(&mut self, now: Timestamp, key: &NflogKey, failure: Failure, effects: &mut Effects) {
        let random = self.random();
        let Some(delivery) = self.deliveries.get(key) else { return };
        let (attempts, interval) = (delivery.attempts, delivery.batch.group_interval);
        let pause = backoff(attempts, random).max(failure.retry_after.unwrap_or_default());
        let out_of_time = delivery.deadline.is_none_or(|deadline| deadline <= now + pause);
        let superseded = delivery.next.is_some();
        if !failure.in_part {
            self.note_failure(now, key);
            self.turns.failed(key, now);
            self.claim(now, key, ClaimState::Failed, interval, effects);
        }
        if failure.retry && !out_of_time && !superseded {
            let delivery = self.deliveries.get_mut(key).expect("it was looked at above");
            (delivery.not_before, delivery.failure) = (now + pause, Some(failure.clone()));
            self.timers.set(Timer::Delivery(key.clone()), now + pause);
            effects.notes.push(Note::Retry { key: key.clone(), attempts, failure });
            return;
        }
        let kind = if failure.retry && out_of_time { FailureKind::ContextDeadlineExceeded } else { failure.kind };
        effects.notes.push(Note::GivenUp { key: key.clone(), attempts, failure, kind });
        self.finish(now, key, false, effects);
    }

    /// Ends a delivery; if a newer flush waits, it goes on with that one.
    pub(crate) fn finish(&mut self, now: Timestamp, key: &NflogKey, ok: bool, effects: &mut Effects) {
        self.timers.cancel(&Timer::Delivery(key.clone()));
        let Some(delivery) = self.deliveries.get_mut(key) else { return };
        let (group, flushed_at) = (delivery.group, delivery.batch.flushed_at);
        let next: Option<Arc<Batch>> = delivery.next.take();
        match next {
            Some(batch) => {
                delivery.waits_since = batch.flushed_at;
                delivery.restart(batch);
            }
            None => {
                self.deliveries.remove(key);
            }
        }
        self.settle(now, group, key, flushed_at, ok, effects);
        self.attempt(now, key, effects);
    }

    /// Writes down what the integration now knows: what it was told, and what it goes on believing of other alerts that it
    /// was told. What it was perhaps told is no other node's to take for told.
    pub(crate) fn log(
        &mut self,
        now: Timestamp,
        key: &NflogKey,
        told: Told,
        data: ReceiverData,
        effects: &mut Effects,
    ) {
        let Some(delivery) = self.deliveries.get(key) else { return };
        let previous = self.nflog.get(key).cloned();
        let version = Version::after(previous.as_ref().map(|entry| entry.version), now, self.options.node);
        let not_told = self.not_told(now, key).into_iter();
        let not_told: Vec<u64> =
            not_told.filter(|hash| !is_in(*hash, &told.firing) && !is_in(*hash, &told.resolved)).collect();
        let mut carried = previous.as_ref().map(|entry| entry.believed()).unwrap_or_default();
        carried.retain(|carried| is_in(carried.hash, &not_told));
        let keep = (delivery.batch.repeat_interval * 2).max(MIN_KEEP).min(self.options.silences.retention);
        let ended = self.ends_to_keep(now, previous.as_deref(), &told);
        let entry = Arc::new(NflogEntry {
            key: key.clone(),
            timestamp: delivery.batch.flushed_at,
            firing: told.firing.clone(),
            resolved: told.resolved.clone(),
            receiver_data: data,
            expires_at: now + keep,
            version,
            carried: carried.into_iter().collect(),
            ended,
            past: previous.map_or_else(|| vec![version], |entry| entry.past_of_next(version)),
        });
        self.keep_nflog(Arc::clone(&entry), effects);
        self.strike_out(now, key, &told, effects);
        self.turns.settle(key, self.options.node, &told, now);
        effects.publish.push(Record::Nflog(entry));
    }

    /// The ends told before of which a node may know nothing, because it is missing: told otherwise by it, these alerts
    /// are in doubt. Nothing is in doubt of what is told now.
    fn ends_to_keep(&self, now: Timestamp, previous: Option<&NflogEntry>, told: &Told) -> Vec<Carried> {
        let previous = previous.filter(|_| self.turns.misses_somebody(now));
        let mut ended: Vec<Carried> = previous.into_iter().flat_map(NflogEntry::ends).collect();
        ended.retain(|end| !is_in(end.hash, &told.firing) && !is_in(end.hash, &told.resolved));
        ended.sort_unstable_by_key(|end| Reverse(end.told));
        ended.truncate(MOST_ENDS);
        ended.sort_unstable();
        ended
    }
}
