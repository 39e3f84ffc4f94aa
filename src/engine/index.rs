//! Finds, among many matcher lists, those that may match a label set, without looking at each: a list that demands
//! `name="value"` is looked at only for label sets with that pair. Silences, inhibition rules and routes are found so,
//! which is why adding more of them does not make the others slower.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::label::Labels;
use crate::matcher::{MatchOp, Matcher};

/// Matcher lists by one pair that each demands. It only narrows: candidates must still be matched.
#[derive(Clone, Debug)]
pub(crate) struct MatcherIndex<Id> {
    by_pair: BTreeMap<SmolStr, BTreeMap<SmolStr, Vec<Id>>>,
    /// Lists that demand no pair.
    rest: Vec<Id>,
}

impl<Id: Copy + Ord> MatcherIndex<Id> {
    /// Adds a list under the demanded pair that fewest others are found by.
    pub(crate) fn insert(&mut self, id: Id, matchers: &[Matcher]) {
        let rarest = matchers.iter().filter(|m| demands_a_pair(m)).min_by_key(|m| self.bucket_len(m));
        match rarest {
            None => self.rest.push(id),
            Some(m) => {
                let values = self.by_pair.entry(m.name().into()).or_default();
                values.entry(m.value().into()).or_default().push(id);
            }
        }
    }

    /// Removes a list that was inserted with these matchers.
    pub(crate) fn remove(&mut self, id: Id, matchers: &[Matcher]) {
        self.rest.retain(|known| *known != id);
        for matcher in matchers.iter().filter(|m| demands_a_pair(m)) {
            self.remove_from_bucket(id, matcher);
        }
    }

    /// The lists that may match `labels`, in order and each once.
    pub(crate) fn candidates(&self, labels: &Labels) -> Vec<Id> {
        let mut found = self.rest.clone();
        if !self.by_pair.is_empty() {
            for (name, value) in labels.iter() {
                let bucket = self.by_pair.get(name).and_then(|values| values.get(value));
                found.extend(bucket.into_iter().flatten().copied());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn bucket_len(&self, matcher: &Matcher) -> usize {
        let bucket = self.by_pair.get(matcher.name()).and_then(|values| values.get(matcher.value()));
        bucket.map_or(0, Vec::len)
    }

    fn remove_from_bucket(&mut self, id: Id, matcher: &Matcher) {
        let Some(values) = self.by_pair.get_mut(matcher.name()) else { return };
        let Some(bucket) = values.get_mut(matcher.value()) else { return };
        bucket.retain(|known| *known != id);
        if bucket.is_empty() {
            values.remove(matcher.value());
        }
        if values.is_empty() {
            self.by_pair.remove(matcher.name());
        }
    }
}

impl<Id> Default for MatcherIndex<Id> {
    fn default() -> Self {
        Self { by_pair: BTreeMap::new(), rest: Vec::new() }
    }
}

/// `name=""` also holds where the label is missing, so only a non-empty value can be looked up.
pub(crate) fn demands_a_pair(matcher: &Matcher) -> bool {
    matcher.op() == MatchOp::Equal && !matcher.value().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(name: &str, op: MatchOp, value: &str) -> Matcher {
        Matcher::new(name, op, value).unwrap()
    }

    #[test]
    fn only_lists_that_demand_a_pair_of_the_labels_are_candidates() {
        let lists = [
            vec![matcher("a", MatchOp::Equal, "1")],
            vec![matcher("a", MatchOp::Equal, "2")],
            vec![matcher("b", MatchOp::Regex, ".+")],
            vec![matcher("c", MatchOp::Equal, "")],
        ];
        let mut index = MatcherIndex::default();
        for (id, list) in lists.iter().enumerate() {
            index.insert(id, list);
        }
        let labels = Labels::from_iter([("a", "1"), ("b", "2")]);
        assert_eq!(index.candidates(&labels), [0, 2, 3]);
        for (id, list) in lists.iter().enumerate() {
            index.remove(id, list);
        }
        assert!(index.candidates(&labels).is_empty() && index.by_pair.is_empty());
    }

    #[test]
    fn a_list_is_found_by_its_rarest_pair() {
        let mut index = MatcherIndex::default();
        for id in 0..10 {
            let list = [matcher("team", MatchOp::Equal, "x"), matcher("host", MatchOp::Equal, &id.to_string())];
            index.insert(id, &list);
        }
        assert_eq!(index.candidates(&Labels::from_iter([("team", "x"), ("host", "7")])).len(), 2);
    }
}
