//! When a node that has started knows enough of the others to speak.

use std::time::{Duration, Instant};

/// How many rounds of gossip nothing may change once all have been compared with.
const STEADY_ROUNDS: u32 = 10;

/// How many rounds of gossip a node waits for somebody to answer: 10 seconds at the default, as Alertmanager does.
const LONELY_ROUNDS: u32 = 50;

/// A node that is starting, until it knows enough.
#[derive(Debug)]
pub(super) struct Settling {
    started: Instant,
    changed: Instant,
    round: Duration,
    longest: Duration,
    /// Whether there is anybody to wait for.
    expected: bool,
}

/// What is known of the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Whether somebody came or went since the last look.
    pub(super) changed: bool,
    /// Other living nodes.
    pub(super) others: usize,
    /// Whether all of them have been compared with.
    pub(super) compared: bool,
}

/// Why a node has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// There is nobody to wait for.
    Alone,
    /// Nobody has answered.
    Unanswered,
    /// It knows what the others know.
    Agreed,
    /// It waited for as long as it may.
    TimedOut,
}

impl Settling {
    /// Rounds of gossip follow each other after `round`; `expected` says whether other nodes are.
    pub(super) fn new(now: Instant, round: Duration, longest: Duration, expected: bool) -> Self {
        Self { started: now, changed: now, round, longest, expected }
    }

    /// Whether the node has settled by now, and why.
    pub(super) fn look(&mut self, seen: Seen, now: Instant) -> Option<Settled> {
        if seen.changed {
            self.changed = now;
        }
        let steady = now.duration_since(self.changed);
        if seen.others > 0 && seen.compared && steady >= self.round * STEADY_ROUNDS {
            return Some(Settled::Agreed);
        }
        if seen.others == 0 && !self.expected {
            return Some(Settled::Alone);
        }
        if seen.others == 0 && steady >= self.round * LONELY_ROUNDS {
            return Some(Settled::Unanswered);
        }
        (now.duration_since(self.started) >= self.longest).then_some(Settled::TimedOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: Duration = Duration::from_millis(200);
    const NOBODY: Seen = Seen { changed: false, others: 0, compared: true };

    fn settling(expected: bool) -> (Settling, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        (Settling::new(start, ROUND, Duration::from_secs(60), expected), move |s| start + Duration::from_secs(s))
    }

    #[test]
    fn who_expects_nobody_does_not_wait() {
        let (mut settling, at) = settling(false);
        assert_eq!(settling.look(NOBODY, at(0)), Some(Settled::Alone));
    }

    #[test]
    fn who_is_not_answered_waits_ten_seconds() {
        let (mut settling, at) = settling(true);
        assert_eq!(settling.look(NOBODY, at(9)), None);
        assert_eq!(settling.look(NOBODY, at(10)), Some(Settled::Unanswered));
    }

    #[test]
    fn who_has_compared_with_all_needs_two_steady_seconds() {
        let (mut settling, at) = settling(true);
        let met = Seen { others: 2, ..NOBODY };
        assert_eq!(settling.look(Seen { changed: true, compared: false, ..met }, at(5)), None);
        assert_eq!(settling.look(Seen { compared: false, ..met }, at(8)), None);
        assert_eq!(settling.look(Seen { changed: true, ..met }, at(9)), None);
        assert_eq!(settling.look(met, at(10)), None);
        assert_eq!(settling.look(met, at(11)), Some(Settled::Agreed));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let (mut settling, at) = settling(true);
        let never = Seen { changed: true, others: 1, compared: false };
        assert_eq!(settling.look(never, at(59)), None);
        assert_eq!(settling.look(never, at(60)), Some(Settled::TimedOut));
    }
}
