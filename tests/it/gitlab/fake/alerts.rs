//! The generic alert endpoint. An unresolved alert is the only one with its fingerprint in its project; that is what makes
//! the endpoint safe to repeat.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::call::Call;
use super::world::{Alert, World};

/// Larger payloads are refused.
const LARGEST: usize = 1024 * 1024;

const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "info", "unknown"];

pub(super) fn post(world: &mut World, call: &Call) -> Outcome {
    let project = world.find_project(&call.target.project).ok_or_else(|| Answer::message(404, "404 Not Found"))?;
    let key = project.alert_key.as_deref().ok_or_else(|| Answer::message(404, "404 Not Found"))?;
    if presented(call).as_deref() != Some(key) {
        return Err(Answer::message(401, "401 Unauthorized"));
    }
    let payload = Value::Object(call.body.clone());
    if call.garbled
        || call.header("content-length").is_none_or(|size| size.parse().is_ok_and(|size: usize| size > LARGEST))
    {
        return Err(Answer::message(400, "Bad Request"));
    }
    let project = project.id;
    let fingerprint = fingerprint(&payload["fingerprint"]);
    let open = fingerprint.as_ref().and_then(|fingerprint| {
        let same = |alert: &&mut Alert| alert.project == project && alert.fingerprint.as_ref() == Some(fingerprint);
        world.alerts.iter_mut().filter(same).find(|alert| !alert.ended)
    });
    let ends = payload["end_time"].as_str().is_some_and(|time| !time.is_empty());
    let shown = match (open, ends) {
        (Some(alert), ends) => {
            alert.ended = ends;
            alert.events += u64::from(!ends);
            vec![json!({ "iid": alert.iid, "title": alert.title })]
        }
        (None, true) => Vec::new(),
        (None, false) => {
            let alert = new_alert(world, project, fingerprint, payload);
            let shown = json!({ "iid": alert.iid, "title": alert.title });
            world.alerts.push(alert);
            vec![shown]
        }
    };
    Ok(Answer::json(200, &shown.into()))
}

fn new_alert(world: &World, project: u64, fingerprint: Option<String>, payload: Value) -> Alert {
    let title = payload["title"].as_str().filter(|title| !title.is_empty()).unwrap_or("New: Alert");
    let severity = payload["severity"].as_str().unwrap_or_default().to_lowercase();
    Alert {
        iid: world.alerts.iter().filter(|alert| alert.project == project).count() as u64 + 1,
        project,
        title: title.chars().take(200).collect(),
        severity: if SEVERITIES.contains(&severity.as_str()) { severity } else { "critical".to_owned() },
        fingerprint,
        events: 1,
        ended: false,
        payload,
    }
}

fn fingerprint(given: &Value) -> Option<String> {
    match given {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(_) => Some(given.to_string()),
        _ => None,
    }
}

/// The key, as a bearer's or as the password of nobody.
fn presented(call: &Call) -> Option<String> {
    let value = call.header("authorization")?;
    if let Some(key) = value.strip_prefix("Bearer ") {
        return Some(key.to_owned());
    }
    let pair = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    Some(String::from_utf8(pair).ok()?.split_once(':')?.1.to_owned())
}
