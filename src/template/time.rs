//! Instants as templates see them: Go's `time.Time`, with its zone and its zero in the year 1.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds from the zero time (0001-01-01 00:00:00 UTC) to the Unix epoch.
pub(crate) const ZERO_SECONDS: i64 = -62_135_596_800;

/// An instant with the zone that it is shown in.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    /// Since the Unix epoch.
    pub(crate) seconds: i64,
    /// Within the second, below 1,000,000,000.
    pub(crate) nanoseconds: u32,
    pub(crate) zone: Zone,
}

/// The zone of a time, as Go's `*time.Location` tells them apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Zone {
    Utc,
    /// The zone of the machine.
    Local(TimeZone),
    /// A zone of the time zone database.
    Named(TimeZone),
    /// An offset in seconds, with the abbreviation that it was read with, if any.
    Fixed {
        abbreviation: String,
        offset: i32,
    },
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

    fn new(instant: Timestamp, zone: Zone) -> Self {
        let nanoseconds = instant.as_nanosecond();
        let seconds = nanoseconds.div_euclid(1_000_000_000);
        let rest = nanoseconds.rem_euclid(1_000_000_000);
        Self {
            seconds: seconds.try_into().expect("a timestamp's seconds fit"),
            nanoseconds: rest.try_into().expect("less than a second"),
            zone,
        }
    }

    /// Whether this is the zero time.
    pub fn is_zero(&self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanoseconds == 0
    }
}

/// Go's zero time: the first moment of the year 1, in UTC.
impl Default for Time {
    fn default() -> Self {
        Self { seconds: ZERO_SECONDS, nanoseconds: 0, zone: Zone::Utc }
    }
}
