//! A clock that is set back. What is waited for is a span of time, and would be waited for longer by as much as the clock
//! was set back; a page must not. Records keep the times that they bear. A clock that is set forward only makes what
//! waits due earlier.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::delivery::{Batch, Delivery};
use crate::engine::Engine;
use crate::group::Group;
use crate::silence::SilenceState;
use crate::time::Timestamp;
use crate::timer::Timer;

/// Corrections up to this are waited out.
const SLEW: Duration = Duration::from_secs(2);

impl Engine {
    /// Notices that the clock was set back since it was looked at last, and moves what waits by as much.
    pub(crate) fn follow_clock(&mut self, now: Timestamp) {
        let (before, back) = (self.latest, self.latest.since(now));
        if back <= SLEW {
            self.latest = self.latest.max(now);
            return;
        }
        self.latest = now;
        let is_a_span = |timer: &Timer| {
            use Timer::{AlertGc, Delivery, Flush, Heartbeat, Vigil};
            matches!(timer, Flush(_) | Delivery(_) | AlertGc | Vigil(_) | Heartbeat(_))
        };
        self.timers.pull(back, is_a_span);
        Arc::make_mut(&mut self.view.groups).values_mut().for_each(|group| Arc::make_mut(group).pull(back));
        self.deliveries.values_mut().for_each(|delivery| delivery.pull(back));
        self.turns.pull(back);
        self.watch.pull(back);
        (self.hold_until, self.start_at) = (self.hold_until - back, self.start_at - back);
        self.reopen_silences(now);
        self.rewind_alerts(before, now);
    }

    /// What is reported from now on is newer than what was reported before, and what was over stays so.
    fn rewind_alerts(&mut self, before: Timestamp, now: Timestamp) {
        let ahead = self.view.alerts.iter().filter(|(_, slot)| slot.alert.updated_at > now);
        let ahead: Vec<_> = ahead.map(|(fingerprint, slot)| (fingerprint, Arc::clone(&slot.alert))).collect();
        for (fingerprint, alert) in ahead {
            let rewound = Arc::new(rewound(&alert, before, now));
            self.store_alert(now, fingerprint, Some(&alert), &rewound);
        }
    }

    /// A silence that was over may hush again.
    fn reopen_silences(&mut self, now: Timestamp) {
        let open = self.view.silences.iter().filter(|silence| silence.state(now) != SilenceState::Expired);
        for silence in open.cloned().collect::<Vec<_>>() {
            self.timers.set(Timer::SilenceEnds(silence.id), silence.ends_at);
            Arc::make_mut(&mut self.view.silences).insert(silence, now);
        }
    }
}

/// An alert as it would have been reported at `now` by a clock that went on from there instead of from `before`.
pub(crate) fn rewound(alert: &Alert, before: Timestamp, now: Timestamp) -> Alert {
    let ends_at = if alert.is_resolved(before) { alert.ends_at.min(now) } else { alert.ends_at };
    Alert { updated_at: now, starts_at: alert.starts_at.min(ends_at), ends_at, ..alert.clone() }
}

impl Group {
    fn pull(&mut self, back: Duration) {
        self.next_flush = self.next_flush - back;
        if let Some(open) = &mut self.open {
            open.at = open.at - back;
        }
    }
}

impl Delivery {
    fn pull(&mut self, back: Duration) {
        self.batch = pulled(&self.batch, back);
        self.next = self.next.as_ref().map(|next| pulled(next, back));
        (self.waits_since, self.not_before) = (self.waits_since - back, self.not_before - back);
        self.deadline = self.deadline.map(|at| at - back);
        self.announced_at = self.announced_at.map(|at| at - back);
    }
}

fn pulled(batch: &Batch, back: Duration) -> Arc<Batch> {
    let mut batch = batch.clone();
    batch.flushed_at = batch.flushed_at - back;
    Arc::new(batch)
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;
    use crate::alert::merge;
    use crate::label::Labels;
    use crate::time::UtcOffset;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn alert(starts: i64, ends: i64, updated: i64) -> Alert {
        Alert {
            labels: Labels::from_iter([("alertname", "A")]),
            annotations: Labels::default(),
            starts_at: at(starts),
            starts_offset: UtcOffset::default(),
            ends_at: at(ends),
            ends_offset: UtcOffset::default(),
            updated_at: at(updated),
            generator_url: SmolStr::default(),
            timeout: false,
        }
    }

    #[test]
    fn what_was_over_stays_so_and_fires_again_when_it_is_reported() {
        let over = Arc::new(rewound(&alert(100, 900, 900), at(1000), at(500)));
        assert!(over.is_resolved(at(500)));
        let fires = merge(&over, Arc::new(alert(450, 800, 560)), at(560));
        assert!(!fires.is_resolved(at(560)), "a report of a clock that was set back is not an old one");
    }

    #[test]
    fn what_fired_goes_on_until_its_sender_says_otherwise() {
        let fires = Arc::new(rewound(&alert(100, 1100, 900), at(1000), at(500)));
        assert!(!fires.is_resolved(at(500)));
        assert!(merge(&fires, Arc::new(alert(100, 540, 560)), at(560)).is_resolved(at(560)));
    }
}
