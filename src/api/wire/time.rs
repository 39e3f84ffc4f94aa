//! Times as the API reads and writes them: many forms in, RFC 3339 with milliseconds out, in the zone they came with.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use watchbell_engine::time::{Timestamp, UtcOffset};

/// An instant, and the zone in which it was or will be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct ZonedTime {
    pub(in crate::api) at: Timestamp,
    pub(in crate::api) offset: UtcOffset,
}

impl ZonedTime {
    /// An instant told in UTC.
    pub(in crate::api) fn utc(at: Timestamp) -> Self {
        Self { at, offset: UtcOffset(0) }
    }

    /// An instant told in the operator's zone.
    pub(in crate::api) fn local(at: Timestamp) -> Self {
        Self { at, offset: crate::clock::local_offset(at) }
    }

    /// The time unless it is Go's zero time, which clients send for "not given".
    pub(in crate::api) fn unless_zero(self) -> Option<Self> {
        (self.at != Timestamp::GO_ZERO).then_some(self)
    }

    /// Reads what Alertmanager's date-times allow: RFC 3339 with any fraction, its offset also without colon or not
    /// there at all (which means UTC), seconds that may be left out, a space for the `T`, a date alone. An empty text
    /// is the Unix epoch.
    pub(in crate::api) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let mut rest = Rest(text.as_bytes());
        let date = rest.date()?;
        let (time, micros, offset) = match rest.take() {
            None => (Time::midnight(), 0, UtcOffset(0)),
            Some(b'T') => rest.time_and_zone()?,
            Some(b' ') => {
                let (time, micros) = rest.time()?;
                (time, micros, UtcOffset(0))
            }
            Some(_) => return None,
        };
        rest.0.is_empty().then_some(())?;
        let civil = DateTime::from_parts(date, time);
        let seconds = Offset::UTC.to_timestamp(civil).ok()?.as_second() - i64::from(offset.0) * 60;
        Some(Self { at: Timestamp::from_micros(seconds * 1_000_000 + micros), offset })
    }
}

/// The part of a text that is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.0.first() == Some(&byte);
        if there {
            self.0 = &self.0[1..];
        }
        there
    }

    /// A number of exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i16> {
        (0..digits).try_fold(0, |number, _| {
            let digit = self.take().filter(u8::is_ascii_digit)? - b'0';
            Some(number * 10 + i16::from(digit))
        })
    }

    fn small(&mut self) -> Option<i8> {
        i8::try_from(self.number(2)?).ok()
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.number(4)?;
        self.expect(b'-')?;
        let month = self.small()?;
        self.expect(b'-')?;
        Date::new(year, month, self.small()?).ok()
    }

    /// `HH:MM:SS` with a fraction, which is returned in microseconds.
    fn time(&mut self) -> Option<(Time, i64)> {
        let (hour, minute) = self.hour_and_minute()?;
        self.expect(b':')?;
        let time = Time::new(hour, minute, self.small()?, 0).ok()?;
        Some((time, self.fraction()?))
    }

    /// What may follow the `T`: seconds may be missing, a zone may be missing, but a zone other than `Z` wants seconds.
    fn time_and_zone(&mut self) -> Option<(Time, i64, UtcOffset)> {
        let (hour, minute) = self.hour_and_minute()?;
        if !self.skip(b':') {
            self.skip(b'Z');
            return Some((Time::new(hour, minute, 0, 0).ok()?, 0, UtcOffset(0)));
        }
        let time = Time::new(hour, minute, self.small()?, 0).ok()?;
        Some((time, self.fraction()?, self.zone()?))
    }

    fn hour_and_minute(&mut self) -> Option<(i8, i8)> {
        let hour = self.small()?;
        self.expect(b':')?;
        Some((hour, self.small()?))
    }

    /// Microseconds; further digits are dropped.
    fn fraction(&mut self) -> Option<i64> {
        if !self.skip(b'.') && !self.skip(b',') {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
        (digits > 0).then(|| padded.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn zone(&mut self) -> Option<UtcOffset> {
        let sign = match self.take() {
            None | Some(b'Z') => return Some(UtcOffset(0)),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        let hours = self.number(2)?;
        self.skip(b':');
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(UtcOffset(sign * (hours * 60 + minutes)))
    }
}

/// A time as a text on the stack: a long answer has three of them for each alert.
struct Written {
    bytes: [u8; LONGEST],
    length: usize,
}

/// The length of `2026-11-23T14:00:00.123+02:00`.
const LONGEST: usize = 29;

impl Written {
    fn new(time: ZonedTime) -> Self {
        let offset = Offset::from_seconds(i32::from(time.offset.0) * 60).unwrap_or(Offset::UTC);
        let instant = jiff::Timestamp::from_microsecond(time.at.as_micros()).unwrap_or_default();
        let civil = offset.to_datetime(instant);
        let mut written = Self { bytes: *b"0000-00-00T00:00:00.000Z00:00", length: LONGEST - 5 };
        written.digits(0, 4, i32::from(civil.year()));
        written.digits(5, 2, i32::from(civil.month()));
        written.digits(8, 2, i32::from(civil.day()));
        written.digits(11, 2, i32::from(civil.hour()));
        written.digits(14, 2, i32::from(civil.minute()));
        written.digits(17, 2, i32::from(civil.second()));
        written.digits(20, 3, i32::from(civil.millisecond()));
        written.zone(offset.seconds() / 60);
        written
    }

    /// UTC is the `Z` that stands there already.
    fn zone(&mut self, minutes: i32) {
        if minutes == 0 {
            return;
        }
        self.bytes[23] = if minutes < 0 { b'-' } else { b'+' };
        self.digits(24, 2, minutes.abs() / 60);
        self.digits(27, 2, minutes.abs() % 60);
        self.length = LONGEST;
    }

    /// Writes a number that is not negative into `count` digits.
    fn digits(&mut self, at: usize, count: usize, mut number: i32) {
        for digit in self.bytes[at..at + count].iter_mut().rev() {
            *digit = b'0' + (number % 10).unsigned_abs() as u8;
            number /= 10;
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("it is ASCII")
    }
}

impl fmt::Display for ZonedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Written::new(*self).as_str())
    }
}

impl Serialize for ZonedTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Written::new(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for ZonedTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ZonedTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ZonedTime, E> {
                ZonedTime::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        ZonedTime::parse(text).map_or_else(|| "refused".to_owned(), |time| time.to_string())
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("2026-11-23T14:00:00Z", "2026-11-23T14:00:00.000Z"),
            ("2026-11-23T14:00:00.123456789+02:00", "2026-11-23T14:00:00.123+02:00"),
            ("2026-11-23T14:00:00.9-0530", "2026-11-23T14:00:00.900-05:30"),
            ("2026-11-23T14:00:00", "2026-11-23T14:00:00.000Z"),
            ("2026-11-23T14:00Z", "2026-11-23T14:00:00.000Z"),
            ("2026-11-23T14:00", "2026-11-23T14:00:00.000Z"),
            ("2026-11-23 14:00:00", "2026-11-23T14:00:00.000Z"),
            ("2026-11-23", "2026-11-23T00:00:00.000Z"),
            ("", "1970-01-01T00:00:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(told(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "now",
            "2026-11-23T14:00:00z",
            "2026-11-23t14:00:00Z",
            "2026-02-30",
            "2026-11-23T24:00:00Z",
            "2026-11-23T14:00:60Z",
            "2026-11-23T14:00:00+2",
            "2026-11-23T14:00:00.Z",
            "2026-11-23T14:00:00Z ",
            "2026-11-23T14:00+02:00",
            "2026-11-23 14:00:00Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert_eq!(told(text), "refused", "{text:?}");
        }
    }

    #[test]
    fn the_offset_shifts_the_instant() {
        let time = ZonedTime::parse("1970-01-01T01:00:00+01:00").unwrap();
        assert_eq!((time.at, time.offset), (Timestamp::EPOCH, UtcOffset(60)));
        assert_eq!(ZonedTime::parse("0001-01-01T01:00:00+01:00").unwrap().unless_zero(), None);
    }
}
