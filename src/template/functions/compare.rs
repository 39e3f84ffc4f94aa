//! Go's comparisons: values of basic kinds with their like.

use super::{Arguments, Fault, Outcome};
use crate::printf;
use crate::value::Value;

/// A value as comparisons see it: integers of all types are alike.
#[derive(PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Complex(f64, f64),
    Text(&'a str),
}

/// `eq`: whether the first argument equals any other one.
pub(super) fn any_equal(with: Arguments<'_>) -> Outcome {
    let (first, others) = (with.value(0), with.from(1));
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// `ne`.
pub(super) fn unequal(with: Arguments<'_>) -> Outcome {
    Ok(Value::Bool(!equal(with.value(0), with.value(1))?))
}

/// `lt`.
pub(super) fn less(left: &Value, right: &Value) -> Outcome {
    let ordering = match (basic(left), basic(right)) {
        (Some(Basic::Int(left)), Some(Basic::Int(right))) => left < right,
        (Some(Basic::Float(left)), Some(Basic::Float(right))) => left < right,
        (Some(Basic::Text(left)), Some(Basic::Text(right))) => left < right,
        (Some(Basic::Bool(_)), Some(Basic::Bool(_))) | (Some(Basic::Complex(..)), Some(Basic::Complex(..))) => {
            return Err("invalid type for comparison".into());
        }
        (Some(left_kind), Some(right_kind)) if !left_kind.is_like(&right_kind) => {
            return Err(incompatible(left, right));
        }
        _ => return Err("invalid type for comparison".into()),
    };
    Ok(Value::Bool(ordering))
}

/// `le`: less, or else equal.
pub(super) fn less_or_equal(left: &Value, right: &Value) -> Outcome {
    match less(left, right)? {
        Value::Bool(false) => Ok(Value::Bool(equal(left, right)?)),
        less => Ok(less),
    }
}

/// `gt`: not less or equal.
pub(super) fn greater(left: &Value, right: &Value) -> Outcome {
    Ok(Value::Bool(!less_or_equal(left, right)?.truth()))
}

/// `ge`: not less.
pub(super) fn greater_or_equal(left: &Value, right: &Value) -> Outcome {
    Ok(Value::Bool(!less(left, right)?.truth()))
}

fn equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    match (basic(left), basic(right)) {
        (Some(left_kind), Some(right_kind)) if left_kind.is_like(&right_kind) => Ok(left_kind == right_kind),
        (Some(_), Some(_)) => Err(incompatible(left, right)),
        _ if *left == Value::Nil || *right == Value::Nil => Ok(left == right),
        _ if left.type_name() != right.type_name() => Err(incompatible(left, right)),
        _ if is_comparable(left) => Ok(left == right),
        _ => Err(format!("non-comparable type {}: {}", printf::display(left)?, left.type_name()).into()),
    }
}

/// Whether Go can compare two values of this type: lists and maps, and what holds them, it cannot.
fn is_comparable(value: &Value) -> bool {
    !matches!(value, Value::Kv(_) | Value::Dict(_) | Value::Alert(_)) && !value.is_list()
}

fn incompatible(left: &Value, right: &Value) -> Fault {
    format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name()).into()
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(value) => Basic::Bool(*value),
        Value::Int(value, _) => Basic::Int(*value),
        Value::Byte(value) => Basic::Int((*value).into()),
        Value::Float(value) => Basic::Float(*value),
        Value::Complex(real, imaginary) => Basic::Complex(*real, *imaginary),
        Value::Text(text, _) => Basic::Text(text),
        _ => return None,
    })
}

impl Basic<'_> {
    fn is_like(&self, other: &Basic<'_>) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
