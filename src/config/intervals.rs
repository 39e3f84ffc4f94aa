//! Named time intervals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use smol_str::SmolStr;
use watchbell_engine::timeinterval::{Span, TimeInterval};

use super::check::Check;
use super::file::{Interval, NamedIntervals, TimeRange};
use super::yaml::At;

/// The intervals of both lists (`mute_time_intervals` is the older name) under their names.
pub(super) fn time_intervals(
    mute: &[At<NamedIntervals>],
    others: &[At<NamedIntervals>],
    check: &mut Check<'_>,
) -> BTreeMap<SmolStr, Vec<TimeInterval>> {
    let mut names = BTreeSet::new();
    let mut intervals = BTreeMap::new();
    let mute = mute.iter().map(|named| ("mute time interval", named));
    for (what, named) in mute.chain(others.iter().map(|named| ("time interval", named))) {
        if named.name.is_empty() {
            check.problem(&named.place, format!("missing name in {what}"));
        } else if !names.insert(named.name.clone()) {
            check.problem(&named.place, format!("{what} {:?} is not unique", named.name));
        }
        let alternatives = named.time_intervals.iter().map(|written| interval(written, check)).collect();
        intervals.insert(named.name.as_str().into(), alternatives);
    }
    check.time_intervals = names;
    intervals
}

fn interval(written: &Interval, check: &mut Check<'_>) -> TimeInterval {
    TimeInterval {
        times: spans(&written.times, check, unread::<TimeRange>),
        weekdays: spans(&written.weekdays, check, unread::<String>),
        days_of_month: spans(&written.days_of_month, check, unread::<String>),
        months: spans(&written.months, check, unread::<String>),
        years: spans(&written.years, check, unread::<String>),
        location: written.location.as_ref().map_or(TimeZone::UTC, |name| location(name, check)),
    }
}

/// Reading the pieces follows.
fn unread<T>(_: &T) -> Result<Span, &'static str> {
    Err("not yet supported by this version")
}

fn spans<T, E: std::fmt::Display>(
    written: &Option<Vec<At<T>>>,
    check: &mut Check<'_>,
    parse: impl Fn(&T) -> Result<Span, E>,
) -> Option<Vec<Span>> {
    let mut span =
        |item: &At<T>| parse(&item.value).map_err(|error| check.problem(&item.place, error.to_string())).ok();
    written.as_ref().map(|items| items.iter().filter_map(&mut span).collect())
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
