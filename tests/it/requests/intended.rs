//! The differences between Alertmanager 0.25's and Watchbell's answers that are meant, one by one. Watchbell follows
//! Alertmanager 0.34.

use serde_json::{Value, json};

use crate::compare::Intended;

pub(super) fn differences() -> Vec<Intended> {
    let all = vec![
        Intended {
            place: ".headers.Cache-Control",
            holds: |left, right| left.is_none() && right == Some(&json!("no-store")),
            reason: "answers of the API are not to be stored, since 0.26",
        },
        Intended {
            place: ".status.mutedBy",
            holds: |left, right| left.is_none() && right == Some(&json!([])),
            reason: "alerts name the time intervals that mute their group, since 0.28",
        },
        Intended {
            place: "[*].routeLabels",
            holds: |left, right| left.is_none() && right == Some(&json!({})),
            reason: "groups carry the labels of their route, since 0.34",
        },
        Intended {
            place: ".body[*].labels",
            holds: |left, right| left.is_none() && right.is_some_and(|labels| labels["name"].is_string()),
            reason: "receivers have labels, since 0.33",
        },
    ];
    all.into_iter().chain(utf8()).chain(silences()).chain(paths()).chain(status()).collect()
}

fn utf8() -> Vec<Intended> {
    vec![Intended {
        place: "a good alert, and one whose label name is only valid in UTF-8 mode.status",
        holds: |left, right| left == Some(&json!(400)) && right == Some(&json!(200)),
        reason: "any UTF-8 text may be a label name, since 0.27",
    }]
}

fn silences() -> Vec<Intended> {
    Vec::new()
}

fn paths() -> Vec<Intended> {
    Vec::new()
}

fn status() -> Vec<Intended> {
    Vec::new()
}

#[allow(dead_code)]
fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}
