//! The values that templates compute with: Go's types as far as a template can reach them. What they look like inside,
//! for printing and for JSON, is in `shape`; their methods are in `crate::method`.

mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::{Alert, Alerts, Data, Kv};
use crate::time::{Time, Zone};

pub(crate) use shape::{Field, Shape};

/// A value with its Go type. Clones are cheap.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// No value, and the nil that a list or map of any type can hold.
    Nil,
    Bool(bool),
    Int(i64, IntType),
    /// One byte of a string.
    Byte(u8),
    Float(f64),
    Complex(f64, f64),
    Text(Arc<str>, TextType),
    Strings(Arc<[Arc<str>]>, StringsType),
    Pair(Pair),
    Pairs(Arc<[Pair]>),
    Kv(Kv),
    Alert(Arc<Alert>),
    Alerts(Alerts, AlertsType),
    Data(Arc<Data>),
    List(List),
    Dict(Dict),
    Time(Time),
    Location(Zone),
}

/// The types whose values are integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntType {
    Int,
    Int64,
    /// Nanoseconds.
    Duration,
    Month,
    Weekday,
}

/// The types whose values are strings. The HTML engine trusts all but the first at their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextType {
    String,
    Html,
    Url,
}

/// `[]string`, or Alertmanager's `Strings`, which has methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringsType {
    Plain,
    Strings,
}

/// `[]Alert`, or Alertmanager's `Alerts`, which has methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertsType {
    Plain,
    Alerts,
}

/// A name with its value, as `SortedPairs` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: Arc<str>,
    pub(crate) value: Arc<str>,
}

/// A list of any values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    items: Arc<[Value]>,
    depth: usize,
}

/// A map from strings to any values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dict {
    items: Arc<BTreeMap<Arc<str>, Value>>,
    depth: usize,
}

/// How deep lists and maps may nest: printing and dropping them goes as deep.
const MAX_VALUE_DEPTH: usize = 64;

impl Value {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into(), TextType::String)
    }

    pub(crate) fn int(value: i64) -> Self {
        Self::Int(value, IntType::Int)
    }

    pub(crate) fn duration(nanoseconds: i64) -> Self {
        Self::Int(nanoseconds, IntType::Duration)
    }

    /// The name of the type, as Go's `%T` prints it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, kind) => kind.name(),
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Text(_, TextType::String) => "string",
            Self::Text(_, TextType::Html) => "template.HTML",
            Self::Text(_, TextType::Url) => "template.URL",
            Self::Strings(_, StringsType::Plain) => "[]string",
            Self::Strings(_, StringsType::Strings) => "template.Strings",
            Self::Pair(_) => "template.Pair",
            Self::Pairs(_) => "template.Pairs",
            Self::Kv(_) => "template.KV",
            Self::Alert(_) => "template.Alert",
            Self::Alerts(_, AlertsType::Plain) => "[]template.Alert",
            Self::Alerts(_, AlertsType::Alerts) => "template.Alerts",
            Self::Data(_) => "*template.Data",
            Self::List(_) => "[]interface {}",
            Self::Dict(_) => "map[string]interface {}",
            Self::Time(_) => "time.Time",
            Self::Location(_) => "*time.Location",
        }
    }

    /// Go's truth: false, zero, nil and whatever is empty are false; structs are true, also the zero time.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Pair(_) | Self::Alert(_) | Self::Data(_) | Self::Time(_) | Self::Location(_) => true,
            _ => self.len() != Some(0),
        }
    }

    /// Whether the value is a list of whatever type.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Strings(..) | Self::Pairs(_) | Self::Alerts(..) | Self::List(_))
    }

    /// The length of a string in bytes, or of a list or map; `None` if the type has none.
    pub(crate) fn len(&self) -> Option<usize> {
        Some(match self {
            Self::Text(text, _) => text.len(),
            Self::Strings(list, _) => list.len(),
            Self::Pairs(pairs) => pairs.len(),
            Self::Kv(kv) => kv.0.len(),
            Self::Alerts(alerts, _) => alerts.0.len(),
            Self::List(list) => list.items().len(),
            Self::Dict(dict) => dict.items().len(),
            _ => return None,
        })
    }

    /// The element at `index` of a list, or the byte of a string; `None` for other types and beyond the end.
    pub(crate) fn element(&self, index: usize) -> Option<Self> {
        match self {
            Self::Text(text, _) => text.as_bytes().get(index).copied().map(Self::Byte),
            Self::Strings(list, _) => list.get(index).cloned().map(Self::text),
            Self::Pairs(pairs) => pairs.get(index).cloned().map(Self::Pair),
            Self::Alerts(alerts, _) => alerts.0.get(index).cloned().map(Self::Alert),
            Self::List(list) => list.items().get(index).cloned(),
            _ => None,
        }
    }

    /// The keys and values of a map, in byte order of the keys; `None` for other types.
    pub(crate) fn entries(&self) -> Option<Vec<(Self, Self)>> {
        match self {
            Self::Kv(kv) => {
                Some(kv.0.iter().map(|(key, value)| (Self::text(key.clone()), Self::text(value.clone()))).collect())
            }
            Self::Dict(dict) => {
                Some(dict.items().iter().map(|(key, value)| (Self::text(key.clone()), value.clone())).collect())
            }
            _ => None,
        }
    }

    /// How deep lists and maps nest in this value.
    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Dict(dict) => dict.depth,
            _ => 0,
        }
    }
}

impl IntType {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }
}

impl List {
    /// A list of `items`, unless they nest too deep.
    pub(crate) fn new(items: Vec<Value>) -> Result<Self, String> {
        let depth = nested(items.iter())?;
        Ok(Self { items: items.into(), depth })
    }

    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }
}

impl Dict {
    /// A map of `items`, unless they nest too deep.
    pub(crate) fn new(items: BTreeMap<Arc<str>, Value>) -> Result<Self, String> {
        let depth = nested(items.values())?;
        Ok(Self { items: Arc::new(items), depth })
    }

    pub(crate) fn items(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.items
    }
}

/// The depth of what holds `items`.
fn nested<'a>(items: impl Iterator<Item = &'a Value>) -> Result<usize, String> {
    let depth = 1 + items.map(Value::depth).max().unwrap_or(0);
    if depth > MAX_VALUE_DEPTH { Err(format!("lists and maps nest deeper than {MAX_VALUE_DEPTH}")) } else { Ok(depth) }
}
