//! A template's value as an escaper takes it: as text, or, for code in a script, as a literal.

use super::escape::{Content, Escaper, Trust};
use crate::error::ErrorKind;
use crate::functions::{Fault, json};
use crate::printf;
use crate::value::{IntType, TextType, Value};

/// `value`, made safe by `escaper`.
///
/// # Errors
/// A bound was exceeded.
pub(crate) fn escape_value(escaper: Escaper, value: &Value) -> Result<String, Fault> {
    let predefined = matches!(escaper, Escaper::PredefinedHtml | Escaper::PredefinedUrlquery);
    let (text, trust) = match value {
        _ if escaper == Escaper::JsValue => (literal(value)?.into(), Trust::None),
        Value::Text(text, TextType::String) => (text.as_ref().into(), Trust::None),
        Value::Text(text, TextType::Html) => (text.as_ref().into(), Trust::Html),
        Value::Text(text, TextType::Url) => (text.as_ref().into(), Trust::Url),
        Value::Nil if !predefined => ("".into(), Trust::None),
        other => (printf::display(other)?.into(), Trust::None),
    };
    Ok(escaper.escape(&Content { text, trust }))
}

/// A value as JSON, or as a JSON string of what it prints if its type has a way to print of its own. A script cannot
/// say what JSON cannot; a comment says why.
fn literal(value: &Value) -> Result<String, Fault> {
    let prints_itself = matches!(
        value,
        Value::Kv(_) | Value::Pairs(_) | Value::Int(_, IntType::Duration | IntType::Month | IntType::Weekday)
    );
    let encoded = if prints_itself { json::encode(&Value::text(printf::display(value)?)) } else { json::encode(value) };
    match encoded {
        Err(fault) if fault.kind == ErrorKind::Execute => {
            Ok(format!(" /* {} */null ", fault.message.replace("*/", "* /")))
        }
        other => other,
    }
}
