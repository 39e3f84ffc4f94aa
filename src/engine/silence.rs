//! Silences: who asked that which alerts be hushed, and from when to when.

use std::fmt;
use std::sync::Arc;

use crate::label::Labels;
use crate::matcher::Matcher;
use crate::replica::Version;
use crate::time::Timestamp;

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

impl fmt::Display for SilenceId {
    /// Lower-case, hyphenated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b, c) = ((self.0 >> 96) as u32, (self.0 >> 80) as u16, (self.0 >> 64) as u16);
        let (d, e) = ((self.0 >> 48) as u16, self.0 & 0xFFFF_FFFF_FFFF);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}
