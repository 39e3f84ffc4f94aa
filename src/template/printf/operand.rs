//! One value under one verb: Go's rules for types with a `String` method, for lists, maps and structs, and for verbs
//! that do not fit.

use super::Output;
use super::spec::Spec;
use crate::method;
use crate::value::{Field, Shape, Value};

/// What a pointer prints as. Its number means nothing in Go either.
const POINTER: &str = "0xc000000000";

/// Prints values under `spec`.
pub(super) struct Printer<'a> {
    pub(super) spec: Spec,
    pub(super) out: &'a mut Output,
}

impl Printer<'_> {
    /// Prints an operand of a format.
    pub(super) fn top(&mut self, value: &Value) {
        match (self.spec.verb, value) {
            ('T', _) => self.type_name(value),
            ('p', Value::Kv(_) | Value::Dict(_) | Value::Data(_) | Value::Location(_)) => self.out.push(POINTER),
            ('p', list) if list.is_list() => self.out.push(POINTER),
            ('v', Value::Nil) => self.out.push("<nil>"),
            (_, Value::Nil) => self.bad_verb(value),
            _ => self.value(value, true),
        }
    }

    fn type_name(&mut self, value: &Value) {
        let spec = Spec { verb: 's', source: false, ..self.spec.clone() };
        spec.text(value.type_name(), self.out);
    }

    /// Prints a value that may be part of another one.
    fn value(&mut self, value: &Value, is_top: bool) {
        if self.out.is_full {
            return;
        }
        if let Some(text) = self.own_text(value) {
            return self.out_text(&text);
        }
        let printed = match value.shape() {
            Shape::Nil => return self.out.push(if self.spec.source { "interface {}(nil)" } else { "<nil>" }),
            Shape::Bool(value) => self.boolean(value),
            Shape::Int(number) => self.spec.signed(number, self.out),
            Shape::Byte(number) => self.spec.unsigned(number.into(), self.out),
            Shape::Float(number) => self.spec.float(number, self.out),
            Shape::Complex(real, imaginary) => self.spec.complex(real, imaginary, self.out),
            Shape::Text(text) => self.spec.text(&text, self.out),
            Shape::List(items) => return self.list(value, &items),
            Shape::Map(items) => return self.map(value, &items),
            Shape::Struct(fields) => return self.fields(value.type_name(), &fields),
            Shape::Pointer(fields) if is_top => {
                self.out.push("&");
                return self.fields(&value.type_name()[1..], &fields);
            }
            Shape::Pointer(_) | Shape::Opaque => return self.out.push(POINTER),
        };
        if !printed {
            self.bad_verb(value);
        }
    }

    /// What the value says of itself, if the verb asks for that.
    fn own_text(&self, value: &Value) -> Option<String> {
        match self.spec.verb {
            'v' if self.spec.source => method::go_string(value),
            'v' | 's' | 'q' | 'x' | 'X' => method::string(value),
            _ => None,
        }
    }

    /// Prints what a value said of itself; as Go source it stands as it is.
    fn out_text(&mut self, text: &str) {
        let spec =
            Spec { source: false, verb: if self.spec.source { 's' } else { self.spec.verb }, ..self.spec.clone() };
        spec.text(text, self.out);
    }

    fn boolean(&mut self, value: bool) -> bool {
        let known = matches!(self.spec.verb, 'v' | 't');
        if known {
            self.spec.pad(if value { "true" } else { "false" }, self.out);
        }
        known
    }

    fn list(&mut self, value: &Value, items: &[Value]) {
        let (open, separator, close) = self.brackets(value.type_name(), ("[", "]"));
        self.out.push(&open);
        for (index, item) in items.iter().enumerate() {
            self.out.push(if index > 0 { separator } else { "" });
            self.value(item, false);
        }
        self.out.push(close);
    }

    fn map(&mut self, value: &Value, items: &[(Value, Value)]) {
        let (open, separator, close) = self.brackets(value.type_name(), ("map[", "]"));
        self.out.push(&open);
        for (index, (key, item)) in items.iter().enumerate() {
            self.out.push(if index > 0 { separator } else { "" });
            self.value(key, false);
            self.out.push(":");
            self.value(item, false);
        }
        self.out.push(close);
    }

    fn fields(&mut self, type_name: &str, fields: &[Field]) {
        let (open, separator, close) = self.brackets(type_name, ("{", "}"));
        self.out.push(&open);
        for (index, field) in fields.iter().enumerate() {
            self.out.push(if index > 0 { separator } else { "" });
            if self.spec.source || self.spec.names {
                self.out.push(field.name);
                self.out.push(":");
            }
            self.value(&field.value, false);
        }
        self.out.push(close);
    }

    /// What opens, separates and closes the parts of a value: Go source names the type and uses braces and commas.
    fn brackets(&self, type_name: &str, plain: (&str, &'static str)) -> (String, &'static str, &'static str) {
        if self.spec.source { (format!("{type_name}{{"), ", ", "}") } else { (plain.0.to_owned(), " ", plain.1) }
    }

    /// `%!d(string=abc)`.
    fn bad_verb(&mut self, value: &Value) {
        self.out.push(&format!("%!{}(", self.spec.verb));
        if *value == Value::Nil {
            self.out.push("<nil>");
        } else {
            self.out.push(value.type_name());
            self.out.push("=");
            let spec = Spec { verb: 'v', ..self.spec.clone() };
            Printer { spec, out: self.out }.structure(value);
        }
        self.out.push(")");
    }

    /// Prints a value without asking it for its own text.
    fn structure(&mut self, value: &Value) {
        match value.shape() {
            Shape::Int(number) => drop(self.spec.signed(number, self.out)),
            Shape::Opaque => self.out.push(POINTER),
            _ => self.value(value, true),
        }
    }
}
