//! Alertmanager's functions on texts.

use std::sync::Arc;

use super::{Context, Function, Outcome, Parameter, check_length, title};
use crate::value::{TextType, Value};

const TEXT: &[Parameter] = &[Parameter::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "toUpper", parameters: TEXT, variadic: None, body: |_, with| text(upper(with.text(0))) },
    Function { name: "toLower", parameters: TEXT, variadic: None, body: |_, with| text(lower(with.text(0))) },
    Function { name: "title", parameters: TEXT, variadic: None, body: |_, with| text(title::title(with.text(0))) },
    Function { name: "trimSpace", parameters: TEXT, variadic: None, body: |_, with| text(with.text(0).trim().into()) },
    Function {
        name: "join",
        parameters: &[Parameter::Text, Parameter::Strings],
        variadic: None,
        body: |_, with| join(with.strings(1), with.text(0)),
    },
    Function {
        name: "match",
        parameters: &[Parameter::Text, Parameter::Text],
        variadic: None,
        body: |context, with| Ok(Value::Bool(context.regex(with.text(0))?.is_match(with.text(1)))),
    },
    Function {
        name: "reReplaceAll",
        parameters: &[Parameter::Text, Parameter::Text, Parameter::Text],
        variadic: None,
        body: |context, with| replace_all(context, with.text(0), with.text(1), with.text(2)),
    },
    Function {
        name: "safeHtml",
        parameters: TEXT,
        variadic: None,
        body: |_, with| Ok(Value::Text(with.text(0).into(), TextType::Html)),
    },
    Function {
        name: "safeUrl",
        parameters: TEXT,
        variadic: None,
        body: |_, with| Ok(Value::Text(with.text(0).into(), TextType::Url)),
    },
    Function {
        name: "routeLabels",
        parameters: TEXT,
        variadic: None,
        body: |context, with| text(context.route_labels.get(with.text(0))?),
    },
];

fn text(text: String) -> Outcome {
    Ok(Value::text(text))
}

/// Upper case as Go has it, character by character: one that would become several stays as it is.
fn upper(text: &str) -> String {
    let upper = |c: char| {
        let mut mapped = c.to_uppercase();
        if mapped.len() == 1 { mapped.next().unwrap_or(c) } else { c }
    };
    text.chars().map(upper).collect()
}

/// Lower case as Go has it, character by character: one that would become several is the first of them.
fn lower(text: &str) -> String {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// The texts with a separator between them.
pub(crate) fn join(texts: &[Arc<str>], separator: &str) -> Outcome {
    check_length(texts.iter().try_fold(0usize, |sum, text| sum.checked_add(text.len())?.checked_add(separator.len())))?;
    text(texts.join(separator))
}

fn replace_all(context: &mut Context<'_>, pattern: &str, replacement: &str, subject: &str) -> Outcome {
    // No more matches than bytes, and the end; each is replaced by no more than this, or by parts of the subject.
    check_length((subject.len() + 1).checked_mul(replacement.len()))?;
    // Go panics here, and so names the call that did.
    let prefix = format!("regexp: Compile({}): ", backquoted(pattern));
    let regex = context.regex(pattern).map_err(|mut fault| {
        fault.message.insert_str(0, &prefix);
        fault
    })?;
    let replaced = regex.replace_all(subject, replacement);
    text(replaced)
}

/// A pattern in backquotes, or quoted if it cannot be.
fn backquoted(pattern: &str) -> String {
    let plain = !pattern.contains('`') && !pattern.chars().any(|c| c.is_control() && c != '\t');
    if plain { format!("`{pattern}`") } else { watchbell_golang::quote::quote(pattern) }
}
