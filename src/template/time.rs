//! Instants as templates see them: Go's `time.Time`, with its zone and its zero in the year 1. The calendar is in
//! `civil`; layouts, which Go uses to print and read times, are in `layout`, `format` and `parse`.

mod civil;
mod format;
mod layout;
mod parse;
mod zone;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use civil::{Civil, MONTHS, WEEKDAYS};
pub(crate) use zone::Zone;

const NANOSECONDS: i64 = 1_000_000_000;
/// Seconds from the zero time (0001-01-01 00:00:00 UTC) to the Unix epoch.
const ZERO_SECONDS: i64 = -62_135_596_800;

/// An instant with the zone that it is shown in.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// Since the Unix epoch.
    pub(crate) seconds: i64,
    /// Within the second, below 1,000,000,000.
    pub(crate) nanoseconds: u32,
    pub(crate) zone: Zone,
}

impl Time {
    /// `instant` in UTC.
    pub fn utc(instant: Timestamp) -> Self {
        Self::new(instant, Zone::Utc)
    }

    /// `instant` in the zone of the machine.
    pub fn local(instant: Timestamp, zone: TimeZone) -> Self {
        Self::new(instant, Zone::Local(zone))
    }

    /// Reads a time of RFC 3339 as Go reads it from JSON: an offset that is the machine's at that instant means the
    /// machine's zone, any other a nameless zone of its own.
    ///
    /// # Errors
    /// What does not fit, in Go's words.
    pub fn parse_rfc3339(text: &str, local: &TimeZone) -> Result<Self, String> {
        Self::parse("2006-01-02T15:04:05Z07:00", text, local)
    }

    /// Whether this is the zero time.
    pub fn is_zero(&self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanoseconds == 0
    }

    fn new(instant: Timestamp, zone: Zone) -> Self {
        let nanoseconds = instant.as_nanosecond();
        let whole = nanoseconds.div_euclid(NANOSECONDS.into());
        let rest = nanoseconds.rem_euclid(NANOSECONDS.into());
        Self {
            seconds: whole.try_into().expect("a timestamp's seconds fit"),
            nanoseconds: rest.try_into().expect("less than a second"),
            zone,
        }
    }

    /// The same instant, shown in `zone`.
    pub(crate) fn within(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    /// The calendar's reading of the instant in its zone.
    pub(crate) fn civil(&self) -> Civil {
        Civil::of(self.seconds.wrapping_add(self.zone.offset(self.seconds).into()))
    }

    /// Whether the zone has its summer clocks at this instant.
    pub(crate) fn is_summer_time(&self) -> bool {
        self.zone.is_summer_time(self.seconds)
    }

    /// The time `nanoseconds` later.
    pub(crate) fn plus(&self, nanoseconds: i64) -> Self {
        let within = i64::from(self.nanoseconds) + nanoseconds.rem_euclid(NANOSECONDS);
        let seconds = nanoseconds.div_euclid(NANOSECONDS) + within.div_euclid(NANOSECONDS);
        Self {
            seconds: self.seconds.wrapping_add(seconds),
            nanoseconds: within.rem_euclid(NANOSECONDS) as u32,
            zone: self.zone.clone(),
        }
    }

    /// The nanoseconds from `earlier` to this time, or the nearest number that Go's durations can hold.
    pub(crate) fn since(&self, earlier: &Self) -> i64 {
        let span = self.since_year_one() - earlier.since_year_one();
        span.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// The same time of day some years, months and days away; days that a month does not have run over.
    pub(crate) fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let day = civil::days_to_month(civil.year.wrapping_add(years), i64::from(civil.month) - 1, months);
        let day = day.wrapping_add(i64::from(civil.day) - 1).wrapping_add(days);
        let local = day.wrapping_mul(civil::DAY_SECONDS).wrapping_add(civil.second_of_day());
        Self { seconds: self.zone.instant(local), ..self.clone() }
    }

    /// The time rounded down, or half up, to a multiple of `nanoseconds` since the zero time.
    pub(crate) fn to_multiple(&self, nanoseconds: i64, half_up: bool) -> Self {
        if nanoseconds <= 0 {
            return self.clone();
        }
        let rest = self.since_year_one().rem_euclid(nanoseconds.into()) as i64;
        let up = half_up && rest >= nanoseconds - rest;
        self.plus(if up { nanoseconds - rest } else { -rest })
    }

    pub(crate) fn seconds_since_year_one(&self) -> i64 {
        self.seconds.wrapping_sub(ZERO_SECONDS)
    }

    fn since_year_one(&self) -> i128 {
        i128::from(self.seconds_since_year_one()) * i128::from(NANOSECONDS) + i128::from(self.nanoseconds)
    }

    /// The instant, whatever the zone: what Go's `Equal`, `Before` and `After` compare.
    pub(crate) fn instant(&self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }
}

/// Go's zero time: the first moment of the year 1, in UTC.
impl Default for Time {
    fn default() -> Self {
        Self { seconds: ZERO_SECONDS, nanoseconds: 0, zone: Zone::Utc }
    }
}
