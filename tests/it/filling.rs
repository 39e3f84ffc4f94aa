//! What stands for times and ids in scripted requests, and for ids in answers: no two routers give a silence the same.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::harness::http::Request;

/// The ids a router gave to silences, by the names the script has for them.
pub(crate) type Ids = BTreeMap<String, String>;

/// The request with times for `{+5}` and `{-5}` in its body, so many seconds after and before now, and with the id of
/// the silence `name` for `{name}` in its path.
pub(crate) fn filled(request: &Request, ids: &Ids) -> Request {
    let mut request = request.clone();
    for (name, id) in ids {
        request.path = request.path.replace(&format!("{{{name}}}"), id);
    }
    request.body = with_times(&String::from_utf8_lossy(&request.body), Timestamp::now()).into_bytes();
    request
}

/// The value with the names of silences for their ids, and one word for the ids of all others.
pub(crate) fn without_ids(value: Value, ids: &Ids) -> Value {
    match value {
        Value::String(text) => match ids.iter().find(|(_, id)| **id == text) {
            Some((name, _)) => name.as_str().into(),
            None if is_uuid(&text) => "a silence without a name".into(),
            None => text.into(),
        },
        Value::Array(items) => items.into_iter().map(|item| without_ids(item, ids)).collect(),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, without_ids(member, ids))).collect(),
        other => other,
    }
}

pub(crate) fn in_seconds(now: Timestamp, seconds: i64) -> Timestamp {
    now + SignedDuration::from_secs(seconds)
}

/// A time as Prometheus writes it: UTC, with milliseconds.
pub(crate) fn written(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn with_times(text: &str, now: Timestamp) -> String {
    let mut pieces = text.split('{');
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let time = piece.split_once('}').filter(|_| piece.starts_with(['+', '-']));
        match time.and_then(|(seconds, rest)| Some((seconds.parse().ok()?, rest))) {
            Some((seconds, rest)) => result += &(written(in_seconds(now, seconds)) + rest),
            None => result += &format!("{{{piece}"),
        }
    }
    result
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.chars().enumerate().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}
