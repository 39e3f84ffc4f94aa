//! What makes a notification the one that it is: a name that every node gives it, also after a crash or in a
//! partition, so that whoever hears it twice can tell. It must not know how it is told.

use sha2::{Digest, Sha256};
use smol_str::{SmolStr, format_smolstr};
use watchbell_engine::nflog::{NflogEntry, ReceiverDatum};
use watchbell_engine::notification::Notification;

/// Under which name an integration keeps the identity of what it told last.
pub(super) const KEPT_AS: &str = "identity";

/// What is told first in the same span has the same name, in microseconds: shorter than any entry of the log is kept, so
/// that a chain that the log has forgotten is in an earlier span; and long beside what lies between two nodes that tell
/// the same without hearing each other.
const SPAN: i64 = 3600 * 1_000_000;

/// Names `notification`, in 32 hex digits.
///
/// The names of what one integration is told of one group are a chain: each follows from the last one that was told
/// and from what is told now. So a repeat, and an alert that fires again, have a new name, and nodes that hold the same
/// log give the same name. The first of a chain follows from the hour in which it is told, as the log may have forgotten
/// an earlier one. (Not from when its alerts began: two Prometheus that see the same do not see it in the same second,
/// and each of two nodes that cannot hear each other may know only one of them.)
pub(super) fn identity(notification: &Notification) -> SmolStr {
    let mut hash = Sha256::new();
    let key = &notification.key;
    for part in [&*key.group_key, &key.receiver, &key.integration] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(key.index.to_be_bytes());
    let last = notification.previous.as_deref().and_then(kept);
    match last {
        Some(last) => hash.update(last),
        None => hash.update(notification.flushed_at.as_micros().div_euclid(SPAN).to_be_bytes()),
    }
    for (alert, firing) in told(notification) {
        hash.update(alert.to_be_bytes());
        hash.update([u8::from(firing)]);
    }
    let digest = hash.finalize();
    format_smolstr!("{:032x}", u128::from_be_bytes(std::array::from_fn(|i| digest[i])))
}

/// The identity of what was told last.
pub(super) fn kept(previous: &NflogEntry) -> Option<&str> {
    match previous.receiver_data.get(KEPT_AS) {
        Some(ReceiverDatum::Text(identity)) => Some(identity),
        _ => None,
    }
}

/// Alerts by the log's hash, and whether they fire; in an order that all nodes share.
fn told(notification: &Notification) -> Vec<(u64, bool)> {
    let alerts = notification.alerts.iter();
    let mut told: Vec<_> = alerts.map(|told| (told.alert.labels.log_hash(), told.firing)).collect();
    told.sort_unstable();
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchbell_engine::notification::NotifiedAlert;
    use watchbell_engine::time::Timestamp;
    use watchbell_engine::version::Version;

    use super::super::tests::{NOW, alert, notification};
    use super::*;

    /// `told` after a notification that was called `last`.
    fn after(last: &str, told: &[(&str, bool)]) -> Notification {
        let alerts = told.iter().map(|(instance, firing)| alert(instance, *firing)).collect();
        let told = notification("email", alerts);
        let entry = NflogEntry {
            key: told.key.clone(),
            timestamp: NOW,
            firing: vec![],
            resolved: vec![],
            receiver_data: [(KEPT_AS.into(), ReceiverDatum::Text(last.into()))].into(),
            expires_at: Timestamp::MAX,
            version: Version::default(),
            carried: vec![],
            ended: vec![],
            past: vec![],
        };
        Notification { previous: Some(Arc::new(entry)), ..told }
    }

    fn began_later(told: &NotifiedAlert) -> NotifiedAlert {
        let mut alert = watchbell_engine::alert::Alert::clone(&told.alert);
        alert.starts_at = Timestamp::from_secs(alert.starts_at.as_secs() + 3600);
        NotifiedAlert { alert: Arc::new(alert), firing: told.firing }
    }

    #[test]
    fn the_order_of_alerts_and_the_moment_of_the_flush_do_not_matter() {
        let one = after("x", &[("a", true), ("b", false)]);
        let mut other = after("x", &[("b", false), ("a", true)]);
        (other.flushed_at, other.previous) = (Timestamp::MAX, one.previous.clone());
        assert_eq!(identity(&one), identity(&other));
        assert_eq!(identity(&one).len(), 32);
    }

    #[test]
    fn what_is_told_and_what_was_told_last_matter() {
        let firing = after("x", &[("a", true)]);
        let others = [after("x", &[("a", false)]), after("x", &[("b", true)]), after("y", &[("a", true)])];
        assert!(others.iter().all(|other| identity(other) != identity(&firing)));
        let mut second = firing.clone();
        second.key.index = 1;
        assert_ne!(identity(&second), identity(&firing));
    }

    #[test]
    fn the_hour_matters_only_to_the_first_of_a_chain() {
        let at = |minute: i64, told: Notification| {
            identity(&Notification { flushed_at: Timestamp::from_secs(3600 * 500_000 + 60 * minute), ..told })
        };
        let first = || notification("email", vec![alert("a", true)]);
        assert_eq!(at(0, first()), at(59, first()));
        assert_ne!(at(59, first()), at(60, first()));
        let next = || after("x", &[("a", true)]);
        assert_eq!(at(59, next()), at(60, next()));
    }

    #[test]
    fn when_alerts_began_does_not_matter() {
        let first = notification("email", vec![alert("a", true)]);
        let later = Notification { alerts: vec![began_later(&first.alerts[0])], ..first.clone() };
        assert_eq!(identity(&first), identity(&later));
    }
}
