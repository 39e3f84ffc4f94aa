//! A request as it came, taken apart.

use serde_json::{Map, Value};
use tokio::time::Instant;
use url::form_urlencoded;

use super::route::{Operation, Target, route};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// The path as it was on the wire.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// The body's members; none if there is no body.
    pub(crate) body: Map<String, Value>,
    /// Whether there was a body that could not be read.
    pub(crate) garbled: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) operation: Operation,
    pub(crate) target: Target,
    pub(crate) arrived: Instant,
}

impl Call {
    pub(crate) fn new(method: &str, path_and_query: &str, headers: Vec<(String, String)>, body: &[u8]) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let (operation, target) = route(method, path);
        let json = headers.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
        let members = if json { from_json(body) } else { Some(from_form(body)) };
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            garbled: members.is_none(),
            body: members.unwrap_or_default(),
            headers,
            operation,
            target,
            arrived: Instant::now(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The token that it shows, in whichever way.
    pub(crate) fn token(&self) -> Option<&str> {
        let bearer = self.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        self.header("private-token").or(bearer)
    }

    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name)
    }

    pub(crate) fn reads(&self) -> bool {
        self.method == "GET"
    }
}

fn from_json(body: &[u8]) -> Option<Map<String, Value>> {
    if body.is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn from_form(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
}

/// A piece of a path without its percent signs.
pub(super) fn decoded(segment: &str) -> String {
    let escaped = segment.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
