//! Pipelines and commands: each command gets the value of the one before as its last argument.

use super::{Evaluator, Place, Result};
use crate::ast::{Command, Number, Operand, OperandKind, Pipeline};
use crate::html::{self, Escaper};
use crate::value::Value;

/// What a function, method or field is called with, not yet evaluated.
#[derive(Clone)]
pub(super) struct Call<'a> {
    pub(super) operands: &'a [Operand],
    /// The value of the command before.
    pub(super) piped: Option<Value>,
}

impl Call<'_> {
    pub(super) fn bare() -> Self {
        Self { operands: &[], piped: None }
    }

    pub(super) fn is_bare(&self) -> bool {
        self.operands.is_empty() && self.piped.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.operands.len() + usize::from(self.piped.is_some())
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn pipeline(&mut self, dot: &Value, pipe: &'a Pipeline) -> Result<Value> {
        self.at(pipe.pos, pipe);
        let mut value = None;
        for command in &pipe.commands {
            self.charge(1)?;
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign_variable(name, &value)?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn assign_variable(&mut self, name: &str, value: &Value) -> Result<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, variable)) => {
                *variable = value.clone();
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    fn command(&mut self, dot: &Value, command: &'a Command, piped: Option<Value>) -> Result<Value> {
        let (first, operands) = command.operands.split_first().expect("the parser makes no empty command");
        let place = Place { pos: command.pos, node: command };
        self.called(dot, first, place, Call { operands, piped })
    }

    /// The value of an operand that has no arguments.
    pub(super) fn operand(&mut self, dot: &Value, operand: &'a Operand) -> Result<Value> {
        self.called(dot, operand, Place { pos: operand.pos, node: operand }, Call::bare())
    }

    /// The value of an operand that may have arguments. An error of a function itself names `place`.
    fn called(&mut self, dot: &Value, operand: &'a Operand, place: Place<'a>, call: Call<'a>) -> Result<Value> {
        if let OperandKind::Pipeline(pipe) = &operand.kind {
            self.refuse_arguments(operand, &call)?;
            return self.deeper(|evaluator| evaluator.pipeline(dot, pipe));
        }
        self.at(operand.pos, operand);
        let here = self.place;
        match &operand.kind {
            OperandKind::Field(names) => self.fields(dot, dot.clone(), names, here, call),
            OperandKind::Variable(name, names) => self.variable(dot, name, names, operand, call),
            OperandKind::Identifier(name) => self.function(dot, name, place, call),
            OperandKind::Escaper(escaper) => self.escaper(*escaper, call),
            OperandKind::Chain(inner, names) => {
                let holder = self.operand(dot, inner)?;
                self.fields(dot, holder, names, here, call)
            }
            _ => {
                self.refuse_arguments(operand, &call)?;
                self.constant(dot, operand)
            }
        }
    }

    fn variable(
        &mut self,
        dot: &Value,
        name: &str,
        names: &'a [String],
        operand: &Operand,
        call: Call<'a>,
    ) -> Result<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name);
        let Some((_, value)) = found else {
            return Err(self.error(format!("undefined variable: {name}")));
        };
        let value = value.clone();
        if names.is_empty() {
            self.refuse_arguments(operand, &call)?;
            return Ok(value);
        }
        self.fields(dot, value, names, self.place, call)
    }

    /// Fails if what takes no arguments has some.
    fn refuse_arguments(&self, operand: &Operand, call: &Call<'_>) -> Result<()> {
        if call.is_bare() {
            return Ok(());
        }
        Err(self.error(format!("can't give argument to non-function {}", operand.unwrapped())))
    }

    /// A constant where nothing says which type it shall have.
    fn constant(&self, dot: &Value, operand: &Operand) -> Result<Value> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Bool(value) => Ok(Value::Bool(*value)),
            OperandKind::String { text, .. } => Ok(Value::text(text.clone())),
            OperandKind::Number(number) => self.number(number),
            _ => Err(self.error("nil is not a command".into())),
        }
    }

    pub(super) fn number(&self, number: &Number) -> Result<Value> {
        if let (Some(real), Some(imaginary)) = (number.float, number.imaginary) {
            return Ok(Value::Complex(real, imaginary));
        }
        match (number.float, number.int) {
            (Some(float), _) if number.is_written_as_float() => Ok(Value::Float(float)),
            (_, Some(int)) => Ok(Value::int(int)),
            _ => Err(self.error(format!("{} overflows int", number.text))),
        }
    }

    /// What the HTML engine put at the end of a pipeline.
    fn escaper(&self, escaper: Escaper, call: Call<'_>) -> Result<Value> {
        let value = call.piped.unwrap_or(Value::Nil);
        html::escape_value(escaper, &value).map(Value::text).map_err(|fault| self.fault(fault))
    }
}
