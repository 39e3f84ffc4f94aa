//! Wall time. Nothing else in the program asks the system what time it is.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use watchbell_engine::time::{Timestamp, UtcOffset};

/// The time now; never earlier than any time told before in this process.
///
/// When the system clock is set back, time goes on at half its speed until the system clock has caught up, so that
/// timers neither stall nor run away.
pub fn now() -> Timestamp {
    static LAST: Mutex<Option<Reading>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let reading = Reading { told: system_time(), at: Instant::now() };
    let next = last.map_or(reading, |last| last.followed_by(reading));
    *last = Some(next);
    next.told
}

/// How far the operator's clock stands from UTC at `at`.
pub fn local_offset(at: Timestamp) -> UtcOffset {
    let zone = TimeZone::system();
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    let minutes = zone.to_offset(instant).seconds() / 60;
    UtcOffset(i16::try_from(minutes).unwrap_or(0))
}

/// A time that was told, and when on the clock that only runs forward.
#[derive(Clone, Copy)]
struct Reading {
    told: Timestamp,
    at: Instant,
}

impl Reading {
    fn followed_by(self, system: Self) -> Self {
        let elapsed = system.at.saturating_duration_since(self.at);
        Self { told: system.told.max(self.told + elapsed / 2), at: system.at }
    }
}

fn system_time() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::EPOCH + since_epoch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_slows_time_but_never_turns_it() {
        let start = Instant::now();
        let reading = |seconds, elapsed| Reading {
            told: Timestamp::from_secs(seconds),
            at: start + Duration::from_secs(elapsed),
        };
        let ahead = reading(1000, 0).followed_by(reading(900, 10));
        assert_eq!(ahead.told, Timestamp::from_secs(1005));
        assert_eq!(ahead.followed_by(reading(1200, 20)).told, Timestamp::from_secs(1200));
    }
}
