//! The decision whether an integration must be told, from what it was told last and what is true now.

use std::time::Duration;

use crate::nflog::NflogEntry;
use crate::notification::{NotifiedAlert, Reason};
use crate::time::Timestamp;

/// What is to be told, as far as the log is concerned; hashes are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) firing: Vec<u64>,
    pub(crate) resolved: Vec<u64>,
}

impl Told {
    pub(crate) fn of(alerts: &[NotifiedAlert]) -> Self {
        let hashes = |firing| {
            let some = alerts.iter().filter(|a| a.firing == firing);
            let mut hashes: Vec<u64> = some.map(|a| a.alert.labels.log_hash()).collect();
            hashes.sort_unstable();
            hashes
        };
        Self { firing: hashes(true), resolved: hashes(false) }
    }
}

/// Whether, and why, an integration that was last told `entry` must be told `now_true` at `now`; `unsure` are the alerts
/// of which nobody knows what it heard last.
///
/// Alertmanager's decision table, but that nothing is over because this node does not know of it, and that a repeat
/// interval which is a multiple of the group interval is kept to the instant instead of being missed by a moment.
pub(crate) fn reason_to_tell(
    entry: Option<&NflogEntry>,
    unsure: &[u64],
    now_true: &Told,
    send_resolved: bool,
    repeat_interval: Duration,
    now: Timestamp,
) -> Option<Reason> {
    let told_firing = |hash: u64| entry.is_some_and(|entry| entry.tells_firing(hash));
    if now_true.firing.iter().any(|hash| !told_firing(*hash) || is_in(*hash, unsure)) {
        let goes_on = entry.is_some_and(NflogEntry::tells_any_firing);
        return Some(if goes_on { Reason::NewAlerts } else { Reason::FirstNotification });
    }
    let owed = now_true.resolved.iter().any(|hash| told_firing(*hash) || is_in(*hash, unsure));
    if now_true.firing.is_empty() {
        return owed.then_some(Reason::AllResolved);
    }
    if send_resolved && owed {
        return Some(Reason::SomeResolved);
    }
    entry.is_some_and(|entry| entry.timestamp <= now - repeat_interval).then_some(Reason::Repeat)
}

/// Whether all of `some` are in the sorted `all`.
pub(crate) fn is_subset(some: &[u64], all: &[u64]) -> bool {
    some.iter().all(|hash| is_in(*hash, all))
}

/// Whether `hash` is in the sorted `hashes`.
pub(crate) fn is_in(hash: u64, hashes: &[u64]) -> bool {
    hashes.binary_search(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::nflog::NflogKey;
    use crate::version::Version;

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
            carried: vec![],
            ended: vec![],
            past: vec![],
        }
    }

    fn check(entry: Option<NflogEntry>, firing: &[u64], resolved: &[u64], want: Option<Reason>) {
        let told = Told { firing: firing.to_vec(), resolved: resolved.to_vec() };
        assert_eq!(reason_to_tell(entry.as_ref(), &[], &told, true, HOUR, Timestamp::from_secs(60)), want);
    }

    #[test]
    fn the_decision_table_holds_line_by_line() {
        check(None, &[1], &[], Some(Reason::FirstNotification));
        check(None, &[], &[1], None);
        check(Some(entry(&[], &[1])), &[1], &[], Some(Reason::FirstNotification));
        check(Some(entry(&[1], &[])), &[1, 2], &[], Some(Reason::NewAlerts));
        check(Some(entry(&[1], &[])), &[], &[1], Some(Reason::AllResolved));
        check(Some(entry(&[1], &[])), &[], &[], None);
        check(Some(entry(&[], &[1])), &[], &[1], None);
        check(Some(entry(&[1, 2], &[])), &[1], &[2], Some(Reason::SomeResolved));
        check(Some(entry(&[1], &[2])), &[1], &[2], None);
    }

    #[test]
    fn resolved_alerts_are_no_reason_for_who_does_not_want_them() {
        let told = Told { firing: vec![1], resolved: vec![2] };
        let why = reason_to_tell(Some(&entry(&[1, 2], &[])), &[], &told, false, HOUR, Timestamp::from_secs(60));
        assert_eq!(why, None);
    }

    #[test]
    fn the_end_of_what_was_perhaps_heard_is_told() {
        let told = Told { firing: vec![], resolved: vec![1] };
        let why = |unsure: &[u64]| reason_to_tell(None, unsure, &told, true, HOUR, Timestamp::from_secs(60));
        assert_eq!((why(&[]), why(&[1])), (None, Some(Reason::AllResolved)));
    }

    #[test]
    fn what_fires_again_is_told_if_its_end_was_perhaps_heard() {
        let (told, last) = (Told { firing: vec![1], resolved: vec![] }, entry(&[1], &[]));
        let why = |unsure: &[u64]| reason_to_tell(Some(&last), unsure, &told, true, HOUR, Timestamp::from_secs(60));
        assert_eq!((why(&[]), why(&[1])), (None, Some(Reason::NewAlerts)));
    }

    #[test]
    fn a_repeat_is_due_exactly_after_the_interval() {
        let told = Told { firing: vec![1], resolved: vec![] };
        let at = |s| reason_to_tell(Some(&entry(&[1], &[])), &[], &told, true, HOUR, Timestamp::from_secs(s));
        assert_eq!((at(3599), at(3600)), (None, Some(Reason::Repeat)));
    }
}
