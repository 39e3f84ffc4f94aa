//! The methods of values, as templates call them, and what values say of themselves when printed.

mod moment;

use std::sync::Arc;

use crate::data::Kv;
use crate::functions::{Body, Function, Parameter, text};
use crate::time::{MONTHS, WEEKDAYS};
use crate::value::{AlertsType, IntType, Pair, StringsType, Value};
use watchbell_golang::duration;

/// The method of this name that the value's type has.
pub(crate) fn lookup(receiver: &Value, name: &str) -> Option<&'static Function> {
    let methods: &[Function] = match receiver {
        Value::Kv(_) => KV,
        Value::Pairs(_) => PAIRS,
        Value::Strings(_, StringsType::Strings) => STRINGS,
        Value::Alerts(_, AlertsType::Alerts) => ALERTS,
        Value::Time(_) => moment::TIME,
        Value::Int(_, IntType::Duration) => moment::DURATION,
        Value::Int(_, IntType::Month | IntType::Weekday) | Value::Location(_) => NAMED,
        _ => &[],
    };
    methods.iter().find(|method| method.name == name)
}

/// Why a method of Go's type cannot be called: it returns several values.
pub(crate) fn unusable(receiver: &Value, name: &str) -> Option<&'static str> {
    match (receiver, name) {
        (Value::Time(_), "Date") => Some("function Date has 3 return values; should be 1 or 2"),
        (Value::Time(_), "Clock") => Some("function Clock has 3 return values; should be 1 or 2"),
        (Value::Time(_), "Zone") => {
            Some("invalid function signature for Zone: second return value should be error; is int")
        }
        (Value::Time(_), "ISOWeek") => {
            Some("invalid function signature for ISOWeek: second return value should be error; is int")
        }
        _ => None,
    }
}

/// What the value's `String` method returns, if its type has one.
pub(crate) fn string(value: &Value) -> Option<String> {
    match value {
        Value::Kv(kv) => Some(joined(&pairs(kv))),
        Value::Pairs(pairs) => Some(joined(pairs)),
        Value::Time(time) => Some(time.string()),
        Value::Location(zone) => Some(zone.name()),
        Value::Int(number, IntType::Duration) => Some(duration::format(*number)),
        Value::Int(number, IntType::Month) => Some(named(&MONTHS, *number, *number - 1, "%!Month(")),
        Value::Int(number, IntType::Weekday) => Some(named(&WEEKDAYS, *number, *number, "%!Weekday(")),
        _ => None,
    }
}

/// What the value's `GoString` method returns, if its type has one.
pub(crate) fn go_string(value: &Value) -> Option<String> {
    match value {
        Value::Time(time) => Some(time.go_string()),
        _ => None,
    }
}

fn named(names: &[&str], number: i64, index: i64, otherwise: &str) -> String {
    let name = usize::try_from(index).ok().and_then(|index| names.get(index));
    name.map_or_else(|| format!("{otherwise}{number})"), |&name| name.to_owned())
}

fn joined(pairs: &[Pair]) -> String {
    pairs.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect::<Vec<_>>().join(", ")
}

fn pairs(kv: &Kv) -> Vec<Pair> {
    kv.sorted_pairs().map(|(name, value)| Pair { name, value }).collect()
}

const fn method(name: &'static str, parameters: &'static [Parameter], body: Body) -> Function {
    Function { name, parameters, variadic: None, body }
}

const STRING: Function = method("String", &[], |_, on| Ok(Value::text(string(on.value(0)).unwrap_or_default())));

/// Months, weekdays and locations.
const NAMED: &[Function] = &[STRING];

const KV: &[Function] = &[
    method("SortedPairs", &[], |_, on| Ok(Value::Pairs(pairs(on.kv(0)).into()))),
    method("Remove", &[Parameter::Strings], |_, on| Ok(Value::Kv(on.kv(0).without(on.strings(1))))),
    method("Names", &[], |_, on| Ok(strings(pairs(on.kv(0)).into_iter().map(|pair| pair.name)))),
    method("Values", &[], |_, on| Ok(strings(pairs(on.kv(0)).into_iter().map(|pair| pair.value)))),
    STRING,
];

const PAIRS: &[Function] = &[
    method("Names", &[], |_, on| Ok(strings(on.pairs(0).iter().map(|pair| pair.name.clone())))),
    method("Values", &[], |_, on| Ok(strings(on.pairs(0).iter().map(|pair| pair.value.clone())))),
    STRING,
];

const STRINGS: &[Function] = &[method("Join", &[Parameter::Text], |_, on| text::join(on.strings(0), on.text(1)))];

const ALERTS: &[Function] = &[
    method("Firing", &[], |_, on| Ok(Value::Alerts(on.alerts(0).with_status("firing"), AlertsType::Plain))),
    method("Resolved", &[], |_, on| Ok(Value::Alerts(on.alerts(0).with_status("resolved"), AlertsType::Plain))),
];

fn strings(texts: impl Iterator<Item = Arc<str>>) -> Value {
    Value::Strings(texts.collect(), StringsType::Strings)
}
