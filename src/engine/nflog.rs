//! The notification log: what each integration was last told of each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::replica::Version;
use crate::time::Timestamp;

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
