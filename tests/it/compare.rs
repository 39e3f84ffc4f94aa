//! Two JSON answers side by side: where they differ, and which differences are meant. Times may be a few seconds apart,
//! since no two servers see a request at the same instant.

use jiff::Timestamp;
use serde_json::Value;

/// How far apart two times may be and still be the same.
const SAME_MOMENT_SECONDS: i64 = 9;

/// Where the seconds of a time end: `2026-01-01T00:00:00`.
const SECONDS_END: usize = 19;

/// A place where two answers are not the same. An absent member is `None`.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// Where, as in `GET /api/v2/alerts: [0].status.mutedBy`.
    pub(crate) place: String,
    pub(crate) left: Option<Value>,
    pub(crate) right: Option<Value>,
}

impl Difference {
    /// The place with `[*]` for every index.
    fn general_place(&self) -> String {
        let mut general = String::new();
        let mut rest = self.place.as_str();
        while let Some((before, after)) = rest.split_once('[') {
            let (index, tail) = after.split_once(']').unwrap_or((after, ""));
            let number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
            general += &format!("{before}[{}]", if number { "*" } else { index });
            rest = tail;
        }
        general + rest
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |side: &Option<Value>| side.as_ref().map_or_else(|| "(absent)".to_owned(), Value::to_string);
        write!(out, "{}\n    measure: {}\n    subject: {}", self.place, show(&self.left), show(&self.right))
    }
}

/// A difference that is meant: Watchbell follows Alertmanager 0.34, and the measure is 0.25.
pub(crate) struct Intended {
    /// The end of the place, with `[*]` for any index.
    pub(crate) place: &'static str,
    pub(crate) left: Side,
    pub(crate) right: Side,
    pub(crate) reason: &'static str,
}

/// What one side of a meant difference is.
pub(crate) enum Side {
    Absent,
    Is(Value),
    /// JSON that holds this text.
    Says(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

impl Intended {
    pub(crate) fn covers(&self, difference: &Difference) -> bool {
        difference.general_place().ends_with(self.place)
            && self.left.is(difference.left.as_ref())
            && self.right.is(difference.right.as_ref())
    }
}

impl Side {
    fn is(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Absent, None) => true,
            (Self::Is(wanted), Some(value)) => wanted == value,
            (Self::Says(text), Some(value)) => value.to_string().contains(text),
            (Self::OneOf(texts), Some(Value::String(value))) => texts.contains(&value.as_str()),
            _ => false,
        }
    }
}

impl std::fmt::Display for Intended {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "listed as meant, but not seen: {}: {}", self.place, self.reason)
    }
}

/// All differences between two values found at `place`.
pub(crate) fn differences(place: &str, left: &Value, right: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(place, Some(left), Some(right), &mut found);
    found
}

fn collect(place: &str, left: Option<&Value>, right: Option<&Value>, found: &mut Vec<Difference>) {
    match (left, right) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let only_right = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_right) {
                collect(&format!("{place}.{key}"), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                collect(&format!("{place}[{index}]"), a.get(index), b.get(index), found);
            }
        }
        (Some(Value::String(a)), Some(Value::String(b))) if same_moment(a, b) => {}
        _ if left == right => {}
        _ => found.push(Difference { place: place.into(), left: left.cloned(), right: right.cloned() }),
    }
}

/// Whether both texts are times, close to each other and written in the same zone.
fn same_moment(left: &str, right: &str) -> bool {
    let (Ok(a), Ok(b)) = (left.parse::<Timestamp>(), right.parse::<Timestamp>()) else { return false };
    zone(left) == zone(right) && (a.as_second() - b.as_second()).abs() <= SAME_MOMENT_SECONDS
}

/// What follows the seconds and their fraction: `Z` or an offset.
fn zone(time: &str) -> &str {
    time.get(SECONDS_END..)
        .unwrap_or_default()
        .trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit())
}
