//! Inhibition: a firing source mutes the targets that agree with it in some labels.
//!
//! All sources of a rule are kept by the values of the labels that must agree, the one that lasts longest first, so
//! that a target is judged by a look-up. (Alertmanager remembers one source for each such key and can lose the mute
//! while another source still fires.)

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::index::MatcherIndex;
use crate::label::{Fingerprint, Labels};
use crate::matcher::all_match;
use crate::policy::InhibitRule;
use crate::time::Timestamp;

/// The rules and the alerts that are their sources. A clone shares what neither side changes afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inhibitor {
    rules: Arc<Vec<Arc<Rule>>>,
    by_source: Arc<MatcherIndex<usize>>,
    by_target: Arc<MatcherIndex<usize>>,
}

#[derive(Clone, Debug)]
struct Rule {
    rule: InhibitRule,
    sources: BTreeMap<EqualValues, Sources>,
}

/// The values of the labels that must agree; a missing label counts as `""`.
type EqualValues = Box<[SmolStr]>;

#[derive(Clone, Debug, Default)]
struct Sources {
    /// Those that are not targets of the same rule.
    plain: LongestFirst,
    /// Those that are: they do not mute each other.
    two_sided: LongestFirst,
}

type LongestFirst = BTreeSet<(Reverse<Timestamp>, Fingerprint)>;

impl Inhibitor {
    pub(crate) fn new(rules: &[InhibitRule]) -> Self {
        let (mut by_source, mut by_target) = (MatcherIndex::default(), MatcherIndex::default());
        for (number, rule) in rules.iter().enumerate() {
            by_source.insert(number, &rule.source_matchers);
            by_target.insert(number, &rule.target_matchers);
        }
        let rules = rules.iter().map(|rule| Arc::new(Rule { rule: rule.clone(), sources: BTreeMap::new() }));
        Self { rules: Arc::new(rules.collect()), by_source: Arc::new(by_source), by_target: Arc::new(by_target) }
    }

    /// Takes note of an alert's new state; `old` is what was stored under the same labels before.
    pub(crate) fn update(&mut self, fingerprint: Fingerprint, old: Option<&Alert>, new: Option<&Alert>) {
        let Some(labels) = new.or(old).map(|alert| &alert.labels) else { return };
        for number in self.by_source.candidates(labels) {
            if all_match(&self.rules[number].rule.source_matchers, labels) {
                let ends = |alert: Option<&Alert>| alert.map(|a| (Reverse(a.ends_at), fingerprint));
                Arc::make_mut(&mut Arc::make_mut(&mut self.rules)[number]).replace(labels, ends(old), ends(new));
            }
        }
    }

    /// The source that mutes an alert with these labels at `now`, by the first rule that does.
    pub(crate) fn inhibited_by(&self, labels: &Labels, now: Timestamp) -> Option<Fingerprint> {
        if self.rules.is_empty() {
            return None;
        }
        let rules = self.by_target.candidates(labels);
        rules.into_iter().find_map(|number| self.rules[number].source_for(labels, now))
    }
}

impl Rule {
    fn replace(
        &mut self,
        labels: &Labels,
        old: Option<(Reverse<Timestamp>, Fingerprint)>,
        new: Option<(Reverse<Timestamp>, Fingerprint)>,
    ) {
        let two_sided = all_match(&self.rule.target_matchers, labels);
        let key = self.equal_values(labels);
        let sources = self.sources.entry(key.clone()).or_default();
        let side = if two_sided { &mut sources.two_sided } else { &mut sources.plain };
        if let Some(old) = old {
            side.remove(&old);
        }
        side.extend(new);
        if sources.plain.is_empty() && sources.two_sided.is_empty() {
            self.sources.remove(&key);
        }
    }

    fn source_for(&self, labels: &Labels, now: Timestamp) -> Option<Fingerprint> {
        if !all_match(&self.rule.target_matchers, labels) {
            return None;
        }
        let sources = self.sources.get(&self.equal_values(labels))?;
        let firing = |side: &LongestFirst| side.first().filter(|(Reverse(ends_at), _)| *ends_at > now).map(|s| s.1);
        let plain = firing(&sources.plain);
        plain.or_else(|| {
            let target_is_source = all_match(&self.rule.source_matchers, labels);
            if target_is_source { None } else { firing(&sources.two_sided) }
        })
    }

    fn equal_values(&self, labels: &Labels) -> EqualValues {
        self.rule.equal.iter().map(|name| SmolStr::new(labels.value(name))).collect()
    }
}
