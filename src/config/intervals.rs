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

/// How one field of an interval is read and shown.
struct Field {
    parse: fn(&str) -> Result<Span, TimeIntervalError>,
    print: fn(Span) -> String,
    /// What would be right.
    advice: &'static str,
}

const WEEKDAYS: Field = Field {
    parse: parse_weekday_range,
    print: print_weekday_range,
    advice: "days are written out, and weeks begin on sunday: 'monday' or 'monday:friday'",
};

const DAYS_OF_MONTH: Field = Field {
    parse: parse_day_range,
    print: print_range,
    advice: "days are 1 to 31, or -1 to -31 counted from the end of the month: '5' or '-3:-1'",
};

const MONTHS: Field = Field {
    parse: parse_month_range,
    print: print_range,
    advice: "months are numbers or written out: '3' or 'march:may'",
};

const YEARS: Field =
    Field { parse: parse_year_range, print: print_range, advice: "years are numbers: '2027' or '2027:2029'" };

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
        weekdays: WEEKDAYS.spans(&mut written.weekdays, check),
        days_of_month: DAYS_OF_MONTH.spans(&mut written.days_of_month, check),
        months: MONTHS.spans(&mut written.months, check),
        years: YEARS.spans(&mut written.years, check),
        location: written.location.as_ref().map_or(TimeZone::UTC, |name| location(name, check)),
    }
}

fn times(ranges: &[At<TimeRange>], check: &mut Check<'_>) -> Vec<Span> {
    let parse =
        |range: &At<TimeRange>| check.accept(&range.place, parse_time_range(&range.start_time, &range.end_time));
    ranges.iter().filter_map(parse).collect()
}

impl Field {
    fn spans(&self, written: &mut Option<Vec<At<String>>>, check: &mut Check<'_>) -> Option<Vec<Span>> {
        written.as_mut().map(|texts| texts.iter_mut().filter_map(|text| self.span(text, check)).collect())
    }

    fn span(&self, text: &mut At<String>, check: &mut Check<'_>) -> Option<Span> {
        let read = (self.parse)(text).map_err(|error| format!("{error} ({})", self.advice));
        let span = check.accept(&text.place, read)?;
        text.value = (self.print)(span);
        Some(span)
    }
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
