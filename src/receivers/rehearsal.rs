//! The rehearsal: when a configuration is loaded, every template of every integration is rendered for sample alerts, so
//! that the operator hears of a mistake before a page does.

use jiff::SignedDuration;
use smol_str::SmolStr;
use watchbell_template::{Alert, Data, Kv, Now, TemplateError, Time};

use super::field::Field;
use super::{Integration, Integrations, Surroundings, data};

/// A template that fails, or that calls one that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The receiver's name.
    pub receiver: SmolStr,
    /// The integration's kind.
    pub kind: &'static str,
    /// The integration's position among the receiver's of this kind.
    pub index: u32,
    /// The setting.
    pub field: String,
    /// What is wrong with it, and where.
    pub error: TemplateError,
}

/// The labels that all sample alerts have, and that they are grouped by.
const GROUP_LABELS: [(&str, &str); 1] = [("alertname", "Rehearsal")];
/// The labels that all sample alerts have besides.
const COMMON_LABELS: [(&str, &str); 3] = [("job", "node"), ("severity", "critical"), ("team", "sample")];
/// The annotations that all sample alerts have.
const COMMON_ANNOTATIONS: [(&str, &str); 2] =
    [("description", "This alert is not real."), ("summary", "A sample of an alert")];

impl Integrations {
    /// What would go wrong if the integrations were told of alerts that fire and, unless they are never told of these,
    /// of alerts that are over. Nothing is sent.
    pub fn rehearse(&self, surroundings: &Surroundings) -> Vec<Warning> {
        let integrations =
            self.by_receiver.iter().flat_map(|(receiver, all)| all.iter().map(move |one| (receiver, one)));
        integrations.flat_map(|(receiver, integration)| integration.rehearse(receiver, surroundings)).collect()
    }
}

impl Integration {
    fn rehearse(&self, receiver: &SmolStr, surroundings: &Surroundings) -> Vec<Warning> {
        let now = data::template_clock((surroundings.now)());
        let samples = samples(receiver, &surroundings.external_url, self.sends_resolved, &now);
        let fields = self.way.fields().into_iter();
        let faults = fields.flat_map(|field| field.faults(&samples, &now).into_iter().map(move |fault| (field, fault)));
        let warning = |(field, error): (&Field, _)| Warning {
            receiver: receiver.clone(),
            kind: self.way.kind(),
            index: self.index,
            field: field.key.clone(),
            error,
        };
        faults.map(warning).collect()
    }
}

/// Notifications of one alert and of several.
fn samples(receiver: &str, external_url: &str, with_resolved: bool, now: &Now) -> Vec<Data> {
    let [first, second, over] = [alert("a", true, now), alert("b", true, now), alert("c", false, now)];
    let batches = if with_resolved {
        vec![vec![first.clone()], vec![over.clone()], vec![first, second, over]]
    } else {
        vec![vec![first.clone()], vec![first, second]]
    };
    batches.into_iter().map(|alerts| notification(receiver, external_url, alerts)).collect()
}

fn notification(receiver: &str, external_url: &str, alerts: Vec<Alert>) -> Data {
    let fires = alerts.iter().any(|alert| alert.status == data::status(true));
    Data {
        receiver: data::escaped(receiver),
        status: data::status(fires).to_owned(),
        alerts: alerts.into_iter().collect(),
        notification_reason: "first notification".to_owned(),
        group_labels: GROUP_LABELS.into_iter().collect(),
        common_labels: GROUP_LABELS.into_iter().chain(COMMON_LABELS).collect(),
        common_annotations: COMMON_ANNOTATIONS.into_iter().collect(),
        route_labels: Kv::default(),
        external_url: external_url.to_owned(),
        truncated_alerts: 0,
    }
}

/// An alert of `instance` that began an hour ago and fires, or is over since.
fn alert(instance: &str, fires: bool, now: &Now) -> Alert {
    let own = [("instance", instance)];
    Alert {
        status: data::status(fires).to_owned(),
        labels: GROUP_LABELS.into_iter().chain(COMMON_LABELS).chain(own).collect(),
        annotations: COMMON_ANNOTATIONS.into_iter().collect(),
        starts_at: Time::utc(now.instant - SignedDuration::from_hours(1)),
        ends_at: if fires { Time::default() } else { Time::utc(now.instant) },
        generator_url: "http://prometheus.example/graph?g0.expr=up".to_owned(),
        fingerprint: "0000000000000000".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WebServer, alert, integrations, notification, surroundings};

    /// What a rehearsal of `yaml` warns of.
    fn warnings(yaml: &str) -> Vec<String> {
        let integrations = integrations(yaml, &surroundings()).unwrap();
        let shown = integrations.rehearse(&surroundings()).into_iter().map(|warning| {
            let super::Warning { receiver, kind, index, field, error } = warning;
            format!("{receiver} {kind} {index} {field}: {error}")
        });
        shown.collect()
    }

    #[test]
    fn what_works_is_not_warned_of() {
        let none: [&str; 0] = [];
        assert_eq!(
            warnings("webhook_configs: [{url: 'http://a/{{ .Receiver }}', payload: {a: ['{{ .Status }}', 1]}}]"),
            none
        );
        assert_eq!(warnings("email_configs: [{to: a@b.example, from: c@d.example, smarthost: 'e:25'}]"), none);
        assert_eq!(warnings("terminal_configs: [{}, {text: '{{ .CommonLabels.nothing }}'}]"), none);
    }

    #[test]
    fn a_failing_template_is_named_with_its_place() {
        let yaml = "terminal_configs: [{text: x}, {text: \"a\\n{{ .Nope }}\"}]";
        let error = "template: :2:3: executing \"\" at <.Nope>: can't evaluate field Nope in type *template.Data";
        assert_eq!(warnings(yaml), [format!("team.a terminal 1 text: {error}")]);
        let yaml = "email_configs: [{to: '{{ .A }}', from: '{{ .B }}', smarthost: 'e:25', html: '{{ .C }}', text: '{{ .D }}', headers: {Subject: '{{ .E }}', X-Own: '{{ .F }}'}}]";
        let fields: Vec<_> =
            warnings(yaml).iter().map(|warning| warning.split(':').next().unwrap().to_owned()).collect();
        let expected =
            ["from", "to", "Subject", "X-Own", "text", "html"].map(|field| format!("team.a email 0 {field}"));
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_payload_is_rehearsed_wherever_it_holds_text() {
        let yaml = "webhook_configs: [{url: 'http://{{ .A }}', payload: {'{{ .B }}': [1, {c: '{{ .C }}'}]}}]";
        let found = warnings(yaml);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("team.a webhook 0 url: ") && found[0].contains("<.A>"), "{found:?}");
        assert!(found[1].starts_with("team.a webhook 0 payload: ") && found[1].contains("<.B>"), "{found:?}");
        assert!(found[2].starts_with("team.a webhook 0 payload: ") && found[2].contains("<.C>"), "{found:?}");
    }

    #[test]
    fn a_call_of_an_unknown_template_is_warned_of_once_and_also_where_it_is_not_reached() {
        for text in ["{{ template \"nope\" . }}", "{{ if eq .Status \"never\" }}{{ template \"nope\" . }}{{ end }}"] {
            let found = warnings(&format!("terminal_configs: [{{text: '{text}'}}]"));
            assert!(found.len() == 1 && found[0].contains("template \"nope\" not defined"), "{found:?}");
        }
    }

    #[test]
    fn only_who_is_told_of_resolved_alerts_rehearses_them() {
        let text = "text: '{{ (index .Alerts.Firing 0).Labels.instance }}'";
        assert_eq!(warnings(&format!("terminal_configs: [{{{text}}}]")).len(), 1);
        assert_eq!(warnings(&format!("terminal_configs: [{{{text}, send_resolved: false}}]")).len(), 0);
        let text = "text: '{{ (index .Alerts 1).Status }}'";
        assert_eq!(warnings(&format!("terminal_configs: [{{{text}, send_resolved: false}}]")).len(), 1);
    }

    #[tokio::test]
    async fn what_is_warned_of_goes_out_all_the_same() {
        let mut server = WebServer::start(&["200 OK\r\n\r\n"]).await;
        let yaml =
            format!("webhook_configs: [{{url: 'http://127.0.0.1:{}', payload: '{{{{ .Nope }}}}'}}]", server.port);
        assert_eq!(warnings(&yaml).len(), 1);
        let integrations = integrations(&yaml, &surroundings()).unwrap();
        integrations.send(&notification("webhook", vec![alert("a", true)])).await.unwrap();
        let request = server.request().await;
        assert!(request.contains("built-in text") && request.contains("instance=a"), "{request}");
    }
}
