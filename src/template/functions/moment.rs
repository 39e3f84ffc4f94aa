//! Alertmanager's functions on times and durations.

use super::{Function, Parameter, humanize};
use crate::time::{Time, Zone};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "date",
        parameters: &[Parameter::Text, Parameter::Time],
        variadic: None,
        body: |_, with| Ok(Value::text(with.time(1).format(with.text(0)))),
    },
    Function {
        name: "tz",
        parameters: &[Parameter::Text, Parameter::Time],
        variadic: None,
        body: |context, with| Ok(Value::Time(with.time(1).within(Zone::load(with.text(0), &context.now.local)?))),
    },
    Function {
        name: "toDate",
        parameters: &[Parameter::Text, Parameter::Text],
        variadic: None,
        body: |context, with| {
            let time = Time::parse(with.text(0), with.text(1), &context.now.local);
            Ok(Value::Time(time.unwrap_or_default()))
        },
    },
    Function {
        name: "mustToDate",
        parameters: &[Parameter::Text, Parameter::Text],
        variadic: None,
        body: |context, with| Ok(Value::Time(Time::parse(with.text(0), with.text(1), &context.now.local)?)),
    },
    Function {
        name: "now",
        parameters: &[],
        variadic: None,
        body: |context, _| Ok(Value::Time(Time::local(context.now.instant, context.now.local.clone()))),
    },
    Function {
        name: "since",
        parameters: &[Parameter::Time],
        variadic: None,
        body: |context, with| Ok(Value::duration(Time::utc(context.now.instant).since(with.time(0)))),
    },
    Function {
        name: "humanizeDuration",
        parameters: &[Parameter::Any],
        variadic: None,
        body: |_, with| Ok(Value::text(humanize::duration(with.value(0))?)),
    },
];
