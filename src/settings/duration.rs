//! Spans of time in the two spellings that a configuration has: Prometheus' and Go's.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span in Prometheus' spelling: `1d2h30m`, units falling, whole numbers, at least a millisecond or `0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrometheusDuration(pub Duration);

/// A span in Go's spelling: `1.5h`, `-10ms`; a bare YAML integer counts nanoseconds. Negative ones count as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub Duration);

/// Prometheus' units, largest first: name, milliseconds, and whether it is printed only if nothing is left over.
const UNITS: [(&str, u64, bool); 7] = [
    ("y", 365 * 24 * 3_600_000, true),
    ("w", 7 * 24 * 3_600_000, true),
    ("d", 24 * 3_600_000, false),
    ("h", 3_600_000, false),
    ("m", 60_000, false),
    ("s", 1_000, false),
    ("ms", 1, false),
];

/// The longest span that Go can hold, in milliseconds.
const MAX_MILLIS: u64 = i64::MAX as u64 / 1_000_000;

impl PrometheusDuration {
    /// Whether the span is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl TryFrom<String> for PrometheusDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "" => Err("empty duration string".to_owned()),
            "0" => Ok(Self::default()),
            _ => Ok(Self(Duration::from_millis(millis(&text)?))),
        }
    }
}

/// Reads `<number><unit>` again and again; each unit must be smaller than the one before.
fn millis(text: &str) -> Result<u64, String> {
    let malformed = || format!("not a valid duration string: {text:?} (write it like 30s, 5m or 1d12h)");
    let (mut rest, mut total, mut units) = (text, 0_u64, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let unit = tail.len() - tail.trim_start_matches(|c: char| !c.is_ascii_digit()).len();
        let (unit, tail) = tail.split_at(unit);
        if number.is_empty() || unit.is_empty() {
            return Err(malformed());
        }
        let known = UNITS.iter().any(|(name, ..)| *name == unit);
        if !known {
            return Err(format!("unknown unit {unit:?} in duration {text:?} (units are y, w, d, h, m, s and ms)"));
        }
        let place = units.iter().position(|(name, ..)| *name == unit).ok_or_else(malformed)?;
        total = add(total, number, units[place].1).ok_or_else(|| "duration out of range".to_owned())?;
        (rest, units) = (tail, &units[place + 1..]);
    }
    Ok(total)
}

fn add(total: u64, number: &str, unit: u64) -> Option<u64> {
    let sum = number.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(total)?;
    (sum <= MAX_MILLIS).then_some(sum)
}

impl From<PrometheusDuration> for String {
    fn from(span: PrometheusDuration) -> Self {
        span.to_string()
    }
}

impl fmt::Display for PrometheusDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0s");
        }
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        for (name, unit, whole) in UNITS {
            if rest >= unit && !(whole && rest % unit != 0) {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl GoDuration {
    /// Whether the span is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(GoDurationVisitor)
    }
}

struct GoDurationVisitor;

impl Visitor<'_> for GoDurationVisitor {
    type Value = GoDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as 10s")
    }

    fn visit_u64<E: Error>(self, nanoseconds: u64) -> Result<GoDuration, E> {
        Ok(GoDuration(Duration::from_nanos(nanoseconds)))
    }

    fn visit_i64<E: Error>(self, nanoseconds: i64) -> Result<GoDuration, E> {
        Ok(GoDuration(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<GoDuration, E> {
        self.visit_i64(watchbell_golang::duration::parse(text).map_err(E::custom)?)
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&watchbell_golang::duration::format(i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
