//! Every alert that is known, by fingerprint, and the limit on alerts of one name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::label::Fingerprint;
use crate::route::GroupRef;
use crate::time::Timestamp;

/// An alert and the groups its labels lead to, whether or not these groups exist now.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) alert: Arc<Alert>,
    pub(crate) groups: Arc<[GroupRef]>,
}

/// All alerts in order of their fingerprints. A clone shares what neither side changes afterwards, so that readers
/// get the whole in constant time.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    shards: Vec<Arc<BTreeMap<Fingerprint, Slot>>>,
    len: usize,
}

/// A shard is what a write copies while a reader holds a clone: small enough at a million alerts, few enough to clone.
const SHARD_BITS: u32 = 10;

impl Alerts {
    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<&Slot> {
        self.shards[shard_of(fingerprint)].get(&fingerprint)
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, slot: Slot) {
        let shard = Arc::make_mut(&mut self.shards[shard_of(fingerprint)]);
        if shard.insert(fingerprint, slot).is_none() {
            self.len += 1;
        }
    }

    /// Replaces the alert of a slot that is there.
    pub(crate) fn replace(&mut self, fingerprint: Fingerprint, alert: Arc<Alert>) {
        let shard = Arc::make_mut(&mut self.shards[shard_of(fingerprint)]);
        if let Some(slot) = shard.get_mut(&fingerprint) {
            slot.alert = alert;
        }
    }

    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) -> Option<Slot> {
        let slot = Arc::make_mut(&mut self.shards[shard_of(fingerprint)]).remove(&fingerprint)?;
        self.len -= 1;
        Some(slot)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fingerprint, &Slot)> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(fingerprint, slot)| (*fingerprint, slot)))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); 1 << SHARD_BITS], len: 0 }
    }
}

/// The leading bits, so that shards in order are fingerprints in order.
fn shard_of(fingerprint: Fingerprint) -> usize {
    (fingerprint.0 >> (u64::BITS - SHARD_BITS)) as usize
}

/// `--alerts.per-alertname-limit`: at most so many alerts of one name; one that is over makes room.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameLimit {
    /// Zero means no limit.
    capacity: usize,
    names: BTreeMap<SmolStr, Bucket>,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    ends: BTreeMap<Fingerprint, Timestamp>,
    by_end: BTreeSet<(Timestamp, Fingerprint)>,
}

impl NameLimit {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, names: BTreeMap::new() }
    }

    /// Whether the alert may be stored.
    pub(crate) fn admits(&mut self, alert: &Alert, fingerprint: Fingerprint, now: Timestamp) -> bool {
        if self.capacity == 0 {
            return true;
        }
        let bucket = self.names.entry(alert.labels.value("alertname").into()).or_default();
        let known = bucket.ends.contains_key(&fingerprint);
        if !known && bucket.ends.len() >= self.capacity && !bucket.evict_ended(now) {
            return false;
        }
        bucket.put(fingerprint, alert.ends_at);
        true
    }

    /// Forgets an alert that is not stored any more.
    pub(crate) fn forget(&mut self, alert: &Alert, fingerprint: Fingerprint) {
        let name = alert.labels.value("alertname");
        let Some(bucket) = self.names.get_mut(name) else { return };
        bucket.remove(fingerprint);
        if bucket.ends.is_empty() {
            self.names.remove(name);
        }
    }
}

impl Bucket {
    fn put(&mut self, fingerprint: Fingerprint, ends_at: Timestamp) {
        self.remove(fingerprint);
        self.ends.insert(fingerprint, ends_at);
        self.by_end.insert((ends_at, fingerprint));
    }

    fn remove(&mut self, fingerprint: Fingerprint) {
        if let Some(ends_at) = self.ends.remove(&fingerprint) {
            self.by_end.remove(&(ends_at, fingerprint));
        }
    }

    fn evict_ended(&mut self, now: Timestamp) -> bool {
        let ended = self.by_end.first().filter(|(ends_at, _)| *ends_at < now).map(|(_, fingerprint)| *fingerprint);
        ended.inspect(|fingerprint| self.remove(*fingerprint)).is_some()
    }
}
