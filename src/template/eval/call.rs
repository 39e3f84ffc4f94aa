//! Calls of functions and methods: arguments become what the parameters want, constants by their parameter's type.

use super::pipeline::Call;
use super::{Evaluator, Place, Result};
use crate::ast::{Operand, OperandKind};
use crate::functions::{self, Arguments, Fault, Function, Outcome, Parameter};
use crate::value::{IntType, Value};

/// How many bytes or elements that a function returns count as a step.
const SIZE_OF_STEP: usize = 64;

impl<'a> Evaluator<'a> {
    /// Calls a function by name. `place` is what an error of the function itself names.
    pub(super) fn function(&mut self, dot: &Value, name: &str, place: Place<'a>, call: Call<'a>) -> Result<Value> {
        let Some(function) = functions::lookup(name) else {
            return Err(self.error(format!("{} is not a defined function", watchbell_golang::quote::quote(name))));
        };
        match name {
            "and" => self.decide(dot, function, false, call),
            "or" => self.decide(dot, function, true, call),
            "call" => self.call_value(dot, function, place, call),
            _ => self.call(dot, function, None, place, call),
        }
    }

    /// `call`, which has nothing to call: no value that a template can reach is a function.
    fn call_value(&mut self, dot: &Value, function: &Function, place: Place<'a>, call: Call<'a>) -> Result<Value> {
        self.check_count(function, &call)?;
        let shown = call.operands.first().map_or_else(|| "nil".to_owned(), Operand::unwrapped);
        let mut values = Vec::with_capacity(call.len());
        for operand in call.operands {
            values.push(self.argument(dot, Parameter::Any, operand)?);
        }
        values.extend(call.piped);
        self.place = place;
        Err(self.error(match &values[0] {
            Value::Nil => "error calling call: call of nil".to_owned(),
            value => format!("error calling call: non-function {shown} of type {}", value.type_name()),
        }))
    }

    /// `and` and `or`: the first argument that decides, or the last one. Those after it are not evaluated.
    fn decide(&mut self, dot: &Value, function: &Function, decisive: bool, call: Call<'a>) -> Result<Value> {
        self.check_count(function, &call)?;
        let mut value = Value::Nil;
        for operand in call.operands {
            value = self.argument(dot, Parameter::Any, operand)?;
            if value.truth() == decisive {
                return Ok(value);
            }
        }
        Ok(call.piped.unwrap_or(value))
    }

    /// Calls a function, or a method of `receiver`. An error that it returns names `place`.
    pub(super) fn call(
        &mut self,
        dot: &Value,
        function: &'static Function,
        receiver: Option<Value>,
        place: Place<'a>,
        call: Call<'a>,
    ) -> Result<Value> {
        self.check_count(function, &call)?;
        let mut arguments = Vec::with_capacity(call.len() + 1);
        arguments.extend(receiver);
        for (index, operand) in call.operands.iter().enumerate() {
            arguments.push(self.argument(dot, function.parameter(index), operand)?);
        }
        if let Some(piped) = call.piped {
            arguments.push(self.fit(function.parameter(call.operands.len()), piped)?);
        }
        self.run(function, &arguments).map_err(|fault| {
            self.place = place;
            self.fault(Fault { message: format!("error calling {}: {}", function.name, fault.message), ..fault })
        })
    }

    /// Runs a function's body, and counts the size of what it returns.
    fn run(&mut self, function: &Function, arguments: &[Value]) -> Outcome {
        let value = (function.body)(&mut self.context, Arguments(arguments))?;
        let size = value.len().unwrap_or(0);
        functions::check_length(Some(size))?;
        self.context.charge(size / SIZE_OF_STEP)?;
        Ok(value)
    }

    fn check_count(&self, function: &Function, call: &Call<'_>) -> Result<()> {
        let (wanted, given) = (function.parameters.len(), call.len());
        let at_least = match function.variadic {
            Some(_) if given < wanted => "at least ",
            None if given != wanted => "",
            _ => return Ok(()),
        };
        let name = function.name;
        Err(self.error(format!("wrong number of args for {name}: want {at_least}{wanted} got {given}")))
    }

    /// The value of an operand where a parameter says what it shall be.
    fn argument(&mut self, dot: &Value, parameter: Parameter, operand: &'a Operand) -> Result<Value> {
        let constant = match &operand.kind {
            OperandKind::Nil => {
                self.at(operand.pos, operand);
                let nil = parameter.nil();
                return nil.ok_or_else(|| self.error(format!("cannot assign nil to {}", parameter.name())));
            }
            OperandKind::Bool(_) | OperandKind::String { .. } | OperandKind::Number(_) => parameter != Parameter::Any,
            _ => false,
        };
        if constant {
            self.at(operand.pos, operand);
            return self.typed_constant(parameter, operand);
        }
        let value = self.operand(dot, operand)?;
        self.fit(parameter, value)
    }

    /// A constant of the parameter's type.
    fn typed_constant(&self, parameter: Parameter, operand: &Operand) -> Result<Value> {
        let number = match &operand.kind {
            OperandKind::Number(number) => number.int,
            _ => None,
        };
        match (parameter, &operand.kind, number) {
            (Parameter::Text, OperandKind::String { text, .. }, _) => Ok(Value::text(text.clone())),
            (Parameter::Int, _, Some(int)) => Ok(Value::int(int)),
            (Parameter::Duration, _, Some(int)) => Ok(Value::Int(int, IntType::Duration)),
            (Parameter::Text, ..) => Err(self.error(format!("expected string; found {operand}"))),
            (Parameter::Int | Parameter::Duration, ..) => Err(self.error(format!("expected integer; found {operand}"))),
            _ => Err(self.error(format!("can't handle {operand} for arg of type {}", parameter.name()))),
        }
    }

    /// The value, if the parameter accepts it.
    fn fit(&self, parameter: Parameter, value: Value) -> Result<Value> {
        if value == Value::Nil {
            let nil = parameter.nil();
            return nil.ok_or_else(|| self.error(format!("invalid value; expected {}", parameter.name())));
        }
        if parameter.accepts(&value) {
            return Ok(value);
        }
        let (expected, got) = (parameter.name(), value.type_name());
        Err(self.error(format!("wrong type for value; expected {expected}; got {got}")))
    }
}
