//! The notification log: what each integration was last told of each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::time::Timestamp;
use crate::version::Version;

/// Whom an entry is about: one integration of a receiver, told of one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NflogKey {
    /// The route's key, `:`, the group's labels.
    pub group_key: Arc<str>,
    /// The receiver's name.
    pub receiver: SmolStr,
    /// The integration's kind.
    pub integration: SmolStr,
    /// The integration's position among the receiver's of its kind.
    pub index: u32,
}

/// What was last told. Shared and never changed in place.
#[derive(Clone, Debug, PartialEq)]
pub struct NflogEntry {
    /// Whom it is about.
    pub key: NflogKey,
    /// The flush that was told.
    pub timestamp: Timestamp,
    /// [`Labels::log_hash`](crate::label::Labels::log_hash) of the alerts told as firing; sorted.
    pub firing: Vec<u64>,
    /// The same of the alerts told as resolved; sorted.
    pub resolved: Vec<u64>,
    /// What the integration wants to find again at the next notification of this group.
    pub receiver_data: BTreeMap<SmolStr, ReceiverDatum>,
    /// When the entry is forgotten.
    pub expires_at: Timestamp,
    /// Which of two entries is the newer.
    pub version: Version,
}

/// A value that an integration keeps in the log.
#[derive(Clone, Debug, PartialEq)]
pub enum ReceiverDatum {
    /// A text.
    Text(SmolStr),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
}

/// What an integration keeps in the log for its next notification of the same group.
pub type ReceiverData = BTreeMap<SmolStr, ReceiverDatum>;

impl NflogEntry {
    /// Whether the integration heard of this alert and believes it to be firing.
    pub fn tells_firing(&self, hash: u64) -> bool {
        self.firing.binary_search(&hash).is_ok()
    }

    /// Whether the integration heard of this alert at all.
    pub(crate) fn knows(&self, hash: u64) -> bool {
        self.tells_firing(hash) || self.resolved.binary_search(&hash).is_ok()
    }
}
