//! Recurring spans of civil time (`time_intervals`) and whether an instant lies in one.

mod parse;
mod print;

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub use self::parse::{
    TimeIntervalError, parse_day_range, parse_minute_of_day, parse_month_range, parse_time_range, parse_weekday_range,
    parse_year_range,
};
pub use self::print::{print_minute_of_day, print_range, print_weekday_range};
use crate::time::Timestamp;

/// One element of a named time interval: every field that is given must hold; the values of a field are
/// alternatives; a field given with no values never holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeInterval {
    /// Minutes of the day, start inclusive, end exclusive (0 to 1440).
    pub times: Option<Vec<Span>>,
    /// Days of the week, Sunday is 0, both ends inclusive.
    pub weekdays: Option<Vec<Span>>,
    /// Days of the month, both ends inclusive, -1 is the last day.
    pub days_of_month: Option<Vec<Span>>,
    /// Months, January is 1, both ends inclusive.
    pub months: Option<Vec<Span>>,
    /// Years, both ends inclusive.
    pub years: Option<Vec<Span>>,
    /// Where the clock stands that all of this is read from.
    pub location: TimeZone,
}

/// A first and a last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first value.
    pub first: i32,
    /// The last value (for times of day: the first value that is outside).
    pub last: i32,
}

impl TimeInterval {
    /// Whether `at` lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = self.location.to_datetime(instant(at));
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let weekday = i32::from(local.weekday().to_sunday_zero_offset());
        holds(self.times.as_deref(), |span| span.first <= minute && minute < span.last)
            && holds(self.weekdays.as_deref(), |span| span.includes(weekday))
            && holds(self.days_of_month.as_deref(), |span| {
                span.counted_from_the_start(local).includes(local.day().into())
            })
            && holds(self.months.as_deref(), |span| span.includes(local.month().into()))
            && holds(self.years.as_deref(), |span| span.includes(local.year().into()))
    }
}

impl Span {
    fn includes(self, value: i32) -> bool {
        self.first <= value && value <= self.last
    }

    /// Days of the month with the negative ones, which count from the month's end, replaced. The month's length is the
    /// calendar's. Alertmanager divides its hours by 24, so that a March that loses an hour has 30 days for it.
    fn counted_from_the_start(self, month: DateTime) -> Self {
        let length = i32::from(month.days_in_month());
        let day = |day: i32| if day < 0 { length + day + 1 } else { day };
        Self { first: day(self.first), last: day(self.last) }
    }
}

/// Whether a field that may not be given holds.
fn holds(spans: Option<&[Span]>, includes: impl Fn(Span) -> bool) -> bool {
    spans.is_none_or(|spans| spans.iter().any(|span| includes(*span)))
}

/// The same instant; the nearest one for those (past the year 9999, before -9999) that have no civil time.
fn instant(at: Timestamp) -> jiff::Timestamp {
    let nearest = if at < Timestamp::EPOCH { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(nearest)
}
