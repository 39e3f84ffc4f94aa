//! What the tests of rendering share: data from JSON, and the clock.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value;
use watchbell_template::{Alert, Alerts, Data, Kv, Now, Time};

/// Berlin, so that summer time and offsets show.
pub(crate) fn local() -> TimeZone {
    TimeZoneDatabase::bundled().get("Europe/Berlin").expect("the database has Berlin")
}

/// The clock of the golden cases.
pub(crate) fn now() -> Now {
    Now { instant: "2026-11-23T13:07:30.123456789Z".parse().expect("a timestamp"), local: local() }
}

/// The JSON file of this name under `fixtures/template`.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/../../fixtures/template/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Alertmanager's JSON of `template.Data`.
pub(crate) fn data(json: &Value) -> Data {
    Data {
        receiver: text(json, "receiver"),
        status: text(json, "status"),
        alerts: json["alerts"].as_array().into_iter().flatten().map(alert).collect::<Alerts>(),
        notification_reason: text(json, "notification_reason"),
        group_labels: kv(&json["groupLabels"]),
        common_labels: kv(&json["commonLabels"]),
        common_annotations: kv(&json["commonAnnotations"]),
        route_labels: kv(&json["routeLabels"]),
        external_url: text(json, "externalURL"),
        truncated_alerts: 0,
    }
}

fn alert(json: &Value) -> Alert {
    Alert {
        status: text(json, "status"),
        labels: kv(&json["labels"]),
        annotations: kv(&json["annotations"]),
        starts_at: time(&json["startsAt"]),
        ends_at: time(&json["endsAt"]),
        generator_url: text(json, "generatorURL"),
        fingerprint: text(json, "fingerprint"),
    }
}

fn time(json: &Value) -> Time {
    json.as_str().map_or_else(Time::default, |text| Time::parse_rfc3339(text, &local()).expect("a time of RFC 3339"))
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap_or_default().to_owned()
}

fn kv(json: &Value) -> Kv {
    let pairs = json.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect()
}
