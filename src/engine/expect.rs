//! Alerts that should always fire: each time one is received it has been seen, by all nodes, since who receives it tells
//! the others. So a node that is cut off from a sender does not take for missing what another one receives. That an alert
//! is still held counts for nothing.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::effect::{Effects, Note};
use crate::engine::Engine;
use crate::index::MatcherIndex;
use crate::matcher::all_match;
use crate::policy::Policy;
use crate::replica::Record;
use crate::time::Timestamp;
use crate::vigil::Cause;

/// A node has received an alert that the rule of this name expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The rule's name.
    pub expect: SmolStr,
}

/// What is received more often is shared no more often than this.
const SHARED: Duration = Duration::from_secs(1);

/// The rules of a policy by what they demand.
pub(crate) fn index(policy: &Policy) -> MatcherIndex<usize> {
    let mut index = MatcherIndex::default();
    for (number, rule) in policy.vigil.expect.iter().enumerate() {
        index.insert(number, &rule.matchers);
    }
    index
}

impl Engine {
    /// Takes note of an alert that has just been received.
    pub(crate) fn look_at(&mut self, now: Timestamp, alert: &Alert, effects: &mut Effects) {
        let policy = Arc::clone(&self.view.policy);
        if policy.vigil.expect.is_empty() || alert.is_resolved(now) {
            return;
        }
        for number in self.watch.rules.candidates(&alert.labels) {
            let rule = &policy.vigil.expect[number];
            if all_match(&rule.matchers, &alert.labels) {
                self.received(now, &rule.name, alert, effects);
            }
        }
    }

    fn received(&mut self, now: Timestamp, rule: &SmolStr, alert: &Alert, effects: &mut Effects) {
        let cause = Cause::Missing(rule.clone());
        let was_missing = self.saw(now, &cause, effects);
        let Some(watched) = self.watch.causes.get_mut(&cause) else { return };
        watched.received = Some((now, alert.labels.clone()));
        let due = watched.shared.is_none_or(|at| at + SHARED <= now);
        if due || was_missing == Some(true) {
            watched.shared = Some(now);
            effects.notes.push(Note::Seen(rule.clone()));
            if !self.turns.is_alone() {
                effects.publish.push(Record::Seen(Seen { expect: rule.clone() }));
            }
        }
    }

    /// Takes another node's sighting.
    pub(crate) fn take_seen(&mut self, now: Timestamp, seen: Seen, effects: &mut Effects) {
        if self.saw(now, &Cause::Missing(seen.expect.clone()), effects).is_some() {
            effects.notes.push(Note::Seen(seen.expect));
        }
    }
}
