//! Fields, keys and methods of values.

use super::pipeline::Call;
use super::{Evaluator, Place, Result};
use crate::method;
use crate::value::Value;

impl<'a> Evaluator<'a> {
    /// `holder.A.B.C`; only the last name is called with arguments. An error of a method itself names `place`.
    pub(super) fn fields(
        &mut self,
        dot: &Value,
        holder: Value,
        names: &'a [String],
        place: Place<'a>,
        call: Call<'a>,
    ) -> Result<Value> {
        let (last, inner) = names.split_last().expect("the parser makes no chain without fields");
        let mut holder = Holder { value: holder, is_boxed: false };
        for name in inner {
            let value = self.field(dot, &holder, name, place, Call::bare())?;
            holder = Holder { is_boxed: matches!(holder.value, Value::Dict(_)), value };
        }
        self.field(dot, &holder, last, place, call)
    }

    fn field(
        &mut self,
        dot: &Value,
        holder: &Holder,
        name: &'a str,
        place: Place<'a>,
        call: Call<'a>,
    ) -> Result<Value> {
        let value = &holder.value;
        if *value == Value::Nil {
            return holder.field_of_nil(name).map_err(|message| self.error(message));
        }
        if let Some(method) = method::lookup(value, name) {
            return self.call(dot, method, Some(value.clone()), place, call);
        }
        if let Some(message) = method::unusable(value, name) {
            return Err(self.error(message.into()));
        }
        if let Some(field) = value.field(name) {
            return self.struct_field(value, name, field, &call);
        }
        self.entry(holder, name, &call)
    }

    /// The value under a key of a map; the zero of its values if there is none.
    fn entry(&self, holder: &Holder, name: &str, call: &Call<'_>) -> Result<Value> {
        let entry = match &holder.value {
            Value::Kv(kv) => Value::text(kv.0.get(name).cloned().unwrap_or_default()),
            Value::Dict(dict) => dict.items().get(name).cloned().unwrap_or(Value::Nil),
            _ => {
                let message = format!("can't evaluate field {name} in type {}", holder.type_name());
                return Err(self.error(message));
            }
        };
        if !call.is_bare() {
            return Err(self.error(format!("{name} is not a method but has arguments")));
        }
        Ok(entry)
    }

    fn struct_field(&self, value: &Value, name: &str, field: Value, call: &Call<'_>) -> Result<Value> {
        if !name.starts_with(char::is_uppercase) {
            let message = format!("{name} is an unexported field of struct type {}", value.type_name());
            return Err(self.error(message));
        }
        if !call.is_bare() {
            return Err(self.error(format!("{name} has arguments but cannot be invoked as function")));
        }
        Ok(field)
    }
}

/// What a field is looked up in.
struct Holder {
    value: Value,
    /// Whether the value was just taken from a map of any values: then Go knows it as an `interface {}`.
    is_boxed: bool,
}

impl Holder {
    fn type_name(&self) -> &'static str {
        if self.is_boxed { "interface {}" } else { self.value.type_name() }
    }

    /// No value has no value as its field; a nil that a map holds is an error.
    fn field_of_nil(&self, name: &str) -> std::result::Result<Value, String> {
        if self.is_boxed { Err(format!("nil pointer evaluating interface {{}}.{name}")) } else { Ok(Value::Nil) }
    }
}
