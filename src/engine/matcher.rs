//! Matchers: a condition on one label's value. How they are written and read is in [`parse`].

pub mod parse;

use std::fmt;

use smol_str::SmolStr;
use watchbell_golang::{Regex, RegexError};

use crate::label::Labels;

/// A condition on the value of one label; a label that an alert lacks counts as `""`.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: SmolStr,
    op: MatchOp,
    value: SmolStr,
    /// Present exactly for the two regular-expression operators.
    regex: Option<Regex>,
}

/// How a matcher compares. The order is the one in which Alertmanager sorts matchers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl Matcher {
    /// Builds a matcher; fails if `value` should be a regular expression and is none by Go's rules.
    pub fn new(name: impl Into<SmolStr>, op: MatchOp, value: impl Into<SmolStr>) -> Result<Self, RegexError> {
        let (name, value) = (name.into(), value.into());
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(Regex::anchored(&value)?),
        };
        Ok(Self { name, op, value, regex })
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern as written.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with the value `value` satisfies the matcher.
    pub fn matches_value(&self, value: &str) -> bool {
        let equal = match &self.regex {
            None => self.value == value,
            Some(regex) => regex.is_match(value),
        };
        equal == matches!(self.op, MatchOp::Equal | MatchOp::Regex)
    }

    /// Whether a label set satisfies the matcher.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.value(&self.name))
    }

    /// Name, operator and pattern, which make up a matcher's identity and order.
    fn identity(&self) -> (&str, &str, MatchOp) {
        (&self.name, &self.value, self.op)
    }
}

/// Whether a label set satisfies every one of `matchers`.
pub fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|m| m.matches(labels))
}

impl MatchOp {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    /// By name, then value, then operator: the order of a route's key.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl fmt::Display for Matcher {
    /// Alertmanager's canonical form, `name="value"`; see [`parse::canonical`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&parse::canonical(&self.name, self.op, &self.value))
    }
}
