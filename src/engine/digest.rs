//! Digests of the records that all nodes shall hold: a few numbers by which two nodes see whether they hold the same,
//! and if not, in which part they differ. Kept up to date by constant work a change; nothing here looks at all records.
//!
//! A record belongs to a shard by the hash of its key, and counts in the shard's sum by the hash of its content. Records
//! that are soon forgotten must not count, since nodes forget them at different moments: a digest is always taken as of
//! a [`Horizon`], and only what outlives the horizon counts. Nodes compare digests of one horizon.

use std::collections::BTreeMap;
use std::time::Duration;

use xxhash_rust::xxh64::Xxh64;

use crate::label::Labels;
use crate::matcher::Matcher;
use crate::nflog::{NflogEntry, NflogKey, ReceiverDatum};
use crate::silence::{Silence, SilenceId};
use crate::time::Timestamp;
use crate::version::Version;

/// How many parts the records are divided into: few enough that a digest fits into one message of a few kilobytes,
/// enough that one record that differs costs the transfer of some dozens.
pub const SHARDS: usize = 256;

/// Time is counted in such periods when it comes to forgetting. Clocks of nodes that compare digests may stand apart by
/// as much: until then each still holds what counts for the other.
const PERIOD: Duration = Duration::from_secs(20 * 60);

/// What a digest leaves out: everything that is forgotten in this period or before. Periods are counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Horizon(pub i64);

/// The sum over the records of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// The sum of the records' hashes.
    pub hash: u64,
    /// How many records.
    pub count: u32,
}

/// What a node holds, as of a horizon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// What is left out. Only digests of one horizon say anything about each other.
    pub horizon: Horizon,
    /// The sums, by shard; always [`SHARDS`].
    pub shards: Vec<Shard>,
}

/// What one record adds to the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Where it adds it.
    pub(crate) shard: u8,
    /// Over every field; decides which of two records of one version both nodes keep.
    pub(crate) hash: u64,
    forgotten: Horizon,
}

/// The sums over all records that are held.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    all: Vec<Shard>,
    /// The same by the period in which the records are forgotten; without empty sums.
    by_period: BTreeMap<(Horizon, u8), Shard>,
}

impl Horizon {
    /// The horizon of a digest taken at `now`: the next period, so that what counts is held for at least one more.
    pub fn at(now: Timestamp) -> Self {
        Self(Self::of(now).0 + 1)
    }

    fn of(at: Timestamp) -> Self {
        let period = i64::try_from(PERIOD.as_micros()).expect("a period is short");
        Self(at.as_micros().div_euclid(period))
    }
}

impl Digest {
    /// The shards in which the two differ; all if they are of different horizons.
    pub fn differing(&self, other: &Self) -> Vec<u8> {
        let comparable = self.horizon == other.horizon;
        let pairs = self.shards.iter().zip(&other.shards).zip(0..=u8::MAX);
        pairs.filter(|((mine, theirs), _)| !comparable || mine != theirs).map(|(_, shard)| shard).collect()
    }

    /// One number for all shards: equal for equal digests, and for others practically never.
    pub fn sum(&self) -> u64 {
        let mut fields = Fields::new();
        for shard in &self.shards {
            fields.number(shard.hash).number(shard.count.into());
        }
        fields.0.digest()
    }

    /// How many records count.
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.count as usize).sum()
    }
}

impl Ledger {
    pub(crate) fn replace(&mut self, old: Option<Trace>, new: Option<Trace>) {
        if let Some(old) = old {
            self.all[usize::from(old.shard)].remove(old.hash);
            let period = self.by_period.entry((old.forgotten, old.shard)).or_default();
            period.remove(old.hash);
            if period.count == 0 {
                self.by_period.remove(&(old.forgotten, old.shard));
            }
        }
        if let Some(new) = new {
            self.all[usize::from(new.shard)].add(new.hash);
            self.by_period.entry((new.forgotten, new.shard)).or_default().add(new.hash);
        }
    }

    pub(crate) fn digest(&self, horizon: Horizon) -> Digest {
        let mut shards = self.all.clone();
        for ((_, shard), left_out) in self.by_period.range(..=(horizon, u8::MAX)) {
            let sum = &mut shards[usize::from(*shard)];
            sum.hash = sum.hash.wrapping_sub(left_out.hash);
            sum.count -= left_out.count;
        }
        Digest { horizon, shards }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { all: vec![Shard::default(); SHARDS], by_period: BTreeMap::new() }
    }
}

impl Shard {
    fn add(&mut self, hash: u64) {
        (self.hash, self.count) = (self.hash.wrapping_add(hash), self.count + 1);
    }

    fn remove(&mut self, hash: u64) {
        (self.hash, self.count) = (self.hash.wrapping_sub(hash), self.count - 1);
    }
}

/// The shard of a silence.
fn shard_of_silence(id: SilenceId) -> u8 {
    Fields::new().text("silence").number(id.0 as u64).number((id.0 >> 64) as u64).top()
}

/// The shard of a log entry.
fn shard_of_nflog(key: &NflogKey) -> u8 {
    Fields::new().text("nflog").key(key).top()
}

pub(crate) fn trace_silence(silence: &Silence) -> Trace {
    let shard = shard_of_silence(silence.id);
    Trace { shard, hash: hash_silence(silence), forgotten: Horizon::of(silence.forget_at) }
}

pub(crate) fn trace_nflog(entry: &NflogEntry) -> Trace {
    let shard = shard_of_nflog(&entry.key);
    Trace { shard, hash: hash_nflog(entry), forgotten: Horizon::of(entry.expires_at) }
}

/// A hash over every field of a silence, the same on all nodes and in all versions of the program.
fn hash_silence(silence: &Silence) -> u64 {
    let mut fields = Fields::new();
    fields.number(silence.id.0 as u64).number((silence.id.0 >> 64) as u64).version(silence.version);
    for time in [silence.starts_at, silence.ends_at, silence.updated_at, silence.forget_at] {
        fields.time(time);
    }
    fields.number(silence.matcher_sets.len() as u64);
    for set in &silence.matcher_sets {
        fields.matchers(set);
    }
    fields.text(&silence.created_by).text(&silence.comment).labels(&silence.annotations);
    fields.0.digest()
}

/// A hash over every field of a log entry, the same on all nodes and in all versions of the program.
fn hash_nflog(entry: &NflogEntry) -> u64 {
    let mut fields = Fields::new();
    fields.key(&entry.key).version(entry.version).time(entry.timestamp).time(entry.expires_at);
    for hashes in [&entry.firing, &entry.resolved] {
        fields.hashes(hashes);
    }
    fields.number(entry.receiver_data.len() as u64);
    for (name, datum) in &entry.receiver_data {
        fields.text(name).datum(datum);
    }
    for before in [&entry.carried, &entry.ended] {
        fields.number(before.len() as u64);
        for carried in before {
            fields.number(carried.hash).version(carried.told);
        }
    }
    fields.number(entry.past.len() as u64);
    for past in &entry.past {
        fields.version(*past);
    }
    fields.0.digest()
}

/// Feeds fields to a hash, so that different fields are different bytes on every machine.
struct Fields(Xxh64);

impl Fields {
    fn new() -> Self {
        Self(Xxh64::new(0))
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    fn time(&mut self, time: Timestamp) -> &mut Self {
        self.number(time.as_micros().cast_unsigned())
    }

    fn version(&mut self, version: Version) -> &mut Self {
        self.time(version.stamp).number(version.node.0)
    }

    fn key(&mut self, key: &NflogKey) -> &mut Self {
        self.text(&key.group_key).text(&key.receiver).text(&key.integration).number(key.index.into())
    }

    fn hashes(&mut self, hashes: &[u64]) -> &mut Self {
        self.number(hashes.len() as u64);
        for hash in hashes {
            self.number(*hash);
        }
        self
    }

    fn labels(&mut self, labels: &Labels) -> &mut Self {
        self.number(labels.len() as u64);
        for (name, value) in labels.iter() {
            self.text(name).text(value);
        }
        self
    }

    fn matchers(&mut self, matchers: &[Matcher]) -> &mut Self {
        self.number(matchers.len() as u64);
        for matcher in matchers {
            self.text(matcher.name()).text(matcher.op().as_str()).text(matcher.value());
        }
        self
    }

    fn datum(&mut self, datum: &ReceiverDatum) -> &mut Self {
        match datum {
            ReceiverDatum::Text(text) => self.text("text").text(text),
            ReceiverDatum::Integer(integer) => self.text("integer").number(integer.cast_unsigned()),
            ReceiverDatum::Float(float) => self.text("float").number(float.to_bits()),
        }
    }

    fn top(&self) -> u8 {
        self.0.digest().to_be_bytes()[0]
    }
}
