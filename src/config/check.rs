//! What the checks share: the rules in force, and the problems and warnings found so far.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use watchbell_engine::matcher::parse::{Syntax, is_valid_label_name};

use super::error::{MAX_TOLD, Place, Problem, note};
use super::spelling::nearest;
use super::yaml::At;
use crate::settings::duration::PrometheusDuration;

/// By which rules a configuration is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How matchers and label names may be written.
    pub syntax: Syntax,
    /// How long the notification log remembers (`--data.retention`); only for a warning.
    pub retention: Duration,
}

/// What holds if the command line says nothing else.
impl Default for Options {
    fn default() -> Self {
        Self { syntax: Syntax::Fallback, retention: Duration::from_secs(120 * 3600) }
    }
}

/// What is odd about a configuration that is followed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What, and what would be better.
    pub message: String,
}

/// A check in progress.
pub(super) struct Check<'a> {
    pub(super) options: &'a Options,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
    /// Every receiver that routes may name.
    pub(super) receivers: BTreeSet<String>,
    /// Every time interval that routes may name.
    pub(super) time_intervals: BTreeSet<String>,
}

impl<'a> Check<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self {
            options,
            problems: Vec::new(),
            warnings: Vec::new(),
            receivers: BTreeSet::new(),
            time_intervals: BTreeSet::new(),
        }
    }

    pub(super) fn problem(&mut self, place: &Place, message: impl Into<String>) {
        note(&mut self.problems, place.problem(message));
    }

    pub(super) fn warn(&mut self, place: &Place, message: impl Into<String>) {
        if self.warnings.len() < MAX_TOLD {
            self.warnings.push(Warning { place: place.clone(), message: message.into() });
        }
    }

    /// What a part was read as; tells of the error if it could not be.
    pub(super) fn accept<T>(&mut self, place: &Place, read: Result<T, impl fmt::Display>) -> Option<T> {
        read.map_err(|error| self.problem(place, error.to_string())).ok()
    }

    /// Tells of `message` if `wrong`.
    pub(super) fn refuse_if(&mut self, wrong: bool, place: &Place, message: &str) {
        if wrong {
            self.problem(place, message);
        }
    }

    /// Tells of a name that may not be a label's, in the words `invalid label name "x"` and what follows.
    pub(super) fn label_name(&mut self, name: &str, place: &Place, follows: &str) {
        if !is_valid_label_name(self.options.syntax, name) {
            let rule = match self.options.syntax {
                Syntax::Classic => "letters, digits and underscores, no digit first",
                Syntax::Fallback | Syntax::Utf8 => "it must not be empty",
            };
            self.problem(place, format!("invalid label name {name:?}{follows} ({rule})"));
        }
    }

    /// Tells of names that nothing is known under.
    pub(super) fn defined_receiver(&mut self, name: &At<String>) {
        if !self.receivers.contains(&name.value) {
            let advice = advice(name, &self.receivers, "receivers");
            self.problem(&name.place, format!("undefined receiver {:?} used in route ({advice})", name.value));
        }
    }

    pub(super) fn defined_time_interval(&mut self, name: &At<String>) {
        if !self.time_intervals.contains(&name.value) {
            let advice = advice(name, &self.time_intervals, "time_intervals");
            self.problem(&name.place, format!("undefined time interval {:?} used in route ({advice})", name.value));
        }
    }

    /// Tells of a heartbeat whose rule is not there.
    pub(super) fn undefined_rule(&mut self, name: &str, known: &BTreeSet<String>, place: &Place) {
        let advice = advice(name, known, "expect");
        self.problem(place, format!("undefined expect rule {name:?} used in heartbeat ({advice})"));
    }

    /// Tells of a list of repetitions that the notification log is too forgetful for, or that flushes are too rare for.
    pub(super) fn repetition(&mut self, place: &Place, repeat: Duration, group: Duration) {
        let (shown, retention) = (PrometheusDuration(repeat), PrometheusDuration(self.options.retention));
        if repeat > self.options.retention {
            self.warn(
                place,
                format!(
                    "repeat_interval ({shown}) is greater than the data retention period ({retention}): \
                     notifications may be repeated more often than expected"
                ),
            );
        }
        if repeat < group {
            let group = PrometheusDuration(group);
            self.warn(
                place,
                format!(
                    "repeat_interval ({shown}) is less than group_interval ({group}): \
                     notifications are not repeated until the next group_interval"
                ),
            );
        }
    }
}

fn advice(name: &str, known: &BTreeSet<String>, key: &str) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("define it under `{key}`"),
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.problem(&self.message).fmt(f)
    }
}
