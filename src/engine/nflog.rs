//! The notification log: what each integration was last told of each group, and what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::notification::Reason;
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

/// What an integration keeps in the log for its next notification of the same group.
pub type ReceiverData = BTreeMap<SmolStr, ReceiverDatum>;

/// What is to be told, as far as the log is concerned; hashes are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) firing: Vec<u64>,
    pub(crate) resolved: Vec<u64>,
}

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

/// Whether, and why, an integration that was last told `entry` must be told `now_true` at `now`.
///
/// Alertmanager's decision table, but that a repeat interval which is a multiple of the group interval is kept to the
/// instant instead of being missed by a moment.
pub(crate) fn reason_to_tell(
    entry: Option<&NflogEntry>,
    now_true: &Told,
    send_resolved: bool,
    repeat_interval: Duration,
    now: Timestamp,
) -> Option<Reason> {
    let Some(entry) = entry else {
        return (!now_true.firing.is_empty()).then_some(Reason::FirstNotification);
    };
    if !is_subset(&now_true.firing, &entry.firing) {
        return Some(if entry.firing.is_empty() { Reason::FirstNotification } else { Reason::NewAlerts });
    }
    if now_true.firing.is_empty() {
        return (!entry.firing.is_empty()).then_some(Reason::AllResolved);
    }
    if send_resolved && !is_subset(&now_true.resolved, &entry.resolved) {
        return Some(Reason::SomeResolved);
    }
    (entry.timestamp <= now - repeat_interval).then_some(Reason::Repeat)
}

fn is_subset(some: &[u64], all: &[u64]) -> bool {
    some.iter().all(|hash| all.binary_search(hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn entry(firing: &[u64], resolved: &[u64]) -> NflogEntry {
        NflogEntry {
            key: NflogKey { group_key: "{}:{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 },
            timestamp: Timestamp::EPOCH,
            firing: firing.to_vec(),
            resolved: resolved.to_vec(),
            receiver_data: BTreeMap::new(),
            expires_at: Timestamp::MAX,
            version: Version::default(),
        }
    }

    fn check(entry: Option<NflogEntry>, firing: &[u64], resolved: &[u64], want: Option<Reason>) {
        let told = Told { firing: firing.to_vec(), resolved: resolved.to_vec() };
        assert_eq!(reason_to_tell(entry.as_ref(), &told, true, HOUR, Timestamp::from_secs(60)), want);
    }

    #[test]
    fn the_decision_table_holds_line_by_line() {
        check(None, &[1], &[], Some(Reason::FirstNotification));
        check(None, &[], &[1], None);
        check(Some(entry(&[], &[1])), &[1], &[], Some(Reason::FirstNotification));
        check(Some(entry(&[1], &[])), &[1, 2], &[], Some(Reason::NewAlerts));
        check(Some(entry(&[1], &[])), &[], &[], Some(Reason::AllResolved));
        check(Some(entry(&[], &[1])), &[], &[1], None);
        check(Some(entry(&[1, 2], &[])), &[1], &[2], Some(Reason::SomeResolved));
        check(Some(entry(&[1], &[2])), &[1], &[2], None);
    }

    #[test]
    fn resolved_alerts_are_no_reason_for_who_does_not_want_them() {
        let told = Told { firing: vec![1], resolved: vec![2] };
        let why = reason_to_tell(Some(&entry(&[1, 2], &[])), &told, false, HOUR, Timestamp::from_secs(60));
        assert_eq!(why, None);
    }

    #[test]
    fn a_repeat_is_due_exactly_after_the_interval() {
        let told = Told { firing: vec![1], resolved: vec![] };
        let at = |s| reason_to_tell(Some(&entry(&[1], &[])), &told, true, HOUR, Timestamp::from_secs(s));
        assert_eq!((at(3599), at(3600)), (None, Some(Reason::Repeat)));
    }
}
