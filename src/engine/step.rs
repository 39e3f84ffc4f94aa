//! A clock that is set back. What is waited for is a span of time, and would be waited for longer by as much as the clock
//! was set back; a page must not. Records keep the times that they bear. A clock that is set forward only makes what
//! waits due earlier.

use std::sync::Arc;
use std::time::Duration;

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
        let back = self.latest.since(now);
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
