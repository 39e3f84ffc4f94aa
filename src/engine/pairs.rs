//! Finds, among many label sets, those that have a pair, without looking at each: the other way round than `index`, which
//! finds matcher lists for a label set. It must not know what the label sets belong to but for their fingerprints.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::index::demands_a_pair;
use crate::label::{Fingerprint, Labels};
use crate::matcher::Matcher;

/// The hash of a name and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PairHash(u32);

/// The pairs without which a label set cannot satisfy some matchers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemandedPairs(pub(crate) Vec<PairHash>);

impl DemandedPairs {
    /// What all of `matchers` together demand; an equality with an empty value also holds without the label.
    pub fn of(matchers: &[Matcher]) -> Self {
        let demanding = matchers.iter().filter(|matcher| demands_a_pair(matcher));
        Self(demanding.map(|matcher| PairHash::new(matcher.name(), matcher.value())).collect())
    }

    /// Whether nothing is demanded, so that all must be looked at.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The label sets that have a pair, by the pair's hash. It only narrows: two pairs may have one hash.
#[derive(Debug)]
pub(crate) struct PairIndex {
    fingerprints: Box<[Fingerprint]>,
    /// The hash in the upper half, the position in `fingerprints` in the lower; sorted.
    entries: Box<[u64]>,
}

impl PairHash {
    fn new(name: &str, value: &str) -> Self {
        Self(xxh3_64_with_seed(value.as_bytes(), xxh3_64_with_seed(name.as_bytes(), 0)) as u32)
    }
}

impl PairIndex {
    /// The index over label sets that come in the order of their fingerprints.
    pub(crate) fn new<'a>(sets: impl Iterator<Item = (Fingerprint, &'a Labels)>) -> Self {
        let (fingerprints, sets): (Vec<Fingerprint>, Vec<&Labels>) = sets.unzip();
        // Counting also fetches them all: they lie apart, and here the waits for memory overlap.
        let mut entries = Vec::with_capacity(sets.iter().map(|labels| labels.len()).sum());
        for (position, labels) in (0_u64..).zip(sets) {
            entries.extend(labels.iter().map(|(name, value)| key(PairHash::new(name, value)) | position));
        }
        entries.sort_unstable();
        Self { fingerprints: fingerprints.into(), entries: entries.into() }
    }

    /// The label sets that may have the pair, in the order of their fingerprints.
    pub(crate) fn having(&self, pair: PairHash) -> impl ExactSizeIterator<Item = Fingerprint> {
        let start = self.entries.partition_point(|entry| *entry < key(pair));
        let same = self.entries[start..].iter().take_while(|entry| **entry >> 32 == u64::from(pair.0)).count();
        self.entries[start..start + same].iter().map(|entry| self.fingerprints[*entry as u32 as usize])
    }
}

fn key(pair: PairHash) -> u64 {
    u64::from(pair.0) << 32
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::MatchOp;

    proptest! {
        #[test]
        fn whoever_has_a_pair_is_found(values in vec((0..4u8, 0..4u8), 0..40)) {
            let sets: Vec<Labels> =
                values.iter().map(|(a, b)| Labels::from_iter([("a", a.to_string()), ("b", b.to_string())])).collect();
            let index = PairIndex::new(sets.iter().enumerate().map(|(at, set)| (Fingerprint(at as u64), set)));
            for value in ["0", "1", "2", "3"] {
                let having = sets.iter().enumerate().filter(|(_, set)| set.value("b") == value);
                let having: Vec<Fingerprint> = having.map(|(at, _)| Fingerprint(at as u64)).collect();
                prop_assert_eq!(index.having(PairHash::new("b", value)).collect::<Vec<_>>(), having);
            }
        }
    }

    #[test]
    fn only_an_equality_with_a_value_demands_a_pair() {
        let matcher = |op, value: &str| Matcher::new("a", op, value).unwrap();
        let matchers = [
            matcher(MatchOp::Equal, ""),
            matcher(MatchOp::NotEqual, "1"),
            matcher(MatchOp::Regex, "1"),
            matcher(MatchOp::Equal, "1"),
        ];
        assert_eq!(DemandedPairs::of(&matchers).0, [PairHash::new("a", "1")]);
    }
}
