//! From the tree to a type: a serde deserializer that knows where it stands and goes on after an unknown key.

use std::fmt::Write;
use std::rc::Rc;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{AtAccess, Entries, Items};
use super::at;
use super::context::{Context, Error, Path};
use super::document::{Entry, Node, Value};
use super::scalar::{Meaning, Scalar};
use crate::config::error::{Place, Problem};
use crate::config::spelling::nearest;

/// Builds `T` from the tree below `root`.
pub(super) fn decode<T: DeserializeOwned>(root: &Rc<Node>, context: &Context) -> Result<T, Problem> {
    let decoder = Decoder { node: root, path: &Path::Root, context };
    T::deserialize(decoder).map_err(|error| error.into_problem(|| decoder.place()))
}

/// A value about to become a type.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) node: &'a Rc<Node>,
    pub(super) path: &'a Path<'a>,
    pub(super) context: &'a Context,
}

impl<'a> Decoder<'a> {
    pub(super) fn place(&self) -> Place {
        Place { position: Some(self.node.position), key: self.path.to_string() }
    }

    /// The meaning of a scalar; `None` for a list or a mapping.
    fn scalar(&self) -> Option<&'a Scalar> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Says that the value is not what `wanted` names. A text is never quoted here, because it might be a secret.
    fn mismatch(&self, wanted: &str) -> Error {
        let found = match &self.node.value {
            Value::Scalar(scalar) => scalar.tag(),
            Value::Sequence(_) => "!!seq",
            Value::Mapping(_) => "!!map",
        };
        Error::Message(format!("cannot unmarshal {found} into {wanted}"))
    }

    /// The same for a scalar of a kind that is never secret.
    fn scalar_mismatch(&self, wanted: &str) -> Error {
        match self.scalar() {
            Some(scalar) => {
                Error::Message(format!("cannot unmarshal {} `{}` into {wanted}", scalar.tag(), scalar.text))
            }
            None => self.mismatch(wanted),
        }
    }

    /// The entries that a struct with these fields takes; unknown keys are noted.
    fn known_entries(&self, entries: &'a [Entry], fields: &[&str]) -> Vec<&'a Entry> {
        let known = |key: &str| fields.contains(&key);
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.0.text() {
                Some(key) if known(key) => kept.push(entry),
                key => self.note_unknown(&entry.0, key.unwrap_or_default(), fields),
            }
        }
        kept
    }

    fn note_unknown(&self, at: &Rc<Node>, key: &str, fields: &[&str]) {
        let mut message = format!("field {key} not found in type config.plain");
        match nearest(key, fields.iter().copied()) {
            Some(field) => write!(message, " (did you mean {field:?}?)"),
            None => write!(message, " (known here: {})", fields.join(", ")),
        }
        .expect("writing to a string does not fail");
        let place = Decoder { node: at, path: &Path::Key(self.path, key), context: self.context }.place();
        self.context.note(place.problem(message));
    }

    fn integer<T: TryFrom<i64> + TryFrom<u64>>(&self, wanted: &str) -> Result<T, Error> {
        let converted = match self.scalar().map(Scalar::meaning) {
            Some(Meaning::Null) => T::try_from(0i64).ok(),
            Some(Meaning::Signed(value)) => T::try_from(value).ok(),
            Some(Meaning::Unsigned(value)) => T::try_from(value).ok(),
            Some(Meaning::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => T::try_from(value as i64).ok(),
            _ => None,
        };
        converted.ok_or_else(|| self.scalar_mismatch(wanted))
    }
}

macro_rules! deserialize_integers {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.integer::<$type>($wanted)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Decoder<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.context.visit()?;
        match &self.node.value {
            Value::Sequence(items) => visitor.visit_seq(Items::new(self, items)),
            Value::Mapping(entries) => visitor.visit_map(Entries::new(self, entries.iter().collect())),
            Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => visitor.visit_unit(),
                Meaning::Bool(value) => visitor.visit_bool(value),
                Meaning::Signed(value) => visitor.visit_i64(value),
                Meaning::Unsigned(value) => visitor.visit_u64(value),
                Meaning::Float(value) => visitor.visit_f64(value),
                Meaning::Text(value) => visitor.visit_str(value),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar().map(Scalar::meaning) {
            Some(Meaning::Bool(value)) => visitor.visit_bool(value),
            Some(Meaning::Null) => visitor.visit_bool(false),
            _ => Err(self.scalar_mismatch("bool")),
        }
    }

    deserialize_integers! {
        deserialize_i8 visit_i8 i8, "int8";
        deserialize_i16 visit_i16 i16, "int16";
        deserialize_i32 visit_i32 i32, "int32";
        deserialize_i64 visit_i64 i64, "int64";
        deserialize_u8 visit_u8 u8, "uint8";
        deserialize_u16 visit_u16 u16, "uint16";
        deserialize_u32 visit_u32 u32, "uint32";
        deserialize_u64 visit_u64 u64, "uint64";
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar().map(Scalar::meaning) {
            Some(Meaning::Float(value)) => visitor.visit_f64(value),
            Some(Meaning::Signed(value)) => visitor.visit_f64(value as f64),
            Some(Meaning::Unsigned(value)) => visitor.visit_f64(value as f64),
            Some(Meaning::Null) => visitor.visit_f64(0.0),
            _ => Err(self.scalar_mismatch("float64")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.context.visit()?;
        match self.node.text() {
            Some(text) => visitor.visit_str(text),
            None => Err(self.mismatch("string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == at::MARKER { visitor.visit_seq(AtAccess::new(self)) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.context.visit()?;
        match &self.node.value {
            Value::Sequence(items) => visitor.visit_seq(Items::new(self, items)),
            _ if self.node.is_null() => visitor.visit_seq(Items::new(self, &[])),
            _ => Err(self.mismatch("a list; write it as [...] or with a dash before each item")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.context.visit()?;
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(Entries::new(self, entries.iter().collect())),
            _ if self.node.is_null() => visitor.visit_map(Entries::new(self, Vec::new())),
            _ => Err(self.mismatch("a mapping of keys to values")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.context.visit()?;
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(Entries::new(self, self.known_entries(entries, fields))),
            _ if self.node.is_null() => visitor.visit_map(Entries::new(self, Vec::new())),
            _ => Err(self.mismatch("config.plain; a mapping of keys to values belongs here")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = self.node.text().ok_or_else(|| self.mismatch("string"))?;
        let name: StrDeserializer<'_, Error> = text.into_deserializer();
        visitor.visit_enum(name)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
