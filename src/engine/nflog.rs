//! The notification log: what each integration was last told of each group, and what holds of two entries that were
//! written apart from each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::time::Timestamp;
use crate::version::{NodeId, Version};

/// Whom an entry is about: one integration of a receiver, told of one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NflogKey {
    /// The route's key, `:`, the group's labels.
    pub group_key: Arc<str>,
    /// The receiver's name.
    pub receiver: SmolStr,
    /// The integration's kind.
    pub integration: SmolStr,
    /// The integration's position among the receiver's of its kind.
    pub index: u32,
}

/// What was last told. Shared and never changed in place.
#[derive(Clone, Debug, PartialEq)]
pub struct NflogEntry {
    /// Whom it is about.
    pub key: NflogKey,
    /// The flush that was told.
    pub timestamp: Timestamp,
    /// [`Labels::log_hash`](crate::label::Labels::log_hash) of the alerts told as firing; sorted. The integration believes
    /// these to fire, and those that are [`carried`](Self::carried) over.
    pub firing: Vec<u64>,
    /// The same of the alerts told as resolved; sorted.
    pub resolved: Vec<u64>,
    /// What the integration wants to find again at the next notification of this group.
    pub receiver_data: BTreeMap<SmolStr, ReceiverDatum>,
    /// When the entry is forgotten.
    pub expires_at: Timestamp,
    /// Which of two entries is the newer.
    pub version: Version,
    /// Alerts that were told as firing by earlier entries and of which nothing was told since; sorted.
    pub carried: Vec<Carried>,
    /// Alerts that earlier entries told as resolved, kept while a node may be missing that tells otherwise; sorted.
    pub ended: Vec<Carried>,
    /// The newest entry of each node that went into this one, itself included; sorted by node. An entry of which nothing
    /// is here was written apart from this one, in a partition, and both hold.
    pub past: Vec<Version>,
}

/// What an earlier entry told of an alert, and the entry does not tell itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carried {
    /// The alert's hash.
    pub hash: u64,
    /// The entry that told it.
    pub told: Version,
}

/// A value that an integration keeps in the log.
#[derive(Clone, Debug, PartialEq)]
pub enum ReceiverDatum {
    /// A text.
    Text(SmolStr),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
}

/// What an integration keeps in the log for its next notification of the same group.
pub type ReceiverData = BTreeMap<SmolStr, ReceiverDatum>;

/// An entry takes into account what at most so many nodes wrote last. More have written to one log only where nodes came
/// and went with empty disks, and the oldest of those come back no more.
const MOST_WRITERS: usize = 32;

impl NflogEntry {
    /// Whether the integration heard of this alert and believes it to be firing.
    pub fn tells_firing(&self, hash: u64) -> bool {
        self.firing.binary_search(&hash).is_ok() || self.carries(hash)
    }

    /// When the integration was told last that this alert fires, if it believes that.
    pub(crate) fn told_firing_at(&self, hash: u64) -> Option<Timestamp> {
        if self.firing.binary_search(&hash).is_ok() {
            return Some(self.timestamp);
        }
        self.carried.iter().find(|carried| carried.hash == hash).map(|carried| carried.told.stamp)
    }

    /// Whether the integration believes any alert to be firing.
    pub fn tells_any_firing(&self) -> bool {
        !self.firing.is_empty() || !self.carried.is_empty()
    }

    /// The alerts that the integration believes to be firing; some perhaps twice.
    pub fn told_firing(&self) -> impl Iterator<Item = u64> {
        self.firing.iter().copied().chain(self.carried.iter().map(|carried| carried.hash))
    }

    /// Whether the entry with this version went into this one.
    pub(crate) fn follows(&self, version: Version) -> bool {
        self.past.iter().any(|past| past.node == version.node && past.stamp >= version.stamp)
    }

    /// Whether all that went into the other entry went into this one.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        other.past.iter().all(|past| self.follows(*past))
    }

    /// What holds of two entries about one integration: of alerts that either tells as firing those that the other tells as
    /// well, or knew nothing of; everything else as the newer one says. Whatever the order in which entries are united, the
    /// same comes out.
    pub(crate) fn united(&self, other: &Self) -> Self {
        let newer = if self.version < other.version { other } else { self };
        let parted = |staying: BTreeSet<Carried>| -> (Vec<u64>, Vec<Carried>) {
            let (told, before): (Vec<Carried>, _) = staying.into_iter().partition(|told| told.told == newer.version);
            (told.into_iter().map(|told| told.hash).collect(), before)
        };
        let (firing, carried) = parted(staying((self, self.believed()), (other, other.believed())));
        let (resolved, ended) = parted(staying((self, self.ends().collect()), (other, other.ends().collect())));
        Self {
            firing,
            carried,
            resolved,
            ended,
            past: newest_by_node(self.past.iter().chain(&other.past).copied()),
            ..newer.clone()
        }
    }

    /// What an entry with `version` that is made from this one takes into account.
    pub(crate) fn past_of_next(&self, version: Version) -> Vec<Version> {
        let mut past = newest_by_node(self.past.iter().copied().chain([version]));
        while past.len() > MOST_WRITERS {
            let oldest = past.iter().enumerate().min_by_key(|(_, past)| past.stamp).map_or(0, |(index, _)| index);
            past.remove(oldest);
        }
        past
    }

    /// The alerts that the integration believes to be firing, each with the entry that told it.
    pub(crate) fn believed(&self) -> BTreeSet<Carried> {
        let told = self.firing.iter().map(|hash| Carried { hash: *hash, told: self.version });
        told.chain(self.carried.iter().copied()).collect()
    }

    /// The alerts of whose end the integration was told, as far as that is known here, each with the entry that told it.
    pub(crate) fn ends(&self) -> impl Iterator<Item = Carried> {
        let told = self.resolved.iter().map(|hash| Carried { hash: *hash, told: self.version });
        told.chain(self.ended.iter().copied())
    }

    fn carries(&self, hash: u64) -> bool {
        let first = self.carried.partition_point(|carried| carried.hash < hash);
        self.carried.get(first).is_some_and(|carried| carried.hash == hash)
    }
}

/// What holds of what two entries tell: what both do, and what one does and the other knew nothing of.
fn staying(one: (&NflogEntry, BTreeSet<Carried>), other: (&NflogEntry, BTreeSet<Carried>)) -> BTreeSet<Carried> {
    let stays = |told: &Carried, (entry, tells): &(&NflogEntry, BTreeSet<Carried>)| {
        tells.contains(told) || !entry.follows(told.told)
    };
    let ones = one.1.iter().filter(|told| stays(told, &other));
    ones.chain(other.1.iter().filter(|told| stays(told, &one))).copied().collect()
}

fn newest_by_node(versions: impl Iterator<Item = Version>) -> Vec<Version> {
    let mut newest: BTreeMap<NodeId, Version> = BTreeMap::new();
    for version in versions {
        let known = newest.entry(version.node).or_insert(version);
        *known = version.max(*known);
    }
    newest.into_values().collect()
}

#[cfg(test)]
mod tests;
