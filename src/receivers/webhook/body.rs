//! The JSON that Alertmanager's webhooks carry (version 4), byte for byte.

use jiff::fmt::strtime;
use serde::{Serialize, Serializer};
use watchbell_engine::label::Labels;
use watchbell_engine::notification::{Notification, NotifiedAlert};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_template::Kv;

use super::super::{data, json};

/// The body that tells `told`, a part of the notification's alerts, with the rendered labels of its route.
pub(super) fn encode(
    notification: &Notification,
    told: &[NotifiedAlert],
    route_labels: &Kv,
    external_url: &str,
) -> Vec<u8> {
    json::to_vec(&Message {
        receiver: &data::escaped(&notification.key.receiver),
        status: data::status(told.iter().any(|told| told.firing)),
        alerts: told.iter().map(Alert::new).collect(),
        notification_reason: notification.reason.as_str(),
        group_labels: &notification.group_labels,
        common_labels: &data::common(told, |told| &told.alert.labels),
        common_annotations: &data::common(told, |told| &told.alert.annotations),
        route_labels: Pairs(route_labels),
        external_url,
        version: "4",
        group_key: &notification.key.group_key,
        truncated_alerts: notification.alerts.len() - told.len(),
    })
}

/// The keys are in Alertmanager's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    receiver: &'a str,
    status: &'a str,
    alerts: Vec<Alert<'a>>,
    #[serde(rename = "notification_reason")]
    notification_reason: &'a str,
    #[serde(serialize_with = "as_map")]
    group_labels: &'a Labels,
    #[serde(serialize_with = "as_map")]
    common_labels: &'a Labels,
    #[serde(serialize_with = "as_map")]
    common_annotations: &'a Labels,
    route_labels: Pairs<'a>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'a str,
    group_key: &'a str,
    truncated_alerts: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    status: &'a str,
    #[serde(serialize_with = "as_map")]
    labels: &'a Labels,
    #[serde(serialize_with = "as_map")]
    annotations: &'a Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

struct Pairs<'a>(&'a Kv);

impl<'a> Alert<'a> {
    fn new(told: &'a NotifiedAlert) -> Self {
        let alert = &told.alert;
        Self {
            status: data::status(told.firing),
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: rfc3339(alert.starts_at, alert.starts_offset),
            ends_at: match told.firing {
                true => rfc3339(Timestamp::GO_ZERO, UtcOffset::default()),
                false => rfc3339(alert.ends_at, alert.ends_offset),
            },
            generator_url: &alert.generator_url,
            fingerprint: alert.fingerprint().to_string(),
        }
    }
}

/// `time` in its sender's zone, with no more of the second's fraction than there is, as Go's `RFC3339Nano` prints it.
fn rfc3339(time: Timestamp, offset: UtcOffset) -> String {
    let zoned = data::instant(time).to_zoned_datetime(data::zone(offset));
    let format = if offset.0 == 0 { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f%:z" };
    strtime::format(format, &zoned).expect("the format is right and the year has four digits")
}

fn as_map<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter())
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}
