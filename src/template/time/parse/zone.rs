//! Zones in a text that is read as a time: offsets and abbreviations.

use super::Misfit;
use super::scan::digits;
use crate::time::Zone;
use crate::time::layout::Offset;

/// Half a year in seconds: with summer time a zone has other clocks then.
const HALF_YEAR: i64 = 182 * 86_400;

/// An offset such as `+01:00`, in seconds, in the form that the layout says.
pub(super) fn offset(text: &str, form: Offset) -> Result<(i64, &str), Misfit> {
    let sign = match text.bytes().next() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(Misfit::Syntax),
    };
    let (hours, mut left) = digits(&text[1..], 2, 2)?;
    let (mut minutes, mut seconds) = (0, 0);
    if form.minutes {
        (minutes, left) = colon_digits(left, form.colons)?;
    }
    if form.seconds {
        (seconds, left) = colon_digits(left, form.colons)?;
    }
    for (number, largest, what) in [
        (seconds, 59, "time zone offset second"),
        (minutes, 59, "time zone offset minute"),
        (hours, 24, "time zone offset hour"),
    ] {
        if number > largest {
            return Err(Misfit::Range(what));
        }
    }
    Ok((sign * (hours * 3600 + minutes * 60 + seconds), left))
}

fn colon_digits(text: &str, colon: bool) -> Result<(i64, &str), Misfit> {
    let text = if colon { text.strip_prefix(':').ok_or(Misfit::Syntax)? } else { text };
    digits(text, 2, 2)
}

/// The length of the zone's abbreviation at the start of `text`, by the forms that Go takes for one.
pub(super) fn name_length(text: &str) -> Option<usize> {
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(hours) = text.strip_prefix("GMT") {
        return Some(3 + signed_hours(hours).unwrap_or(0));
    }
    if text.starts_with(['+', '-']) {
        return signed_hours(text);
    }
    let letters = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
    match letters {
        3 => Some(3),
        4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => Some(4),
        5 if text.as_bytes()[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of a sign and a number of hours up to 23.
fn signed_hours(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-'])?;
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits[..length].parse::<u32>().ok()?;
    (hours <= 23).then_some(1 + length)
}

/// The offset that an abbreviation stands for in a zone, at this time of the year or at the opposite one.
pub(super) fn offset_of_name(zone: &Zone, name: &str, seconds: i64) -> Option<i32> {
    let at = |instant| (zone.abbreviation(instant) == name).then(|| zone.offset(instant));
    at(seconds).or_else(|| at(seconds + HALF_YEAR)).or_else(|| at(seconds - HALF_YEAR))
}
