//! The arguments of a call, read as the types that the function's parameters promise.

use std::sync::Arc;

use crate::data::{Alerts, Kv};
use crate::time::Time;
use crate::value::{Pair, Value};

/// The arguments of a call; a method's receiver is the first. The evaluator has checked their types and number, and
/// methods are looked up by their receiver's type: a mismatch is a fault of a table of functions, not of a template.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a>(pub(crate) &'a [Value]);

impl<'a> Arguments<'a> {
    pub(crate) fn value(self, index: usize) -> &'a Value {
        &self.0[index]
    }

    /// The arguments from `index` on.
    pub(crate) fn from(self, index: usize) -> &'a [Value] {
        &self.0[index..]
    }

    pub(crate) fn text(self, index: usize) -> &'a str {
        self.shared_text(index)
    }

    pub(crate) fn shared_text(self, index: usize) -> &'a Arc<str> {
        match &self.0[index] {
            Value::Text(text, _) => text,
            other => mismatch(other),
        }
    }

    pub(crate) fn int(self, index: usize) -> i64 {
        match &self.0[index] {
            Value::Int(number, _) => *number,
            other => mismatch(other),
        }
    }

    pub(crate) fn time(self, index: usize) -> &'a Time {
        match &self.0[index] {
            Value::Time(time) => time,
            other => mismatch(other),
        }
    }

    pub(crate) fn strings(self, index: usize) -> &'a [Arc<str>] {
        match &self.0[index] {
            Value::Strings(strings, _) => strings,
            other => mismatch(other),
        }
    }

    pub(crate) fn items(self, index: usize) -> &'a [Value] {
        match &self.0[index] {
            Value::List(list) => list.items(),
            other => mismatch(other),
        }
    }

    pub(crate) fn kv(self, index: usize) -> &'a Kv {
        match &self.0[index] {
            Value::Kv(kv) => kv,
            other => mismatch(other),
        }
    }

    pub(crate) fn pairs(self, index: usize) -> &'a [Pair] {
        match &self.0[index] {
            Value::Pairs(pairs) => pairs,
            other => mismatch(other),
        }
    }

    pub(crate) fn alerts(self, index: usize) -> &'a Alerts {
        match &self.0[index] {
            Value::Alerts(alerts, _) => alerts,
            other => mismatch(other),
        }
    }
}

fn mismatch(value: &Value) -> ! {
    unreachable!("a function was called with {} where its parameters say otherwise", value.type_name())
}
