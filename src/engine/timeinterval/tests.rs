//! Time intervals, held against what Alertmanager makes of them.

use serde_json::Value;

use super::*;

/// One JSON object a line: an element of a time interval as a configuration holds it, and Alertmanager's (0.34) error,
/// or its printed form and which instants it contains.
const CASES: &str = include_str!("../../../fixtures/timeinterval/cases.jsonl");

/// Cases that belong to whoever reads the configuration (locations are resolved there), and the one number we cut.
const NOT_HERE: [&str; 2] = [r#"{"location":"Mars/Phobos"}"#, r#"{"years":["99999999999"]}"#];

#[test]
fn every_case_is_read_printed_and_evaluated_as_by_alertmanager() {
    let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).expect("a case is JSON")).collect();
    assert!(cases.len() > 150);
    for case in cases.iter().filter(|case| !NOT_HERE.contains(&case["interval"].to_string().as_str())) {
        let place = &case["interval"];
        match interval(place) {
            Err(error) => assert_eq!(case["error"], error.to_string(), "{place}"),
            Ok(interval) => {
                assert_eq!(case["error"], Value::Null, "{place}");
                assert_eq!(printed(&case["printed"]), printed_by_us(&interval), "{place}");
                for (at, contains) in case["contains"].as_object().into_iter().flatten() {
                    assert_eq!(
                        interval.contains(timestamp(at)),
                        *contains != is_mistaken(place, at),
                        "{place} at {at}"
                    );
                }
            }
        }
    }
}

/// Whether Alertmanager is wrong here: it does not know the last day of a month in which summer time begins.
fn is_mistaken(interval: &Value, at: &str) -> bool {
    let last_day_in_berlin = interval["location"] == "Europe/Berlin" && interval["days_of_month"][0] == "-1";
    last_day_in_berlin && at.starts_with("2024-03-31T")
}

#[test]
fn instants_without_a_civil_time_are_answered() {
    let always = interval(&serde_json::json!({"location": "Asia/Kathmandu"})).expect("no field is given");
    for at in [Timestamp::MAX, Timestamp::GO_ZERO, Timestamp::from_micros(i64::MIN)] {
        assert!(always.contains(at));
    }
}

#[test]
fn numbers_past_any_calendar_are_cut() {
    let open_ended = parse_year_range("2024:99999999999").expect("a range of years");
    assert_eq!(open_ended, Span { first: 2024, last: i32::MAX });
}

fn interval(case: &Value) -> Result<TimeInterval, TimeIntervalError> {
    let spans = |field: &str, parse: fn(&str) -> Result<Span, TimeIntervalError>| {
        let texts = case.get(field).and_then(Value::as_array);
        texts.map(|texts| texts.iter().map(|t| parse(t.as_str().expect("a range is a text"))).collect()).transpose()
    };
    let time =
        |v: &Value| parse_time_range(v["start_time"].as_str().unwrap_or(""), v["end_time"].as_str().unwrap_or(""));
    let times = case.get("times").and_then(Value::as_array);
    let location = case["location"].as_str().filter(|name| !name.is_empty()).unwrap_or("UTC");
    Ok(TimeInterval {
        times: times.map(|times| times.iter().map(time).collect()).transpose()?,
        weekdays: spans("weekdays", parse_weekday_range)?,
        days_of_month: spans("days_of_month", parse_day_range)?,
        months: spans("months", parse_month_range)?,
        years: spans("years", parse_year_range)?,
        location: TimeZone::get(location).expect("a location that exists"),
    })
}

fn timestamp(at: &str) -> Timestamp {
    Timestamp::from_micros(at.parse::<jiff::Timestamp>().expect("an RFC 3339 time").as_microsecond())
}

/// Alertmanager's printed form, without the location and without empty fields, which it leaves out.
fn printed(go: &Value) -> Vec<String> {
    let fields = ["weekdays", "days_of_month", "months", "years"];
    let ranges = fields.iter().flat_map(|field| go[field].as_array().into_iter().flatten());
    let times = go["times"].as_array().into_iter().flatten();
    let times = times.flat_map(|time| [&time["start_time"], &time["end_time"]]);
    times.chain(ranges).map(|text| text.as_str().expect("printed forms are texts").to_owned()).collect()
}

fn printed_by_us(interval: &TimeInterval) -> Vec<String> {
    let times = interval.times.iter().flatten().flat_map(|span| [span.first, span.last]).map(print_minute_of_day);
    let weekdays = interval.weekdays.iter().flatten().copied().map(print_weekday_range);
    let others = [&interval.days_of_month, &interval.months, &interval.years].into_iter().flatten().flatten();
    times.chain(weekdays).chain(others.copied().map(print_range)).collect()
}
