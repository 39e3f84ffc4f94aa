//! Spans of time as Go's `time.Duration` counts, writes and reads them: signed nanoseconds in 64 bits.

/// Why a text is no duration, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Neither `0` nor numbers with units, or more than 64 bits of nanoseconds can hold.
    #[error("time: invalid duration {}", quote(.0))]
    Invalid(String),
    /// A number with nothing behind it.
    #[error("time: missing unit in duration {}", quote(.0))]
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("time: unknown unit {} in duration {}", quote(unit), quote(text))]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// Reads a duration such as `300ms`, `-1.5h` or `2h45m` as nanoseconds: Go's `time.ParseDuration`.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (nanoseconds, after) = term(rest, text)?;
        total = total.checked_add(nanoseconds).filter(|total| *total <= MOST).ok_or_else(invalid)?;
        rest = after;
    }
    if text.starts_with('-') {
        Ok(0_i64.wrapping_sub_unsigned(total))
    } else {
        i64::try_from(total).map_err(|_| invalid())
    }
}

/// Writes a duration as Go's `Duration.String` does: `1h2m3.5s`, `1.5µs`, `0s`.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let text = match magnitude {
        0 => return "0s".to_owned(),
        1..MICROSECOND => format!("{magnitude}ns"),
        MICROSECOND..MILLISECOND => decimal(magnitude, MICROSECOND) + "µs",
        MILLISECOND..SECOND => decimal(magnitude, MILLISECOND) + "ms",
        _ => hours_minutes_seconds(magnitude),
    };
    format!("{sign}{text}")
}

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The magnitude of the most negative duration.
const MOST: u64 = 1 << 63;

/// Reads one number with its unit from the beginning of `rest`; `text` is the whole, for messages.
fn term<'t>(rest: &'t str, text: &str) -> Result<(u64, &'t str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (whole, after_whole) = split_digits(rest);
    let (fraction, after_number) = after_whole.strip_prefix('.').map_or(("", after_whole), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let unit_end = after_number.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after_number.len());
    let (unit, after) = after_number.split_at(unit_end);
    let scale = scale(unit, text)?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
    let nanoseconds = whole.checked_mul(scale).and_then(|n| n.checked_add(fraction_of(fraction, scale)));
    nanoseconds.filter(|n| *n <= MOST).map(|n| (n, after)).ok_or_else(invalid)
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// How many nanoseconds a unit is.
fn scale(unit: &str, text: &str) -> Result<u64, DurationError> {
    match unit {
        "ns" => Ok(1),
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(MICROSECOND),
        "ms" => Ok(MILLISECOND),
        "s" => Ok(SECOND),
        "m" => Ok(MINUTE),
        "h" => Ok(HOUR),
        "" => Err(DurationError::MissingUnit(text.to_owned())),
        _ => Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() }),
    }
}

/// The nanoseconds in `0.digits` of a unit. Go counts them in floating point, and ignores digits past 63 bits: done
/// the same way here, they agree to the last nanosecond.
fn fraction_of(digits: &str, scale: u64) -> u64 {
    const FULL: u64 = i64::MAX as u64 / 10;
    let (mut value, mut divisor) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        if value > FULL {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        divisor *= 10.0;
    }
    (value as f64 * (scale as f64 / divisor)) as u64
}

/// As Go's `time` quotes in its errors: unlike `strconv`, byte by byte.
fn quote(text: &str) -> String {
    let escaped: String = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            ..b' ' | 0x80.. => format!("\\x{byte:02x}"),
            _ => char::from(byte).to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn hours_minutes_seconds(nanoseconds: u64) -> String {
    let seconds = decimal(nanoseconds % MINUTE, SECOND) + "s";
    match (nanoseconds / HOUR, nanoseconds / MINUTE % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// `value` in units of `unit`, with as many decimals as it needs.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{fraction:0width$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::strconv_and_time;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for case in strconv_and_time("duration") {
            let text = case["duration"].as_str().expect("a duration is a text");
            match parse(text) {
                Ok(nanoseconds) => assert_eq!(case["ns"], nanoseconds, "{text}"),
                Err(error) => assert_eq!(case["error"], error.to_string(), "{text}"),
            }
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them_and_read_back() {
        for case in strconv_and_time("format") {
            let nanoseconds = case["format"].as_i64().expect("nanoseconds are a number");
            assert_eq!(case["text"], format(nanoseconds));
            assert_eq!(parse(&format(nanoseconds)), Ok(nanoseconds));
        }
    }
}
