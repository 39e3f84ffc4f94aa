//! Silences: who asked that which alerts be hushed, and from when to when.
//!
//! How one is made and changed is in [`edit`], all of them together are in [`table`].

pub mod edit;
pub mod table;

use std::fmt;
use std::sync::Arc;

use crate::label::Labels;
use crate::matcher::{Matcher, all_match};
use crate::time::Timestamp;
use crate::version::Version;

/// One silence. Shared and never changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its identity, the same on all nodes.
    pub id: SilenceId,
    /// An alert is silenced if all matchers of any one set match it. The API makes one set; imports may have more.
    pub matcher_sets: Vec<Vec<Matcher>>,
    /// When it begins to hush.
    pub starts_at: Timestamp,
    /// When it ends; this instant included.
    pub ends_at: Timestamp,
    /// When it was last changed, as people are told.
    pub updated_at: Timestamp,
    /// When every node may forget it. Never before any end that it once had plus the retention: no old copy of it can
    /// then still be active.
    pub forget_at: Timestamp,
    /// Who made it.
    pub created_by: Arc<str>,
    /// Why.
    pub comment: Arc<str>,
    /// Anything else that clients keep with it.
    pub annotations: Labels,
    /// Which of two states of the silence is the newer.
    pub version: Version,
}

/// A silence's identity: a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SilenceId(pub u128);

/// Where a silence stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SilenceState {
    /// It hushes.
    Active,
    /// It has not begun.
    Pending,
    /// It is over.
    Expired,
}

impl Silence {
    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now > self.ends_at || self.ends_at <= self.updated_at {
            // Who ended it has written the end by his own clock; ours may be behind.
            SilenceState::Expired
        } else {
            SilenceState::Active
        }
    }

    /// Whether its matchers match the labels, whatever the time.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matcher_sets.iter().any(|set| all_match(set, labels))
    }
}

impl SilenceId {
    /// Reads a hyphenated UUID in either case.
    pub fn parse(text: &str) -> Option<Self> {
        const HYPHENS: [usize; 4] = [8, 13, 18, 23];
        let hyphenated = text.len() == 36 && HYPHENS.iter().all(|at| text.as_bytes()[*at] == b'-');
        let digits = text.bytes().filter(|b| *b != b'-');
        if !hyphenated || digits.clone().count() != 32 {
            return None;
        }
        digits.map(|b| char::from(b).to_digit(16)).try_fold(0, |id: u128, d| Some(id << 4 | u128::from(d?))).map(Self)
    }
}

impl fmt::Display for SilenceId {
    /// Lower-case, hyphenated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

impl SilenceState {
    /// The word of the API and of the metric label `state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_in_either_case() {
        let text = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f00000001";
        assert_eq!(SilenceId::parse(text).map(|id| id.to_string()).as_deref(), Some(text));
        assert_eq!(SilenceId::parse(&text.to_uppercase()), SilenceId::parse(text));
        for bad in ["", "abc", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f0000000g", "0a1b2c3d4e5f-4a6b-8c7d-9e0f-00000001", "é"] {
            assert_eq!(SilenceId::parse(bad), None, "{bad}");
        }
    }
}
