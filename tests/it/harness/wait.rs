//! Waiting for a condition, with a deadline. Nothing in these tests waits for a time to pass without looking.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what should come within a moment, on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks until there is something to return; fails the test, saying `what` was awaited, when `PATIENCE` is over.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, look)
}

/// As `eventually`, with a deadline of the caller's.
pub(crate) fn eventually_within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain until {what}");
        thread::sleep(LOOK_AGAIN);
    }
}

/// Waits until the hour of the clock is to last for `span` at least: what begins is named by the hour in which it is told.
pub(crate) fn wait_for_an_hour_of(span: Duration) {
    let rest = || 3600 - jiff::Timestamp::now().as_second().cast_unsigned() % 3600;
    eventually_within(2 * span, "another hour begins", || (rest() > span.as_secs()).then_some(()));
}

/// Looks all through `span` and returns the first thing seen, if any: how a test shows that something does not happen.
pub(crate) fn seen_within<T>(span: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + span;
    while Instant::now() < end {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(LOOK_AGAIN);
    }
    look()
}
