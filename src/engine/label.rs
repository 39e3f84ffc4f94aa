//! Label sets: sorted, unique names with values, and the hashes by which the world knows them.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_golang::quote::quote;

mod packed;

use packed::Pairs;

/// A set of names with values, sorted by name in byte order, each name once. Cloning is cheap.
///
/// It holds an alert's labels as well as its annotations. All of it lies in one text (see `packed`), because there may be
/// a million alerts: a third of the memory of a list of texts.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

/// FNV-1a over a label set: how the API names an alert (16 lower-case hex digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// A label set's place in the order in which people are told alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    job: (bool, &'a str),
    instance: (bool, &'a str),
    labels: &'a Labels,
}

impl Labels {
    /// The set of these pairs, which need not be sorted; of a name given twice the last value stays.
    pub fn of<N: AsRef<str>, V: AsRef<str>>(mut pairs: Vec<(N, V)>) -> Self {
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        pairs.dedup_by(|later, earlier| {
            let same = later.0.as_ref() == earlier.0.as_ref();
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self(packed::pack(&pairs))
    }

    /// The value of `name`, or `""` where the set lacks it, as matchers see it.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// The value of `name`, if the set has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// All pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        Pairs::of(&self.0)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pairs whose name `keep` accepts.
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        Self(packed::pack(&self.iter().filter(|(n, _)| keep(n)).collect::<Vec<_>>()))
    }

    /// The pairs that have a value.
    pub fn without_empty_values(&self) -> Self {
        if self.iter().all(|(_, value)| !value.is_empty()) {
            return self.clone();
        }
        Self(packed::pack(&self.iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>()))
    }

    /// Alertmanager's order of label sets: fewer labels first; then, by the first name in which they differ, the set
    /// that lacks it or has the smaller value.
    pub fn cmp_as_sets(&self, other: &Self) -> std::cmp::Ordering {
        let by_pair = || {
            let (mine, theirs) = packed::first_difference(&self.0, &other.0)?;
            Some(theirs.0.cmp(mine.0).then(mine.1.cmp(theirs.1)))
        };
        self.len().cmp(&other.len()).then_with(|| by_pair().unwrap_or(std::cmp::Ordering::Equal))
    }

    /// What people are told alerts in the order of: by job, by instance (those that have one first), then as sets.
    pub fn as_told(&self) -> Told<'_> {
        let (mut job, mut instance) = ((true, ""), (true, ""));
        for (name, value) in self.iter() {
            match name {
                "job" => job = (false, value),
                "instance" => instance = (false, value),
                _ => {}
            }
        }
        Told { job, instance, labels: self }
    }

    /// FNV-1a, 64 bits, over each name and value, both followed by 0xFF (Alertmanager's alert fingerprint).
    pub fn fingerprint(&self) -> Fingerprint {
        const OFFSET_BASIS: u64 = 14_695_981_039_346_656_037;
        const PRIME: u64 = 1_099_511_628_211;
        let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        let text = |hash, text: &str| add(text.bytes().fold(hash, add), SEPARATOR);
        Fingerprint(self.iter().fold(OFFSET_BASIS, |hash, (name, value)| text(text(hash, name), value)))
    }

    /// xxHash64 with seed 0 over the same bytes: how the notification log names an alert.
    pub fn log_hash(&self) -> u64 {
        let mut state = xxhash_rust::xxh64::Xxh64::new(0);
        for (name, value) in self.iter() {
            state.update(name.as_bytes());
            state.update(&[SEPARATOR]);
            state.update(value.as_bytes());
            state.update(&[SEPARATOR]);
        }
        state.digest()
    }
}

/// A byte that no UTF-8 text contains.
const SEPARATOR: u8 = 0xFF;

impl<N: Into<SmolStr>, V: Into<SmolStr>> FromIterator<(N, V)> for Labels {
    /// Sorts the pairs; of a name given twice the last value stays.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::of(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect::<Vec<(SmolStr, SmolStr)>>())
    }
}

impl Ord for Told<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_name = (self.job, self.instance).cmp(&(other.job, other.instance));
        by_name.then_with(|| self.labels.cmp_as_sets(other.labels))
    }
}

impl PartialOrd for Told<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Display for Labels {
    /// `{a="1", b="2"}`: values quoted as Go quotes, names never (part of a group key).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{name}={}", quote(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_alertmanagers() {
        assert_eq!(Labels::default().fingerprint().to_string(), "cbf29ce484222325");
        let labels = Labels::from_iter([("severity", "page"), ("alertname", "A")]);
        assert_eq!(labels.fingerprint().to_string(), "f2f95d02269594eb");
    }

    #[test]
    fn sets_are_ordered_by_size_then_by_the_first_difference() {
        let set = |pairs: &[(&str, &str)]| Labels::from_iter(pairs.iter().copied());
        let ordered = [set(&[("b", "1")]), set(&[("a", "1")]), set(&[("a", "2")]), set(&[("a", "1"), ("b", "1")])];
        assert!(ordered.is_sorted_by(|a, b| a.cmp_as_sets(b).is_lt()));
    }

    #[test]
    fn the_last_of_two_equal_names_stays() {
        let labels = Labels::from_iter([("b", "1"), ("a", "1"), ("b", "2")]);
        assert_eq!(labels.to_string(), r#"{a="1", b="2"}"#);
        assert_eq!((labels.value("b"), labels.value("c"), labels.len()), ("2", "", 2));
    }
}
