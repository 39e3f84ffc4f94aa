//! An alert: what it says, when it began and when it ends, and how two reports of the same alert become one.

pub mod posted;

use std::sync::Arc;

use smol_str::SmolStr;

use crate::label::{Fingerprint, Labels};
use crate::time::{Timestamp, UtcOffset};

/// One alert as last reported. Shared and never changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What identifies the alert; never empty, no value empty.
    pub labels: Labels,
    /// What people are told besides.
    pub annotations: Labels,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// The sender's zone in `starts_at`.
    pub starts_offset: UtcOffset,
    /// When it is over unless reported again; in the future while it fires.
    pub ends_at: Timestamp,
    /// The sender's zone in `ends_at`.
    pub ends_offset: UtcOffset,
    /// When this report arrived.
    pub updated_at: Timestamp,
    /// Where the alert comes from; may be empty.
    pub generator_url: SmolStr,
    /// Whether `ends_at` was computed from `resolve_timeout`, not given by the sender.
    pub timeout: bool,
}

impl Alert {
    /// Whether the alert is over at `now`.
    pub fn is_resolved(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// The fingerprint of its labels.
    pub fn fingerprint(&self) -> Fingerprint {
        self.labels.fingerprint()
    }
}

/// What is stored when `new` arrives while `old` is known under the same fingerprint (Alertmanager's rule: reports
/// are united only if their spans overlap strictly; otherwise the new one replaces the old).
pub fn merge(old: &Arc<Alert>, new: Arc<Alert>, now: Timestamp) -> Arc<Alert> {
    let overlap = (old.starts_at < new.ends_at && new.ends_at < old.ends_at)
        || (old.starts_at < new.starts_at && new.starts_at < old.ends_at);
    if !overlap {
        return new;
    }
    let (earlier, later) = if new.updated_at < old.updated_at { (&new, old) } else { (old, &new) };
    let mut merged = Alert::clone(later);
    if earlier.starts_at < merged.starts_at {
        (merged.starts_at, merged.starts_offset) = (earlier.starts_at, earlier.starts_offset);
    }
    if keeps_earlier_end(earlier, later, now) {
        (merged.ends_at, merged.ends_offset) = (earlier.ends_at, earlier.ends_offset);
    }
    Arc::new(merged)
}

/// An explicit end in the future is not shortened by a computed one; of two ends in the past the later holds.
fn keeps_earlier_end(earlier: &Alert, later: &Alert, now: Timestamp) -> bool {
    let longer = earlier.ends_at > later.ends_at;
    if later.is_resolved(now) { longer && earlier.is_resolved(now) } else { longer && !earlier.timeout }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(starts: i64, ends: i64, updated: i64, timeout: bool) -> Arc<Alert> {
        Arc::new(Alert {
            labels: Labels::from_iter([("alertname", "A")]),
            annotations: Labels::default(),
            starts_at: Timestamp::from_secs(starts),
            starts_offset: UtcOffset::default(),
            ends_at: Timestamp::from_secs(ends),
            ends_offset: UtcOffset::default(),
            updated_at: Timestamp::from_secs(updated),
            generator_url: SmolStr::default(),
            timeout,
        })
    }

    fn merged(old: Arc<Alert>, new: Arc<Alert>, now: i64) -> (i64, i64) {
        let alert = merge(&old, new, Timestamp::from_secs(now));
        (alert.starts_at.as_secs(), alert.ends_at.as_secs())
    }

    #[test]
    fn a_resend_or_a_disjoint_span_replaces() {
        assert_eq!(merged(alert(10, 20, 1, false), alert(10, 30, 2, false), 5), (10, 30));
        assert_eq!(merged(alert(10, 20, 1, false), alert(30, 40, 2, false), 5), (30, 40));
    }

    #[test]
    fn overlapping_spans_keep_the_earlier_start() {
        assert_eq!(merged(alert(10, 30, 1, true), alert(20, 40, 2, true), 25), (10, 40));
    }

    #[test]
    fn an_explicit_end_ahead_outlives_a_computed_one_only() {
        assert_eq!(merged(alert(10, 50, 1, false), alert(10, 40, 2, true), 25), (10, 50));
        assert_eq!(merged(alert(10, 50, 1, true), alert(10, 40, 2, true), 25), (10, 40));
    }

    #[test]
    fn a_resolved_report_ends_what_still_fired() {
        assert_eq!(merged(alert(10, 50, 1, false), alert(10, 24, 2, false), 25), (10, 24));
        assert_eq!(merged(alert(10, 24, 1, false), alert(10, 23, 2, false), 25), (10, 24));
    }
}
