//! The differences between Alertmanager 0.25 and Watchbell that are meant, one by one.

use serde_json::{Value, json};

use crate::compare::Intended;

/// Those that any history may show.
pub(crate) fn everywhere() -> Vec<Intended> {
    vec![
        Intended {
            place: ".status.mutedBy",
            holds: |left, right| left.is_none() && right == Some(&json!([])),
            reason: "alerts name the time intervals that mute their group since 0.28",
        },
        Intended {
            place: "[*].routeLabels",
            holds: |left, right| left.is_none() && right == Some(&json!({})),
            reason: "groups and webhook bodies carry the labels of their route since 0.34",
        },
        Intended {
            place: "[*].notification_reason",
            holds: |left, right| left.is_none() && right.and_then(Value::as_str).is_some_and(is_reason),
            reason: "webhook bodies say why they are sent since 0.32",
        },
    ]
}

/// Those that only the history of this name may show.
pub(crate) fn only_in(history: &str) -> Vec<Intended> {
    let _ = history;
    Vec::new()
}

fn is_reason(text: &str) -> bool {
    const REASONS: [&str; 5] = [
        "first notification",
        "new alerts added",
        "all alerts resolved",
        "some alerts resolved",
        "repeat interval elapsed",
    ];
    REASONS.contains(&text)
}
