//! Reading the values of a time interval's fields: `monday:friday`, `-3:-1`, `march`, `08:00`.

use std::num::IntErrorKind;

use watchbell_golang::quote::quote;

use super::Span;
use super::print::{MONTHS, WEEKDAYS};

/// Why a value is not what its field takes. The texts are Alertmanager's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeIntervalError {
    /// More than one colon.
    #[error("couldn't parse range {0}, invalid format")]
    RangeFormat(String),
    /// No full English name of a day.
    #[error("{0} is not a valid weekday")]
    Weekday(String),
    /// Weeks begin on Sunday, and a range does not reach into the next.
    #[error("start day cannot be before end day")]
    WeekdayOrder,
    /// No whole number.
    #[error("strconv.Atoi: parsing {}: invalid syntax", quote(.0))]
    NotANumber(String),
    /// A whole number of more than 64 bits.
    #[error("strconv.Atoi: parsing {}: value out of range", quote(.0))]
    NumberTooLarge(String),
    /// Neither 1 to 31 nor -1 to -31.
    #[error("{0} is not a valid day of the month: out of range")]
    DayOfMonth(i32),
    /// From a day that counts from the end of the month to one that counts from its beginning.
    #[error("end day must be negative if start day is negative")]
    DayOfMonthSign,
    /// The end lies before the start, at least in a month of 28 days.
    #[error("end day {} is always before start day {}", .0.last, .0.first)]
    DayOfMonthOrder(Span),
    /// Neither a full English name of a month nor a number.
    #[error("{0} is not a valid month")]
    Month(String),
    /// The end lies before the start.
    #[error("end month {} is before start month {}", month_name(.0.last), month_name(.0.first))]
    MonthOrder(Span),
    /// The end lies before the start.
    #[error("end year {} is before start year {}", .0.last, .0.first)]
    YearOrder(Span),
    /// Not `HH:MM` from `00:00` to `24:00`.
    #[error("couldn't parse timestamp {0}, invalid format")]
    TimeOfDay(String),
    /// A span of time has no length, or a negative one.
    #[error("start time cannot be equal or greater than end time")]
    TimeOrder,
    /// A span of time without a start or an end.
    #[error("both start and end times must be provided")]
    TimeMissing,
}

/// Reads `sunday` or `monday:friday`, in any case; Sunday is 0.
pub fn parse_weekday_range(text: &str) -> Result<Span, TimeIntervalError> {
    let span = range(text, weekday)?;
    if span.last < span.first { Err(TimeIntervalError::WeekdayOrder) } else { Ok(span) }
}

/// Reads `1`, `1:5` or `-3:-1`; -1 is the last day of the month.
pub fn parse_day_range(text: &str) -> Result<Span, TimeIntervalError> {
    const SHORTEST_MONTH: i32 = 28;
    let span = range(text, number)?;
    if let Some(day) = [span.first, span.last].into_iter().find(|day| *day == 0 || !(-31..=31).contains(day)) {
        return Err(TimeIntervalError::DayOfMonth(day));
    }
    if span.first < 0 && span.last > 0 {
        return Err(TimeIntervalError::DayOfMonthSign);
    }
    let from_start = |day: i32| if day < 0 { SHORTEST_MONTH + day } else { day };
    if from_start(span.last) < from_start(span.first) {
        return Err(TimeIntervalError::DayOfMonthOrder(span));
    }
    Ok(span)
}

/// Reads `january`, `january:march` or `1:3`, in any case. Numbers that no month has are taken, and never hold.
pub fn parse_month_range(text: &str) -> Result<Span, TimeIntervalError> {
    let span = range(text, month)?;
    if span.last < span.first { Err(TimeIntervalError::MonthOrder(span)) } else { Ok(span) }
}

/// Reads `2024` or `2025:2027`.
pub fn parse_year_range(text: &str) -> Result<Span, TimeIntervalError> {
    let span = range(text, number)?;
    if span.last < span.first { Err(TimeIntervalError::YearOrder(span)) } else { Ok(span) }
}

/// Reads a start and an end, both `HH:MM`, as minutes of the day; the end is outside.
pub fn parse_time_range(start: &str, end: &str) -> Result<Span, TimeIntervalError> {
    if start.is_empty() || end.is_empty() {
        return Err(TimeIntervalError::TimeMissing);
    }
    let span = Span { first: parse_minute_of_day(start)?, last: parse_minute_of_day(end)? };
    if span.first < span.last { Ok(span) } else { Err(TimeIntervalError::TimeOrder) }
}

/// Reads `HH:MM`, from `00:00` to `24:00`, as the minutes since midnight.
pub fn parse_minute_of_day(text: &str) -> Result<i32, TimeIntervalError> {
    let invalid = || TimeIntervalError::TimeOfDay(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(invalid)?;
    match (two_digits(hour).ok_or_else(invalid)?, two_digits(minute).ok_or_else(invalid)?) {
        (hour @ 0..24, minute @ 0..60) => Ok(hour * 60 + minute),
        (24, 0) => Ok(24 * 60),
        _ => Err(invalid()),
    }
}

fn two_digits(text: &str) -> Option<i32> {
    let well_formed = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if well_formed { text.parse().ok() } else { None }
}

/// Reads one value, or two with a colon between.
fn range(text: &str, value: fn(&str) -> Result<i32, TimeIntervalError>) -> Result<Span, TimeIntervalError> {
    let text = text.to_lowercase();
    match text.split_once(':') {
        None => value(&text).map(|only| Span { first: only, last: only }),
        Some((_, last)) if last.contains(':') => Err(TimeIntervalError::RangeFormat(text)),
        Some((first, last)) => Ok(Span { first: value(first)?, last: value(last)? }),
    }
}

fn weekday(text: &str) -> Result<i32, TimeIntervalError> {
    let named = (0..).zip(WEEKDAYS).find(|(_, name)| *name == text);
    named.map(|(number, _)| number).ok_or_else(|| TimeIntervalError::Weekday(text.to_owned()))
}

fn month(text: &str) -> Result<i32, TimeIntervalError> {
    match (1..).zip(MONTHS).find(|(_, name)| *name == text) {
        Some((named, _)) => Ok(named),
        None => number(text).map_err(|_| TimeIntervalError::Month(text.to_owned())),
    }
}

/// A whole number; one of more than 32 bits comes as the nearest of 32, since no calendar reaches so far.
fn number(text: &str) -> Result<i32, TimeIntervalError> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Ok(i32::try_from(number).unwrap_or(i32::MIN)),
        Ok(number) => Ok(i32::try_from(number).unwrap_or(i32::MAX)),
        Err(error) if matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => {
            Err(TimeIntervalError::NumberTooLarge(text.to_owned()))
        }
        Err(_) => Err(TimeIntervalError::NotANumber(text.to_owned())),
    }
}

/// The month's name; what is no month has none, and an empty one in Alertmanager's texts.
fn month_name(month: i32) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default()
}
