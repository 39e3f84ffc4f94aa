//! Go's `fmt`: printing values with and without a format.

mod directive;
mod float;
mod integer;
mod operand;
mod spec;
mod text;

use crate::functions::{Fault, MAX_OUTPUT};
use crate::value::Value;
use directive::Directives;
use operand::Printer;
use spec::Spec;

pub(crate) use float::shortest as shortest_float;

/// `fmt.Sprintf`.
pub(crate) fn sprintf(format: &str, operands: &[Value]) -> Result<String, Fault> {
    let mut out = Output::default();
    Directives::new(format, operands, &mut out).run();
    out.finish()
}

/// `fmt.Sprint`: a space stands between two operands when neither is a string.
pub(crate) fn sprint(operands: &[Value]) -> Result<String, Fault> {
    let mut out = Output::default();
    for (index, operand) in operands.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(..));
        if index > 0 && !is_text(operand) && !is_text(&operands[index - 1]) {
            out.push(" ");
        }
        print_plain(operand, &mut out);
    }
    out.finish()
}

/// `fmt.Sprintln`: a space between any two operands, and a line's end.
pub(crate) fn sprintln(operands: &[Value]) -> Result<String, Fault> {
    let mut out = Output::default();
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            out.push(" ");
        }
        print_plain(operand, &mut out);
    }
    out.push("\n");
    out.finish()
}

/// A value as an action prints it: nil is `<no value>`, a pointer stands for what it points to.
pub(crate) fn display(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Nil => Ok("<no value>".into()),
        Value::Data(_) => sprint(std::slice::from_ref(value)).map(|text| text[1..].to_owned()),
        _ => sprint(std::slice::from_ref(value)),
    }
}

/// Values as actions print them, with spaces as `fmt.Sprint` sets them: what `html`, `js` and `urlquery` escape.
pub(crate) fn display_all(values: &[Value]) -> Result<String, Fault> {
    let mut out = Output::default();
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(..) | Value::Nil);
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(" ");
        }
        out.push(&display(value)?);
    }
    out.finish()
}

fn print_plain(value: &Value, out: &mut Output) {
    Printer { spec: Spec::plain('v'), out }.top(value);
}

/// A text that stops growing at the bound.
#[derive(Default)]
struct Output {
    text: String,
    is_full: bool,
}

impl Output {
    fn push(&mut self, part: &str) {
        if self.text.len() + part.len() > MAX_OUTPUT {
            self.is_full = true;
        }
        if !self.is_full {
            self.text.push_str(part);
        }
    }

    fn push_repeated(&mut self, part: &str, times: usize) {
        (0..times).for_each(|_| self.push(part));
    }

    fn finish(self) -> Result<String, Fault> {
        if self.is_full { Err(Fault::too_long()) } else { Ok(self.text) }
    }
}
