//! Recurring spans of civil time (`time_intervals`) and whether an instant lies in one.

use jiff::tz::TimeZone;

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
        let _ = at;
        todo!()
    }
}
