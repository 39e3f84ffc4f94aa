//! The functions that templates can call: Go's predefined ones, Alertmanager's, and the HTML engine's escapers.

mod arguments;
mod builtin;
mod collection;
mod compare;
mod encoding;
mod humanize;
mod irc;
pub(crate) mod json;
mod moment;
pub(crate) mod text;
mod title;

use std::collections::HashMap;

use crate::error::ErrorKind;
use crate::routelabels::RouteLabels;
use crate::set::Now;
use crate::value::{IntType, List, StringsType, Value};
use watchbell_golang::Regex;

pub(crate) use arguments::Arguments;

/// A function, or a method, whose receiver then is its first argument.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The types of its arguments, less the receiver.
    pub(crate) parameters: &'static [Parameter],
    /// The type of any number of further arguments.
    pub(crate) variadic: Option<Parameter>,
    pub(crate) body: Body,
}

/// What a function does. Its arguments, for a method after its receiver, have the right types and number.
pub(crate) type Body = fn(&mut Context<'_>, Arguments<'_>) -> Outcome;

/// The type that a function wants an argument to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Any,
    Text,
    Int,
    Duration,
    Time,
    Strings,
    List,
    Location,
}

/// What a function returns.
pub(crate) type Outcome = Result<Value, Fault>;

/// Why a function failed.
#[derive(Debug)]
pub(crate) struct Fault {
    /// `Execute`, or `Limit` if a bound was exceeded.
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

/// What functions may look at besides their arguments.
pub(crate) struct Context<'a> {
    pub(crate) now: &'a Now,
    pub(crate) route_labels: RouteLabels<'a>,
    /// The expressions of this rendering, compiled.
    regexes: HashMap<String, Regex>,
    /// How many steps are left.
    steps: usize,
}

/// How much one rendering may do. A step is a node, a command, or 64 bytes or elements that a function returned; the
/// default email for 10,000 alerts takes about two million.
const MAX_STEPS: usize = 10_000_000;
/// How many bytes a rendering, or a single text in it, may grow to: more than any receiver accepts.
pub(crate) const MAX_OUTPUT: usize = 32 << 20;
/// How many compiled expressions are kept. Templates hold them as constants, so this is seldom reached.
const MAX_REGEXES: usize = 100;
/// The steps that compiling an expression counts for.
const REGEX_STEPS: usize = 1000;

/// The function of this name.
pub(crate) fn lookup(name: &str) -> Option<&'static Function> {
    let tables = [
        builtin::FUNCTIONS,
        text::FUNCTIONS,
        collection::FUNCTIONS,
        moment::FUNCTIONS,
        encoding::FUNCTIONS,
        irc::FUNCTIONS,
    ];
    tables.into_iter().flatten().find(|function| function.name == name)
}

impl Function {
    /// The type of the argument at `index`, within the number that the function takes.
    pub(crate) fn parameter(&self, index: usize) -> Parameter {
        self.parameters.get(index).copied().or(self.variadic).unwrap_or(Parameter::Any)
    }
}

impl Parameter {
    /// The type's name in errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Int => "int",
            Self::Duration => "time.Duration",
            Self::Time => "time.Time",
            Self::Strings => "[]string",
            Self::List => "[]interface {}",
            Self::Location => "*time.Location",
        }
    }

    /// Whether a value that is not nil can be passed.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => matches!(value, Value::Text(_, crate::value::TextType::String)),
            Self::Int => matches!(value, Value::Int(_, IntType::Int)),
            Self::Duration => matches!(value, Value::Int(_, IntType::Duration)),
            Self::Time => matches!(value, Value::Time(_)),
            Self::Strings => matches!(value, Value::Strings(..)),
            Self::List => matches!(value, Value::List(_)),
            Self::Location => matches!(value, Value::Location(_)),
        }
    }

    /// What nil becomes when it is passed; `None` if it cannot be.
    pub(crate) fn nil(self) -> Option<Value> {
        match self {
            Self::Any | Self::Location => Some(Value::Nil),
            Self::Strings => Some(Value::Strings([].into(), StringsType::Plain)),
            Self::List => List::new(Vec::new()).ok().map(Value::List),
            Self::Text | Self::Int | Self::Duration | Self::Time => None,
        }
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(now: &'a Now, route_labels: RouteLabels<'a>) -> Self {
        Self { now, route_labels, regexes: HashMap::new(), steps: MAX_STEPS }
    }

    /// Counts `steps`; an error when there are none left.
    pub(crate) fn charge(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps = self
            .steps
            .checked_sub(steps)
            .ok_or_else(|| Fault::limit(format!("the template takes more than {MAX_STEPS} steps")))?;
        Ok(())
    }

    /// The compiled `pattern`.
    fn regex(&mut self, pattern: &str) -> Result<&Regex, Fault> {
        if !self.regexes.contains_key(pattern) {
            self.charge(REGEX_STEPS)?;
            let compiled = Regex::new(pattern).map_err(|error| Fault::from(error.to_string()))?;
            if self.regexes.len() == MAX_REGEXES {
                self.regexes.clear();
            }
            self.regexes.insert(pattern.to_owned(), compiled);
        }
        Ok(&self.regexes[pattern])
    }
}

/// Fails if a text of `length` bytes, or of more than a `usize` counts, is too long to be made.
pub(crate) fn check_length(length: Option<usize>) -> Result<(), Fault> {
    if length.is_some_and(|length| length <= MAX_OUTPUT) { Ok(()) } else { Err(Fault::too_long()) }
}

impl Fault {
    pub(crate) fn limit(message: String) -> Self {
        Self { kind: ErrorKind::Limit, message }
    }

    /// The error of a text that grew beyond `MAX_OUTPUT`.
    pub(crate) fn too_long() -> Self {
        Self::limit(format!("the output is larger than {} MiB", MAX_OUTPUT >> 20))
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self { kind: ErrorKind::Execute, message }
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}
