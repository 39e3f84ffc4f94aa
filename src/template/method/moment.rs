//! The methods of times and durations.

use super::{STRING, method};
use crate::functions::{Function, Outcome, Parameter};
use crate::time::{Civil, Time, Zone};
use crate::value::{IntType, Value};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

pub(super) const TIME: &[Function] = &[
    method("Format", &[Parameter::Text], |_, on| Ok(Value::text(on.time(0).format(on.text(1))))),
    method("GoString", &[], |_, on| Ok(Value::text(on.time(0).go_string()))),
    method("Unix", &[], |_, on| Ok(Value::Int(on.time(0).seconds, IntType::Int64))),
    method("UnixMilli", &[], |_, on| unix(on.time(0), 1000)),
    method("UnixMicro", &[], |_, on| unix(on.time(0), 1_000_000)),
    method("UnixNano", &[], |_, on| unix(on.time(0), SECOND)),
    method("UTC", &[], |_, on| Ok(Value::Time(on.time(0).within(Zone::Utc)))),
    method("Local", &[], |context, on| Ok(Value::Time(on.time(0).within(Zone::Local(context.now.local.clone()))))),
    method("In", &[Parameter::Location], |_, on| match on.value(1) {
        Value::Location(zone) => Ok(Value::Time(on.time(0).within(zone.clone()))),
        _ => Err("time: missing Location in call to Time.In".into()),
    }),
    method("Location", &[], |_, on| Ok(Value::Location(on.time(0).zone.clone()))),
    method("Add", &[Parameter::Duration], |_, on| Ok(Value::Time(on.time(0).plus(on.int(1))))),
    method("AddDate", &[Parameter::Int, Parameter::Int, Parameter::Int], |_, on| {
        Ok(Value::Time(on.time(0).plus_date(on.int(1), on.int(2), on.int(3))))
    }),
    method("Sub", &[Parameter::Time], |_, on| Ok(Value::duration(on.time(0).since(on.time(1))))),
    method("After", &[Parameter::Time], |_, on| Ok(Value::Bool(on.time(0).instant() > on.time(1).instant()))),
    method("Before", &[Parameter::Time], |_, on| Ok(Value::Bool(on.time(0).instant() < on.time(1).instant()))),
    method("Equal", &[Parameter::Time], |_, on| Ok(Value::Bool(on.time(0).instant() == on.time(1).instant()))),
    method("Compare", &[Parameter::Time], |_, on| {
        Ok(Value::int(on.time(0).instant().cmp(&on.time(1).instant()) as i64))
    }),
    method("IsZero", &[], |_, on| Ok(Value::Bool(on.time(0).is_zero()))),
    method("IsDST", &[], |_, on| Ok(Value::Bool(on.time(0).is_summer_time()))),
    method("Truncate", &[Parameter::Duration], |_, on| Ok(Value::Time(on.time(0).to_multiple(on.int(1), false)))),
    method("Round", &[Parameter::Duration], |_, on| Ok(Value::Time(on.time(0).to_multiple(on.int(1), true)))),
    method("Year", &[], |_, on| Ok(Value::int(on.time(0).civil().year))),
    method("Month", &[], |_, on| Ok(Value::Int(on.time(0).civil().month.into(), IntType::Month))),
    method("Day", &[], |_, on| reading(on.time(0), |civil| civil.day)),
    method("Hour", &[], |_, on| reading(on.time(0), |civil| civil.hour)),
    method("Minute", &[], |_, on| reading(on.time(0), |civil| civil.minute)),
    method("Second", &[], |_, on| reading(on.time(0), |civil| civil.second)),
    method("Nanosecond", &[], |_, on| Ok(Value::int(on.time(0).nanoseconds.into()))),
    method("Weekday", &[], |_, on| Ok(Value::Int(on.time(0).civil().weekday.into(), IntType::Weekday))),
    method("YearDay", &[], |_, on| reading(on.time(0), |civil| civil.day_of_year)),
    STRING,
];

pub(super) const DURATION: &[Function] = &[
    method("Hours", &[], |_, on| Ok(Value::Float(in_units(on.int(0), HOUR)))),
    method("Minutes", &[], |_, on| Ok(Value::Float(in_units(on.int(0), MINUTE)))),
    method("Seconds", &[], |_, on| Ok(Value::Float(in_units(on.int(0), SECOND)))),
    method("Milliseconds", &[], |_, on| Ok(Value::Int(on.int(0) / 1_000_000, IntType::Int64))),
    method("Microseconds", &[], |_, on| Ok(Value::Int(on.int(0) / 1000, IntType::Int64))),
    method("Nanoseconds", &[], |_, on| Ok(Value::Int(on.int(0), IntType::Int64))),
    method("Abs", &[], |_, on| Ok(Value::duration(on.int(0).saturating_abs()))),
    method("Truncate", &[Parameter::Duration], |_, on| Ok(Value::duration(truncated(on.int(0), on.int(1))))),
    method("Round", &[Parameter::Duration], |_, on| Ok(Value::duration(rounded(on.int(0), on.int(1))))),
    STRING,
];

fn reading(time: &Time, part: fn(Civil) -> u32) -> Outcome {
    Ok(Value::int(part(time.civil()).into()))
}

/// The Unix time in parts of a second.
fn unix(time: &Time, parts: i64) -> Outcome {
    let within = i64::from(time.nanoseconds) / (SECOND / parts);
    Ok(Value::Int(time.seconds.wrapping_mul(parts).wrapping_add(within), IntType::Int64))
}

/// A duration as a number of `unit`s. Whole units and the rest are converted apart, as Go does.
fn in_units(nanoseconds: i64, unit: i64) -> f64 {
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

fn truncated(nanoseconds: i64, multiple: i64) -> i64 {
    if multiple <= 0 { nanoseconds } else { nanoseconds - nanoseconds % multiple }
}

/// The nearest multiple; halves go away from zero, and what would not fit is the largest or smallest duration.
fn rounded(nanoseconds: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return nanoseconds;
    }
    let rest = (nanoseconds % multiple).abs();
    let down = truncated(nanoseconds, multiple);
    if rest < multiple - rest { down } else { down.saturating_add(multiple * nanoseconds.signum()) }
}
