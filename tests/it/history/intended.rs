//! The differences between Alertmanager 0.25 and Watchbell that are meant, one by one.

use serde_json::json;

use crate::compare::Intended;
use crate::compare::Side::{Absent, Is, OneOf, Says};

/// Those that any history may show.
pub(crate) fn everywhere() -> Vec<Intended> {
    vec![
        Intended {
            place: ".status.mutedBy",
            left: Absent,
            right: Is(json!([])),
            reason: "alerts name the time intervals that mute their group, since 0.28",
        },
        Intended {
            place: "[*].routeLabels",
            left: Absent,
            right: Is(json!({})),
            reason: "groups and webhook bodies carry the labels of their route, since 0.34",
        },
        Intended {
            place: "[*].notification_reason",
            left: Absent,
            right: OneOf(&REASONS),
            reason: "webhook bodies say why they are sent, since 0.32",
        },
    ]
}

const REASONS: [&str; 5] = [
    "first notification",
    "new alerts added",
    "all alerts resolved",
    "some alerts resolved",
    "repeat interval elapsed",
];

/// Those that the history of this name shows, and no other.
pub(crate) fn only_in(history: &str) -> Vec<Intended> {
    match history {
        "what resolved while it was silenced" => vec![told_late("told.team {}:{alertname=\"Fire\"}[*]")],
        "what resolved while it was inhibited" => vec![told_late("told.team {}:{alertname=\"Slow\"}[*]")],
        "a route that takes the grouping away" => empty_grouping(),
        "a route muted all day" => muted_by(r#"["always"]"#),
        "a route awake in another year" => muted_by(r#"["long-ago"]"#),
        "muted by one of two intervals" => muted_by(r#"["every-day"]"#),
        "a reload to another receiver" | "receivers in their order, used or not" => vec![Intended {
            place: ".body[*].labels",
            left: Absent,
            right: Says(r#"{"name":""#),
            reason: "receivers have labels, since 0.33",
        }],
        "a reload of what cannot be read" => vec![Intended {
            place: ".body",
            left: Says("failed to reload config: undefined receiver"),
            right: Says("router.yml:1:19: route.receiver: undefined receiver"),
            reason: "a mistake in the configuration is told with its file, line and column",
        }],
        "silences nobody may make" => vec![Intended {
            place: ".body.message",
            left: Says(r#"failed, because parsing time \"soon\" as"#),
            right: Says(r#"failed, because parsing time \"soon\":"#),
            reason: "the layouts that Go has tried in vain say nothing to a client",
        }],
        "a batch with good and bad alerts" => vec![Intended {
            place: ".body",
            left: Says("start time must be before end time; at least one label pair required"),
            right: Says(r"start time must be before end time\nat least one label pair required"),
            reason: "several errors are told line by line, since 0.27",
        }],
        _ => Vec::new(),
    }
}

fn told_late(place: &'static str) -> Intended {
    Intended {
        place,
        left: Absent,
        right: Says(r#""status":"resolved""#),
        reason: "who was told that an alert fires is told that it has resolved, also when it did so while it was muted",
    }
}

fn empty_grouping() -> Vec<Intended> {
    const REASON: &str = "`group_by: []` takes the parent's grouping away, since 0.31";
    vec![
        Intended {
            place: "told.team {}/{site=\"harbour\"}:{alertname=\"Fire\"}",
            left: Says(r#""groupLabels":{"alertname":"Fire"}"#),
            right: Absent,
            reason: REASON,
        },
        Intended {
            place: "told.team {}/{site=\"harbour\"}:{}",
            left: Absent,
            right: Says(r#""groupLabels":{}"#),
            reason: REASON,
        },
    ]
}

fn muted_by(names: &'static str) -> Vec<Intended> {
    const REASON: &str = "alerts of a muted group are shown as suppressed, with the names of the intervals, since 0.28";
    vec![
        Intended { place: ".status.mutedBy", left: Absent, right: Says(names), reason: REASON },
        Intended { place: ".status.state", left: Is(json!("active")), right: Is(json!("suppressed")), reason: REASON },
    ]
}
