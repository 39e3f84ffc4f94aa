//! What a value is made of, whatever its type is called: the view that field access, printing and JSON share.

use std::sync::Arc;

use super::{AlertsType, Value};

/// A value's structure.
pub(crate) enum Shape {
    Nil,
    Bool(bool),
    Int(i64),
    Byte(u8),
    Float(f64),
    Complex(f64, f64),
    Text(Arc<str>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Struct(Vec<Field>),
    /// A pointer to a struct.
    Pointer(Vec<Field>),
    /// A pointer to what only methods look into.
    Opaque,
}

/// A field of a struct.
pub(crate) struct Field {
    /// Its name in templates.
    pub(crate) name: &'static str,
    /// Its name in JSON.
    pub(crate) json: &'static str,
    pub(crate) value: Value,
}

/// The names of fields, in templates and in JSON, in order.
type Names = &'static [(&'static str, &'static str)];

const DATA: Names = &[
    ("Receiver", "receiver"),
    ("Status", "status"),
    ("Alerts", "alerts"),
    ("NotificationReason", "notification_reason"),
    ("GroupLabels", "groupLabels"),
    ("CommonLabels", "commonLabels"),
    ("CommonAnnotations", "commonAnnotations"),
    ("RouteLabels", "routeLabels"),
    ("ExternalURL", "externalURL"),
];

const ALERT: Names = &[
    ("Status", "status"),
    ("Labels", "labels"),
    ("Annotations", "annotations"),
    ("StartsAt", "startsAt"),
    ("EndsAt", "endsAt"),
    ("GeneratorURL", "generatorURL"),
    ("Fingerprint", "fingerprint"),
];

const PAIR: Names = &[("Name", "Name"), ("Value", "Value")];

/// What Go's `time.Time` holds; no template can read it, but `printf "%d"` shows it.
const TIME: Names = &[("wall", ""), ("ext", ""), ("loc", "")];

impl Value {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Nil => Shape::Nil,
            Self::Bool(value) => Shape::Bool(*value),
            Self::Int(value, _) => Shape::Int(*value),
            Self::Byte(value) => Shape::Byte(*value),
            Self::Float(value) => Shape::Float(*value),
            Self::Complex(real, imaginary) => Shape::Complex(*real, *imaginary),
            Self::Text(text, _) => Shape::Text(text.clone()),
            Self::Pair(_) => Shape::Struct(self.fields(PAIR)),
            Self::Alert(_) => Shape::Struct(self.fields(ALERT)),
            Self::Time(_) => Shape::Struct(self.fields(TIME)),
            Self::Data(_) => Shape::Pointer(self.fields(DATA)),
            Self::Location(_) => Shape::Opaque,
            Self::Kv(_) | Self::Dict(_) => Shape::Map(self.entries().unwrap_or_default()),
            Self::Strings(..) | Self::Pairs(_) | Self::Alerts(..) | Self::List(_) => {
                Shape::List((0..).map_while(|index| self.element(index)).collect())
            }
        }
    }

    /// The field of a struct, or of what a pointer points to; `None` if there is none of this name.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Data(data) => Some(match name {
                "Receiver" => Self::text(data.receiver.as_str()),
                "Status" => Self::text(data.status.as_str()),
                "Alerts" => Self::Alerts(data.alerts.clone(), AlertsType::Alerts),
                "NotificationReason" => Self::text(data.notification_reason.as_str()),
                "GroupLabels" => Self::Kv(data.group_labels.clone()),
                "CommonLabels" => Self::Kv(data.common_labels.clone()),
                "CommonAnnotations" => Self::Kv(data.common_annotations.clone()),
                "RouteLabels" => Self::Kv(data.route_labels.clone()),
                "ExternalURL" => Self::text(data.external_url.as_str()),
                "TruncatedAlerts" => Self::int(i64::try_from(data.truncated_alerts).unwrap_or(i64::MAX)),
                _ => return None,
            }),
            Self::Alert(alert) => Some(match name {
                "Status" => Self::text(alert.status.as_str()),
                "Labels" => Self::Kv(alert.labels.clone()),
                "Annotations" => Self::Kv(alert.annotations.clone()),
                "StartsAt" => Self::Time(alert.starts_at.clone()),
                "EndsAt" => Self::Time(alert.ends_at.clone()),
                "GeneratorURL" => Self::text(alert.generator_url.as_str()),
                "Fingerprint" => Self::text(alert.fingerprint.as_str()),
                _ => return None,
            }),
            Self::Pair(pair) => Some(match name {
                "Name" => Self::text(pair.name.clone()),
                "Value" => Self::text(pair.value.clone()),
                _ => return None,
            }),
            Self::Time(time) => Some(Self::int(match name {
                "wall" => time.nanoseconds.into(),
                "ext" => time.seconds_since_year_one(),
                "loc" => 0,
                _ => return None,
            })),
            _ => None,
        }
    }

    fn fields(&self, names: Names) -> Vec<Field> {
        names.iter().filter_map(|&(name, json)| self.field(name).map(|value| Field { name, json, value })).collect()
    }
}
