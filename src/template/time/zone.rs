//! Time zones as Go's `*time.Location` tells them apart. The time zone database is part of the program: nothing is read
//! from the machine.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The zone of a time.
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

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// The zone of this name, as Go's `LoadLocation` finds it.
    pub(crate) fn load(name: &str, local: &TimeZone) -> Result<Self, String> {
        match name {
            "" | "UTC" => Ok(Self::Utc),
            "Local" => Ok(Self::Local(local.clone())),
            _ => DATABASE.get(name).map(Self::Named).map_err(|_| format!("unknown time zone {name}")),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Utc => "UTC".into(),
            Self::Local(zone) => zone.iana_name().unwrap_or("Local").into(),
            Self::Named(zone) => zone.iana_name().unwrap_or_default().into(),
            Self::Fixed { abbreviation, .. } => abbreviation.clone(),
        }
    }

    /// Seconds east of Greenwich at an instant of the Unix clock.
    pub(super) fn offset(&self, seconds: i64) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Local(zone) | Self::Named(zone) => zone.to_offset(nearest(seconds)).seconds(),
            Self::Fixed { offset, .. } => *offset,
        }
    }

    /// The zone's abbreviation at an instant; empty if it has none.
    pub(super) fn abbreviation(&self, seconds: i64) -> String {
        match self {
            Self::Utc => "UTC".into(),
            Self::Local(zone) | Self::Named(zone) => zone.to_offset_info(nearest(seconds)).abbreviation().into(),
            Self::Fixed { abbreviation, .. } => abbreviation.clone(),
        }
    }

    pub(super) fn is_summer_time(&self, seconds: i64) -> bool {
        match self {
            Self::Local(zone) | Self::Named(zone) => zone.to_offset_info(nearest(seconds)).dst().is_dst(),
            Self::Utc | Self::Fixed { .. } => false,
        }
    }

    /// The instant at which clocks of this zone show `local`, given as if it were UTC. Where a clock was changed, Go's
    /// choice: the offset that holds at the instant that a first guess led to.
    pub(super) fn instant(&self, local: i64) -> i64 {
        let guess = local.wrapping_sub(self.offset(local).into());
        local.wrapping_sub(self.offset(guess).into())
    }
}

/// The instant nearest to `seconds` for which offsets are known.
fn nearest(seconds: i64) -> Timestamp {
    let known = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(known).expect("clamped to the range of timestamps")
}
