//! Writing the values of a time interval's fields as `parse` reads them, and the names both know.

use super::Span;

/// Full names in lower case, Sunday first.
pub(super) const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Full names in lower case.
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Writes days of the week, `sunday` or `monday:friday`. Numbers that no day has are written as such.
pub fn print_weekday_range(span: Span) -> String {
    let name = |day: i32| {
        let known = usize::try_from(day).ok().and_then(|index| WEEKDAYS.get(index));
        known.map_or_else(|| day.to_string(), |name| (*name).to_owned())
    };
    join(span, name)
}

/// Writes days of the month, months or years, `5` or `-3:-1`; months are numbers too.
pub fn print_range(span: Span) -> String {
    join(span, |value| value.to_string())
}

/// Writes a minute of the day as `HH:MM`.
pub fn print_minute_of_day(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn join(span: Span, print: impl Fn(i32) -> String) -> String {
    let first = print(span.first);
    if span.first == span.last { first } else { format!("{first}:{}", print(span.last)) }
}
