//! `humanizeDuration`: a number of seconds as people write it.

use super::Fault;
use crate::printf;
use crate::value::{IntType, TextType, Value};

/// The units below a second, each a thousandth of the one before.
const SMALL_UNITS: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

pub(super) fn duration(value: &Value) -> Result<String, Fault> {
    let seconds = seconds(value)?;
    if !seconds.is_finite() {
        return digits(seconds);
    }
    if seconds != 0.0 && seconds.abs() < 1.0 {
        return small(seconds);
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let magnitude = seconds.abs();
    let whole = magnitude as u64;
    let (day, hour, minute, second) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    Ok(match whole {
        86_400.. => format!("{sign}{day}d {hour}h {minute}m {second}s"),
        3600.. => format!("{sign}{hour}h {minute}m {second}s"),
        60.. => format!("{sign}{minute}m {second}s"),
        _ => format!("{sign}{}s", digits(magnitude)?),
    })
}

fn small(mut seconds: f64) -> Result<String, Fault> {
    let mut unit = "";
    for smaller in SMALL_UNITS {
        if seconds.abs() >= 1.0 {
            break;
        }
        unit = smaller;
        seconds *= 1000.0;
    }
    Ok(format!("{}{unit}s", digits(seconds)?))
}

fn digits(number: f64) -> Result<String, Fault> {
    printf::sprintf("%.4g", &[Value::Float(number)])
}

fn seconds(value: &Value) -> Result<f64, Fault> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(nanoseconds, IntType::Duration) => Ok(*nanoseconds as f64 / 1e9),
        Value::Int(number, IntType::Int | IntType::Int64) => Ok(*number as f64),
        Value::Text(text, TextType::String) => number(text),
        other => Err(format!("can't convert {} to float", other.type_name()).into()),
    }
}

fn number(text: &str) -> Result<f64, Fault> {
    text.parse().map_err(|_| {
        let quoted = watchbell_golang::quote::quote(text);
        Fault::from(format!("strconv.ParseFloat: parsing {quoted}: invalid syntax"))
    })
}
