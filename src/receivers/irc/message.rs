//! From a notification to what is to be said of it: the operator's template, the people to call, and the id by which
//! nodes and people find the message again.

use aws_lc_rs::hmac;
use watchbell_engine::notification::Notification;
use watchbell_template::{Alert, Data, Engine, Kv, Now, Templates};

use super::super::field::Field;
use super::super::{ReceiverError, Surroundings, plain};
use super::formatting;
use super::text::{LongLines, Text};
use crate::settings::irc::IrcConfig;

/// Hex digits of an id: enough that two of a day's messages share one by chance once in a century.
const ID_DIGITS: usize = 8;

/// Signs ids where there is no cluster's secret. Everybody can make such an id, so no session trusts one that is not a
/// known peer's.
const PUBLIC_KEY: &[u8] = b"watchbell irc message id";

/// How messages are worded.
pub(super) struct Composer {
    message: Field,
    highlight: Vec<Field>,
    /// Whether each alert has a message of its own.
    by_alert: bool,
    shows_id: bool,
    max_lines: usize,
    max_line_bytes: usize,
    long_lines: LongLines,
}

impl Composer {
    pub(super) fn build(config: &IrcConfig, templates: &Templates) -> Result<Self, ReceiverError> {
        let compile = |key: &str, source: &str| Field::compile(templates, Engine::Text, key, source);
        let highlight = config.highlight.iter().map(|source| compile("highlight", source));
        Ok(Self {
            message: compile("message", &config.message)?,
            highlight: highlight.collect::<Result<_, _>>()?,
            by_alert: config.mode == "alert",
            shows_id: config.message_id,
            max_lines: config.max_lines as usize,
            max_line_bytes: config.max_line_bytes as usize,
            long_lines: if config.long_lines == "truncate" { LongLines::Truncate } else { LongLines::Wrap },
        })
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        std::iter::once(&self.message).chain(&self.highlight)
    }

    /// What is said of `data`. A template that fails is replaced by the built-in text.
    pub(super) fn compose(&self, data: &Data, now: &Now, id: &str, surroundings: &Surroundings) -> Text {
        let rendered = match self.rendered(data, now) {
            Ok(rendered) => rendered,
            Err(error) => {
                surroundings.fallbacks.note("irc", &error);
                plain::text_after(&error, data)
            }
        };
        Text {
            lines: formatting::lines(&rendered),
            max_lines: self.max_lines,
            long_lines: self.long_lines,
            max_line_bytes: self.max_line_bytes,
            url: surroundings.external_url.clone(),
            ending: self.ending(data, now, id, surroundings),
        }
    }

    fn rendered(&self, data: &Data, now: &Now) -> Result<String, String> {
        if !self.by_alert {
            return self.message.render(data, now);
        }
        let each = data.alerts.iter().map(|alert| self.message.render(&only(data, alert), now));
        Ok(each.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    /// Who is called, and the id. A template that fails calls nobody.
    fn ending(&self, data: &Data, now: &Now, id: &str, surroundings: &Surroundings) -> String {
        let mut words = Vec::new();
        for field in &self.highlight {
            match field.render(data, now) {
                Ok(nicks) => words.push(formatting::plain(&formatting::harmless(&nicks)).trim().to_owned()),
                Err(error) => surroundings.fallbacks.note("irc", &error),
            }
        }
        if self.shows_id {
            words.push(format!("⟨{id}⟩"));
        }
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }
}

/// The id of the notification with this name, made with the cluster's secret: nobody else can tell it beforehand.
pub(super) fn id(name: &str, secret: Option<&[u8]>) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.unwrap_or(PUBLIC_KEY));
    let tag = hmac::sign(&key, name.as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..ID_DIGITS].to_owned()
}

/// How many alerts of a notification fire, and how many are over.
pub(super) fn counts(notification: &Notification) -> (u64, u64) {
    let firing = notification.alerts.iter().filter(|told| told.firing).count();
    (firing as u64, (notification.alerts.len() - firing) as u64)
}

/// `data` without a control code that came from an alert: what formats a message is the template's alone.
pub(super) fn harmless(data: &Data) -> Data {
    let pairs = |pairs: &Kv| -> Kv {
        pairs.iter().map(|(name, value)| (formatting::harmless(name), formatting::harmless(value))).collect()
    };
    let alert = |alert: &Alert| Alert {
        labels: pairs(&alert.labels),
        annotations: pairs(&alert.annotations),
        generator_url: formatting::harmless(&alert.generator_url),
        ..alert.clone()
    };
    Data {
        alerts: data.alerts.iter().map(alert).collect(),
        group_labels: pairs(&data.group_labels),
        common_labels: pairs(&data.common_labels),
        common_annotations: pairs(&data.common_annotations),
        route_labels: pairs(&data.route_labels),
        ..data.clone()
    }
}

/// `data` as if `alert` were all of it.
fn only(data: &Data, alert: &Alert) -> Data {
    Data {
        status: alert.status.clone(),
        alerts: std::iter::once(alert.clone()).collect(),
        common_labels: alert.labels.clone(),
        common_annotations: alert.annotations.clone(),
        ..data.clone()
    }
}
