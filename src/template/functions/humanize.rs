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
    let refused = |reason| {
        let quoted = watchbell_golang::quote::quote(text);
        Fault::from(format!("strconv.ParseFloat: parsing {quoted}: {reason}"))
    };
    let number = text.parse::<f64>().map_err(|_| refused("invalid syntax"))?;
    let is_too_large = number.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
    if is_too_large { Err(refused("value out of range")) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_read_as_people_write_them() {
        let cases = [
            (Value::int(0), "0s"),
            (Value::int(1), "1s"),
            (Value::Float(59.5), "59.5s"),
            (Value::Float(1.23456), "1.235s"),
            (Value::int(60), "1m 0s"),
            (Value::int(3661), "1h 1m 1s"),
            (Value::int(1_899_964), "21d 23h 46m 4s"),
            (Value::int(-3661), "-1h 1m 1s"),
            (Value::Float(-2.5), "-2.5s"),
            (Value::Float(0.1), "100ms"),
            (Value::Float(0.00012), "120us"),
            (Value::Float(-0.0005), "-500us"),
            (Value::Float(1.5e-9), "1.5ns"),
            (Value::Float(f64::NAN), "NaN"),
            (Value::Float(f64::INFINITY), "+Inf"),
            (Value::text("inf"), "+Inf"),
            (Value::text("86400"), "1d 0h 0m 0s"),
            (Value::duration(90_000_000_000), "1m 30s"),
            (Value::Int(7200, IntType::Int64), "2h 0m 0s"),
        ];
        for (value, expected) in cases {
            assert_eq!(duration(&value).expect("a number"), expected, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        let message = |value| duration(&value).expect_err("no number").message;
        assert_eq!(message(Value::Bool(true)), "can't convert bool to float");
        assert_eq!(message(Value::text("x")), r#"strconv.ParseFloat: parsing "x": invalid syntax"#);
        assert_eq!(message(Value::text("1e309")), r#"strconv.ParseFloat: parsing "1e309": value out of range"#);
    }
}
