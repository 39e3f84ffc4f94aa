//! Loops over lists, maps and numbers.

use super::{Evaluator, Flow, Result};
use crate::ast::Branch;
use crate::printf;
use crate::value::Value;

/// What a loop goes through.
enum Elements<'v> {
    List(&'v Value),
    /// Keys and values in order of the keys.
    Map(Vec<(Value, Value)>),
    /// The numbers from 0 on; each is of the type of the number itself.
    Count(&'v Value, i64),
    /// Nothing: also what nil stands for.
    None,
}

impl<'a> Evaluator<'a> {
    pub(super) fn range(&mut self, dot: &Value, branch: &'a Branch) -> Result<Flow> {
        let outer = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let scope = self.variables.len();
        let elements = self.elements(&value, branch)?;
        let mut index = 0;
        let mut flow = Flow::Normal;
        while let Some((key, element)) = elements.get(index) {
            index += 1;
            self.charge(1)?;
            self.assign(branch, key, &element);
            flow = self.nodes(&element, &branch.body)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        flow = match flow {
            _ if index == 0 => self.nodes(dot, branch.otherwise.as_deref().unwrap_or_default())?,
            _ => Flow::Normal,
        };
        self.variables.truncate(outer);
        Ok(flow)
    }

    fn elements<'v>(&self, value: &'v Value, branch: &Branch) -> Result<Elements<'v>> {
        match value {
            Value::Nil => Ok(Elements::None),
            Value::Int(_, _) | Value::Byte(_) if branch.pipe.variables.len() > 1 => {
                Err(self.error(format!("can't use {} to iterate over more than one variable", self.shown(value)?)))
            }
            Value::Int(count, _) => Ok(Elements::Count(value, *count)),
            Value::Byte(count) => Ok(Elements::Count(value, (*count).into())),
            list if list.is_list() => Ok(Elements::List(value)),
            _ => match value.entries() {
                Some(entries) => Ok(Elements::Map(entries)),
                None => Err(self.error(format!("range can't iterate over {}", self.shown(value)?))),
            },
        }
    }

    fn shown(&self, value: &Value) -> Result<String> {
        printf::display(value).map_err(|fault| self.fault(fault))
    }

    /// Gives the loop's variables their values for one element. Those that the loop declares are the last ones.
    fn assign(&mut self, branch: &'a Branch, key: Value, element: &Value) {
        let values = match branch.pipe.variables.len() {
            0 => return,
            1 => vec![element.clone()],
            _ => vec![key, element.clone()],
        };
        for (offset, (name, value)) in branch.pipe.variables.iter().zip(values).enumerate() {
            if branch.pipe.assigns {
                let variable = self.variables.iter_mut().rev().find(|(known, _)| known == name);
                variable.expect("the pipeline has assigned it").1 = value;
            } else {
                let first = self.variables.len() - branch.pipe.variables.len();
                self.variables[first + offset].1 = value;
            }
        }
    }
}

impl Elements<'_> {
    /// The key and value at `index`; `None` at the end.
    fn get(&self, index: usize) -> Option<(Value, Value)> {
        let key = || Value::int(index as i64);
        match self {
            Self::List(list) => list.element(index).map(|element| (key(), element)),
            Self::Map(entries) => entries.get(index).cloned(),
            Self::Count(number, count) => {
                let element = match number {
                    Value::Int(_, kind) => Value::Int(index as i64, *kind),
                    _ => Value::Byte(index as u8),
                };
                ((index as i64) < *count).then(|| (key(), element))
            }
            Self::None => None,
        }
    }
}
