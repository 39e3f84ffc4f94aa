//! Named time intervals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use smol_str::SmolStr;
use watchbell_engine::timeinterval::{
    Span, TimeInterval, TimeIntervalError, parse_day_range, parse_month_range, parse_time_range, parse_weekday_range,
    parse_year_range, print_range, print_weekday_range,
};

use super::check::Check;
use super::file::{Interval, NamedIntervals, TimeRange};
use super::yaml::At;

/// The intervals of both lists (`mute_time_intervals` is the older name) under their names. The values are left in the
/// form in which they are shown.
pub(super) fn time_intervals(
    mute: &mut [At<NamedIntervals>],
    others: &mut [At<NamedIntervals>],
    check: &mut Check<'_>,
) -> BTreeMap<SmolStr, Vec<TimeInterval>> {
    let mut names = BTreeSet::new();
    let mut intervals = BTreeMap::new();
    let mute = mute.iter_mut().map(|named| ("mute time interval", named));
    for (what, named) in mute.chain(others.iter_mut().map(|named| ("time interval", named))) {
        if named.name.is_empty() {
            check.problem(&named.place, format!("missing name in {what}"));
        } else if !names.insert(named.name.clone()) {
            check.problem(&named.place, format!("{what} {:?} is not unique", named.name));
        }
        let At { value: NamedIntervals { name, time_intervals }, .. } = named;
        let alternatives = time_intervals.iter_mut().map(|written| interval(written, check)).collect();
        intervals.insert(name.as_str().into(), alternatives);
    }
    check.time_intervals = names;
    intervals
}

fn interval(written: &mut Interval, check: &mut Check<'_>) -> TimeInterval {
    TimeInterval {
        times: written.times.as_ref().map(|ranges| times(ranges, check)),
        weekdays: spans(&mut written.weekdays, check, parse_weekday_range, print_weekday_range),
        days_of_month: spans(&mut written.days_of_month, check, parse_day_range, print_range),
        months: spans(&mut written.months, check, parse_month_range, print_range),
        years: spans(&mut written.years, check, parse_year_range, print_range),
        location: written.location.as_ref().map_or(TimeZone::UTC, |name| location(name, check)),
    }
}

fn times(ranges: &[At<TimeRange>], check: &mut Check<'_>) -> Vec<Span> {
    let parse =
        |range: &At<TimeRange>| check.accept(&range.place, parse_time_range(&range.start_time, &range.end_time));
    ranges.iter().filter_map(parse).collect()
}

fn spans(
    written: &mut Option<Vec<At<String>>>,
    check: &mut Check<'_>,
    parse: impl Fn(&str) -> Result<Span, TimeIntervalError>,
    print: impl Fn(Span) -> String,
) -> Option<Vec<Span>> {
    let mut span = |text: &mut At<String>| {
        let span = check.accept(&text.place, parse(text))?;
        text.value = print(span);
        Some(span)
    };
    written.as_mut().map(|texts| texts.iter_mut().filter_map(&mut span).collect())
}

/// As Go's `time.LoadLocation`: nothing and `UTC` are UTC, `Local` is where the program runs.
fn location(name: &At<String>, check: &mut Check<'_>) -> TimeZone {
    match name.as_str() {
        "" | "UTC" => TimeZone::UTC,
        "Local" => TimeZone::system(),
        _ => TimeZone::get(name).unwrap_or_else(|_| {
            let message = format!("unknown time zone {} (a name like \"Europe/Berlin\" is wanted)", name.value);
            check.problem(&name.place, message);
            TimeZone::UTC
        }),
    }
}
