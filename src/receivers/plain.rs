//! The built-in plain text: what is said when there is no template, or when one has failed.

use watchbell_template::{Alert, Data};

/// One line for the group, one for each alert.
pub(super) fn text(data: &Data) -> String {
    let mut text = subject(data);
    for alert in data.alerts.iter() {
        text.push('\n');
        text.push_str(&line(alert));
    }
    text
}

/// The same, and why it is not what the operator wanted to be said.
pub(super) fn text_after(error: &str, data: &Data) -> String {
    format!("{}\n(This is the built-in text, because a template failed: {error})", text(data))
}

/// `[FIRING:2] team-a: alertname=Disk`.
pub(super) fn subject(data: &Data) -> String {
    let firing = data.alerts.iter().filter(|alert| alert.status == "firing").count();
    let state = if firing > 0 { format!("FIRING:{firing}") } else { "RESOLVED".to_owned() };
    let labels = if data.group_labels.iter().next().is_some() { &data.group_labels } else { &data.common_labels };
    format!("[{state}] {}: {}", data.receiver.replace('\\', ""), listed(labels.iter()))
}

fn line(alert: &Alert) -> String {
    let mut line = format!("{}: {}", alert.status, listed(alert.labels.iter()));
    let annotations = listed(alert.annotations.iter());
    for part in [&annotations, &alert.generator_url].into_iter().filter(|part| !part.is_empty()) {
        line.push_str(" | ");
        line.push_str(part);
    }
    line
}

/// `a=b, c=d`, on one line whatever the values are.
fn listed<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    pairs.map(|(name, value)| format!("{name}={}", value.replace(['\n', '\r'], " "))).collect::<Vec<_>>().join(", ")
}
