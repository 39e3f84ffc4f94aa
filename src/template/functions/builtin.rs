//! Go's predefined functions, but for comparisons. `and`, `or` and `call` are here by name only: the evaluator performs
//! them, because it must not evaluate all arguments of the first two and names the source of the last one's.

use super::{Arguments, Body, Context, Fault, Function, Outcome, Parameter, compare};
use crate::html::{Content, Escaper, Trust};
use crate::printf;
use crate::value::{List, Value};

const ANY: Option<Parameter> = Some(Parameter::Any);

pub(super) const FUNCTIONS: &[Function] = &[
    function("and", &[Parameter::Any], ANY, by_evaluator),
    function("or", &[Parameter::Any], ANY, by_evaluator),
    function("not", &[Parameter::Any], None, |_, with| Ok(Value::Bool(!with.value(0).truth()))),
    function("call", &[Parameter::Any], ANY, by_evaluator),
    function("len", &[Parameter::Any], None, |_, with| length(with.value(0))),
    function("index", &[Parameter::Any], ANY, |_, with| index(with)),
    function("slice", &[Parameter::Any], ANY, |_, with| slice(with)),
    function("print", &[], ANY, |_, with| Ok(Value::text(printf::sprint(with.from(0))?))),
    function("printf", &[Parameter::Text], ANY, |_, with| {
        Ok(Value::text(printf::sprintf(with.text(0), with.from(1))?))
    }),
    function("println", &[], ANY, |_, with| Ok(Value::text(printf::sprintln(with.from(0))?))),
    function("html", &[], ANY, |_, with| escaped(with, |text| escape(Escaper::PredefinedHtml, text))),
    function("urlquery", &[], ANY, |_, with| escaped(with, |text| escape(Escaper::PredefinedUrlquery, text))),
    function("js", &[], ANY, |_, with| escaped(with, javascript)),
    function("eq", &[Parameter::Any], ANY, |_, with| compare::any_equal(with)),
    function("ne", PAIR, None, |_, with| compare::unequal(with)),
    function("lt", PAIR, None, |_, with| compare::less(with.value(0), with.value(1))),
    function("le", PAIR, None, |_, with| compare::less_or_equal(with.value(0), with.value(1))),
    function("gt", PAIR, None, |_, with| compare::greater(with.value(0), with.value(1))),
    function("ge", PAIR, None, |_, with| compare::greater_or_equal(with.value(0), with.value(1))),
];

const PAIR: &[Parameter] = &[Parameter::Any, Parameter::Any];

const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    variadic: Option<Parameter>,
    body: Body,
) -> Function {
    Function { name, parameters, variadic, body }
}

fn by_evaluator(_: &mut Context<'_>, with: Arguments<'_>) -> Outcome {
    Ok(with.value(0).clone())
}

fn length(value: &Value) -> Outcome {
    let length = value.len().ok_or_else(|| match value {
        Value::Nil => Fault::from("len of nil pointer"),
        _ => Fault::from(format!("len of type {}", pointed_type(value))),
    })?;
    Ok(Value::int(length as i64))
}

/// `index x 1 2` is `x[1][2]`.
fn index(with: Arguments<'_>) -> Outcome {
    let mut value = with.value(0).clone();
    if value == Value::Nil {
        return Err("index of untyped nil".into());
    }
    for key in with.from(1) {
        value = element(&value, key)?;
    }
    Ok(value)
}

fn element(value: &Value, key: &Value) -> Outcome {
    match value {
        Value::Nil => Err("index of nil pointer".into()),
        Value::Kv(kv) => Ok(Value::text(kv.get(map_key(key)?).unwrap_or_default())),
        Value::Dict(dict) => Ok(dict.items().get(map_key(key)?).cloned().unwrap_or(Value::Nil)),
        list if list.is_list() || matches!(list, Value::Text(..)) => {
            let at = position(key)?;
            let found = usize::try_from(at).ok().and_then(|at| list.element(at));
            found.ok_or_else(|| format!("index out of range: {at}").into())
        }
        other => Err(format!("can't index item of type {}", pointed_type(other)).into()),
    }
}

fn map_key(key: &Value) -> Result<&str, Fault> {
    match key {
        Value::Text(text, crate::value::TextType::String) => Ok(text),
        Value::Nil => Err("value is nil; should be of type string".into()),
        other => Err(format!("value has type {}; should be string", other.type_name()).into()),
    }
}

/// A number that counts elements.
fn position(key: &Value) -> Result<i64, Fault> {
    match key {
        Value::Int(number, _) => Ok(*number),
        Value::Byte(number) => Ok((*number).into()),
        Value::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    }
}

/// `slice x 1 2` is `x[1:2]`. What would cut a character in two is replaced, for texts here are of characters.
fn slice(with: Arguments<'_>) -> Outcome {
    let (value, bounds) = (with.value(0), with.from(1));
    let is_text = matches!(value, Value::Text(..));
    match (value, bounds.len()) {
        (Value::Nil, _) => return Err("slice of untyped nil".into()),
        (_, 4..) => return Err(format!("too many slice indexes: {}", bounds.len()).into()),
        (Value::Text(..), 3) => return Err("cannot 3-index slice a string".into()),
        _ if is_text || value.is_list() => {}
        _ => return Err(format!("can't slice item of type {}", pointed_type(value)).into()),
    }
    let [start, end, limit] = range(value.len().unwrap_or(0), bounds)?;
    for (low, high) in [(start, end), (end, limit)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}").into());
        }
    }
    part(value, start, end)
}

/// Start, end and limit of a slice; those that are not given are the whole length's.
fn range(length: usize, bounds: &[Value]) -> Result<[usize; 3], Fault> {
    let mut range = [0, length, length];
    for (place, bound) in range.iter_mut().zip(bounds) {
        let at = position(bound)?;
        let within = usize::try_from(at).ok().filter(|&at| at <= length);
        *place = within.ok_or_else(|| format!("index out of range: {at}"))?;
    }
    Ok(range)
}

fn part(value: &Value, start: usize, end: usize) -> Outcome {
    Ok(match value {
        Value::Text(text, kind) => Value::Text(String::from_utf8_lossy(&text.as_bytes()[start..end]).into(), *kind),
        Value::Strings(list, kind) => Value::Strings(list[start..end].into(), *kind),
        Value::Pairs(pairs) => Value::Pairs(pairs[start..end].into()),
        Value::Alerts(alerts, kind) => Value::Alerts(alerts.0[start..end].iter().cloned().collect(), *kind),
        Value::List(list) => Value::List(List::new(list.items()[start..end].to_vec())?),
        other => other.clone(),
    })
}

/// The type that errors name: what a pointer points to.
fn pointed_type(value: &Value) -> &'static str {
    value.type_name().trim_start_matches('*')
}

fn escaped(with: Arguments<'_>, escape: impl Fn(&str) -> String) -> Outcome {
    Ok(Value::text(escape(&printf::display_all(with.from(0))?)))
}

fn escape(escaper: Escaper, text: &str) -> String {
    escaper.escape(&Content { text: text.into(), trust: Trust::None })
}

/// A text as it may stand in a JavaScript string.
fn javascript(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ if c.is_ascii() || watchbell_golang::quote::is_printable(c) => out.push(c),
            _ => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out
}
