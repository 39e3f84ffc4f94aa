//! Alertmanager's functions that make lists and maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Arguments, Context, Fault, Function, Outcome, Parameter};
use crate::value::{Dict, List, StringsType, Value};

const ANY: Option<Parameter> = Some(Parameter::Any);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "stringSlice",
        parameters: &[],
        variadic: Some(Parameter::Text),
        body: |_, with| {
            Ok(Value::Strings(
                (0..with.from(0).len()).map(|at| with.shared_text(at).clone()).collect(),
                StringsType::Plain,
            ))
        },
    },
    Function {
        name: "list",
        parameters: &[],
        variadic: ANY,
        body: |_, with| Ok(Value::List(List::new(with.from(0).to_vec())?)),
    },
    Function { name: "append", parameters: &[Parameter::List], variadic: ANY, body: append },
    Function { name: "dict", parameters: &[], variadic: ANY, body: |_, with| dict(with.from(0)) },
];

/// A longer list; the one that it is made from stays as it is.
fn append(context: &mut Context<'_>, with: Arguments<'_>) -> Outcome {
    let items = with.items(0);
    context.charge(items.len())?;
    Ok(Value::List(List::new([items, with.from(1)].concat())?))
}

fn dict(pairs: &[Value]) -> Outcome {
    if !pairs.len().is_multiple_of(2) {
        return Err("dict requires an even number of arguments".into());
    }
    let entry = |pair: &[Value]| match pair {
        [Value::Text(key, crate::value::TextType::String), value] => Ok((key.clone(), value.clone())),
        _ => Err(Fault::from("dict keys must be strings")),
    };
    let items = pairs.chunks(2).map(entry).collect::<Result<BTreeMap<Arc<str>, Value>, Fault>>()?;
    Ok(Value::Dict(Dict::new(items)?))
}
