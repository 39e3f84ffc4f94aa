//! The configuration in force as YAML, for the status API: defaults and inheritance filled in, secrets hidden.
//!
//! Clients feed it to Alertmanager's own strict parser, and not only to the newest one. So keys that came after 0.25
//! are shown only where they say something: what merely holds its default is left out. And a webhook's hidden URL is
//! shown as a URL, because parsers before 0.26 take no other text there.

use serde::Serialize;
use serde_json::Value;

use super::file::{self, InhibitRule, NamedIntervals, Route};
use super::yaml::At;
use crate::settings::email::EmailConfig;
use crate::settings::global::Global;
use crate::settings::receiver::Receiver;
use crate::settings::webhook::WebhookConfig;

/// What is shown, in Alertmanager's order.
#[derive(Serialize)]
struct Shown<'a> {
    global: Value,
    route: &'a Route,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    inhibit_rules: &'a [InhibitRule],
    receivers: Vec<Value>,
    templates: &'a [At<String>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mute_time_intervals: &'a [At<NamedIntervals>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    time_intervals: &'a [At<NamedIntervals>],
}

/// Keys of `global` with a default that Alertmanager 0.25 does not know.
const NEWER_GLOBAL_KEYS: [&str; 3] = ["slack_app_url", "rocketchat_api_url", "gitlab_api_url"];

/// The same of `webhook_configs`; without `url_file` there is always a `url`.
const NEWER_WEBHOOK_KEYS: [&str; 3] = ["url", "url_file", "timeout"];

/// Keys of `email_configs` with a default that Alertmanager does not know.
const NEWER_EMAIL_KEYS: [&str; 4] = ["auto_submitted", "partial_delivery", "dsn", "max_size"];

/// Stands for a webhook's URL; the domain never exists (RFC 2606).
const HIDDEN_URL: &str = "https://hidden.invalid/<secret>";

/// The YAML text of a file whose receivers and global settings were checked and made whole.
pub(super) fn shown(file: &file::File, route: &Route, global: &Global, receivers: &[Receiver]) -> String {
    let shown = Shown {
        global: global_value(global),
        route,
        inhibit_rules: &file.inhibit_rules,
        receivers: receivers.iter().map(receiver_value).collect(),
        templates: &file.templates,
        mute_time_intervals: &file.mute_time_intervals,
        time_intervals: &file.time_intervals,
    };
    serde_saphyr::to_string(&shown).expect("settings are plain data")
}

fn global_value(global: &Global) -> Value {
    let mut value = plain(global);
    drop_defaults(&mut value, &plain(&Global::default()), &NEWER_GLOBAL_KEYS);
    value
}

fn receiver_value(receiver: &Receiver) -> Value {
    let mut value = plain(receiver);
    let default = plain(&EmailConfig::default());
    for email in configs(&mut value, "email_configs") {
        drop_defaults(email, &default, &NEWER_EMAIL_KEYS);
    }
    let default = plain(&WebhookConfig::default());
    for webhook in configs(&mut value, "webhook_configs") {
        drop_defaults(webhook, &default, &NEWER_WEBHOOK_KEYS);
        if let Some(url) = webhook.get_mut("url") {
            *url = HIDDEN_URL.into();
        }
    }
    value
}

fn configs<'a>(receiver: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    receiver.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}

fn plain(settings: &impl Serialize) -> Value {
    serde_json::to_value(settings).expect("settings are plain data with texts for keys")
}

fn drop_defaults(value: &mut Value, default: &Value, keys: &[&str]) {
    let Value::Object(entries) = value else { return };
    entries.retain(|key, held| !keys.contains(&key.as_str()) || default.get(key) != Some(held));
}
