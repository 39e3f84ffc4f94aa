//! Every alert that is known, by fingerprint, and the limit on alerts of one name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::label::Fingerprint;
use crate::pairs::{PairHash, PairIndex};
use crate::route::GroupRef;
use crate::spread::Spread;
use crate::time::Timestamp;

/// An alert and the groups its labels lead to, whether or not these groups exist now.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) alert: Arc<Alert>,
    pub(crate) groups: Arc<[GroupRef]>,
}

/// All alerts in order of their fingerprints. A clone is taken in constant time and shares what neither side changes
/// afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    shards: Arc<Vec<Arc<Shard>>>,
    len: usize,
}

/// A shard is what a write copies while a reader holds a clone: small enough at a million alerts, few enough to copy the
/// list of them.
const SHARD_BITS: u32 = 10;

#[derive(Clone, Debug)]
struct Shard {
    slots: Spread<Slot>,
    /// Made by the first reader who looks for a pair, and kept until an alert comes or goes: what labels an alert has
    /// never changes.
    pairs: OnceLock<Arc<PairIndex>>,
}

impl Alerts {
    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<&Slot> {
        self.shards[shard_of(fingerprint)].slots.get(fingerprint)
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, slot: Slot) {
        let shard = self.shard_mut(fingerprint);
        shard.pairs.take();
        if shard.slots.insert(fingerprint, slot).is_none() {
            self.len += 1;
        }
    }

    /// Replaces the alert of a slot that is there, with one that has the same labels.
    pub(crate) fn replace(&mut self, fingerprint: Fingerprint, alert: Arc<Alert>) {
        if let Some(slot) = self.shard_mut(fingerprint).slots.get_mut(fingerprint) {
            slot.alert = alert;
        }
    }

    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) -> Option<Slot> {
        let shard = self.shard_mut(fingerprint);
        shard.pairs.take();
        let slot = shard.slots.remove(fingerprint)?;
        self.len -= 1;
        Some(slot)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fingerprint, &Slot)> {
        self.shards.iter().flat_map(|shard| shard.slots.iter())
    }

    /// The alerts after `last`, without those that surely lack one of `pairs`.
    pub(crate) fn after<'a>(
        &'a self,
        last: Option<Fingerprint>,
        pairs: &'a [PairHash],
    ) -> impl Iterator<Item = (Fingerprint, &'a Slot)> {
        // Where there are few alerts, most shards have none.
        let shards = self.shards[last.map_or(0, shard_of)..].iter().enumerate();
        let shards = shards.filter(|(_, shard)| shard.slots.len() > 0);
        shards.flat_map(move |(number, shard)| shard.after(last.filter(|_| number == 0), pairs))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn shard_mut(&mut self, fingerprint: Fingerprint) -> &mut Shard {
        Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[shard_of(fingerprint)])
    }
}

impl Shard {
    fn after(&self, last: Option<Fingerprint>, pairs: &[PairHash]) -> impl Iterator<Item = (Fingerprint, &Slot)> {
        let found = pairs.iter().map(|pair| self.pairs().having(*pair)).min_by_key(|found| found.len());
        let all = found.is_none().then(|| self.slots.after(last));
        let found = found.into_iter().flatten().filter(move |fingerprint| last.is_none_or(|last| last < *fingerprint));
        let found = found.filter_map(|fingerprint| Some((fingerprint, self.slots.get(fingerprint)?)));
        all.into_iter().flatten().chain(found)
    }

    fn pairs(&self) -> &PairIndex {
        self.pairs.get_or_init(|| {
            Arc::new(PairIndex::new(self.slots.iter().map(|(fingerprint, slot)| (fingerprint, &slot.alert.labels))))
        })
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self { slots: Spread::new(SHARD_BITS), pairs: OnceLock::new() }
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self { shards: Arc::new(vec![Arc::default(); 1 << SHARD_BITS]), len: 0 }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labels;
    use crate::matcher::{MatchOp, Matcher};
    use crate::pairs::DemandedPairs;
    use crate::time::UtcOffset;

    fn alert(number: usize, ends_at: i64) -> Arc<Alert> {
        let labels = [("host", (number / 10).to_string()), ("series", number.to_string())];
        Arc::new(Alert {
            labels: Labels::from_iter(labels),
            annotations: Labels::default(),
            starts_at: Timestamp::EPOCH,
            starts_offset: UtcOffset(0),
            ends_at: Timestamp::from_secs(ends_at),
            ends_offset: UtcOffset(0),
            updated_at: Timestamp::EPOCH,
            generator_url: SmolStr::default(),
            timeout: false,
        })
    }

    fn put(alerts: &mut Alerts, alert: Arc<Alert>) {
        alerts.insert(alert.fingerprint(), Slot { alert, groups: Arc::default() });
    }

    #[test]
    fn who_asks_for_a_label_looks_at_its_alerts_only() {
        let mut alerts = Alerts::default();
        (0..20_000).for_each(|number| put(&mut alerts, alert(number, 1)));
        let host = |value: &str| DemandedPairs::of(&[Matcher::new("host", MatchOp::Equal, value).unwrap()]);
        let looked_at = |alerts: &Alerts, value| alerts.after(None, &host(value).0).count();
        assert_eq!([looked_at(&alerts, "7"), looked_at(&alerts, "none")], [10, 0]);
        let made = |alerts: &Alerts| alerts.shards.iter().filter(|shard| shard.pairs.get().is_some()).count();
        let all = made(&alerts);
        alerts.replace(alert(70, 1).fingerprint(), alert(70, 2));
        assert_eq!(made(&alerts), all, "a repeated alert changes no label");
        put(&mut alerts, alert(20_000, 1));
        assert_eq!(made(&alerts), all - 1, "a new alert is put into one shard");
        assert_eq!(looked_at(&alerts, "2000"), 1);
        alerts.remove(alert(70, 1).fingerprint());
        assert_eq!(looked_at(&alerts, "7"), 9);
    }

    #[test]
    fn a_walk_goes_on_where_it_stopped() {
        let mut alerts = Alerts::default();
        (0..6_000).for_each(|number| put(&mut alerts, alert(number, 1)));
        let (mut walked, mut last) = (Vec::new(), None);
        while let Some((fingerprint, _)) = alerts.after(last, &[]).next() {
            walked.push(fingerprint);
            last = Some(fingerprint);
        }
        assert_eq!(walked.len(), 6_000);
        assert!(walked.into_iter().eq(alerts.iter().map(|(fingerprint, _)| fingerprint)));
    }

    #[test]
    fn a_clone_stays_as_it_was() {
        let mut alerts = Alerts::default();
        put(&mut alerts, alert(1, 1));
        let seen = alerts.clone();
        alerts.replace(alert(1, 1).fingerprint(), alert(1, 2));
        put(&mut alerts, alert(2, 1));
        assert_eq!((seen.len(), seen.iter().count(), alerts.len()), (1, 1, 2));
        let slot = seen.get(alert(1, 1).fingerprint()).unwrap();
        assert_eq!(slot.alert.ends_at, Timestamp::from_secs(1));
    }
}
