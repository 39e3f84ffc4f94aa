//! From a notification to what its templates see. It must not know what is sent, or how.

use jiff::tz::{Offset, TimeZone};
use watchbell_engine::label::Labels;
use watchbell_engine::notification::{Notification, NotifiedAlert};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_template::{Alert, Data, Kv, Now, Time};

use super::route_labels::RouteLabels;

/// What templates see of `notification` if only `alerts`, a part of its alerts, are told.
pub(super) fn data(
    notification: &Notification,
    alerts: &[NotifiedAlert],
    external_url: &str,
    route_labels: &RouteLabels,
    now: &Now,
) -> Data {
    let mut data = Data {
        receiver: escaped(&notification.key.receiver),
        status: status(alerts.iter().any(|told| told.firing)).to_owned(),
        alerts: alerts.iter().map(alert).collect(),
        notification_reason: "unknown".to_owned(),
        group_labels: pairs(&notification.group_labels),
        common_labels: pairs(&common(alerts, |told| &told.alert.labels)),
        common_annotations: pairs(&common(alerts, |told| &told.alert.annotations)),
        route_labels: Kv::default(),
        external_url: external_url.to_owned(),
        truncated_alerts: 0,
    };
    data.route_labels = route_labels.rendered(&notification.route_labels, &data, now);
    notification.reason.as_str().clone_into(&mut data.notification_reason);
    data
}

/// The word for an alert or a batch that fires, or does not.
pub(super) fn status(firing: bool) -> &'static str {
    if firing { "firing" } else { "resolved" }
}

/// The templates' clock at `now`.
pub fn template_clock(now: Timestamp) -> Now {
    Now { instant: instant(now), local: TimeZone::system() }
}

/// `time` as the time library counts.
pub(super) fn instant(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(time.as_micros()).unwrap_or(jiff::Timestamp::MIN)
}

/// The zone in which a sender wrote its times.
pub(super) fn zone(offset: UtcOffset) -> TimeZone {
    Offset::from_seconds(i32::from(offset.0) * 60).map_or(TimeZone::UTC, TimeZone::fixed)
}

fn alert(told: &NotifiedAlert) -> Alert {
    let alert = &told.alert;
    Alert {
        status: status(told.firing).to_owned(),
        labels: pairs(&alert.labels),
        annotations: pairs(&alert.annotations),
        starts_at: time(alert.starts_at, alert.starts_offset),
        ends_at: if told.firing { Time::default() } else { time(alert.ends_at, alert.ends_offset) },
        generator_url: alert.generator_url.to_string(),
        fingerprint: alert.fingerprint().to_string(),
    }
}

fn time(time: Timestamp, offset: UtcOffset) -> Time {
    if offset.0 == 0 { Time::utc(instant(time)) } else { Time::local(instant(time), zone(offset)) }
}

fn pairs(labels: &Labels) -> Kv {
    labels.iter().collect()
}

/// The pairs that all `alerts` have.
pub(super) fn common(alerts: &[NotifiedAlert], of: impl Fn(&NotifiedAlert) -> &Labels) -> Labels {
    let Some((first, rest)) = alerts.split_first() else { return Labels::default() };
    let first = of(first);
    let shared = |name: &str| rest.iter().all(|told| of(told).get(name) == first.get(name));
    first.filtered(shared)
}

/// `name` with what regular expressions use escaped, as Alertmanager hands it out.
pub(super) fn escaped(name: &str) -> String {
    let escape = |c: char| r"\.+*?()|[]{}^$".contains(c).then_some('\\').into_iter().chain([c]);
    name.chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use watchbell_template::Engine;

    use super::super::field::Field;
    use super::super::tests::{NOW, alert, notification, templates};
    use super::*;

    fn rendered(notification: &Notification, source: &str) -> String {
        let now = template_clock(NOW);
        let route_labels = RouteLabels::parse([&notification.route_labels], &templates());
        let data = data(notification, &notification.alerts, "http://am", &route_labels, &now);
        Field::compile(&templates(), Engine::Text, "text", source).unwrap().render(&data, &now).unwrap()
    }

    #[test]
    fn templates_see_what_the_alerts_share() {
        let told = notification("webhook", vec![alert("a", false), alert("b", true)]);
        let source = "{{ .Receiver }} {{ .Status }} {{ .CommonLabels }} {{ .NotificationReason }} {{ .ExternalURL }}";
        let expected = r"team\.a firing alertname=Disk<full> first notification http://am";
        assert_eq!(rendered(&told, source), expected);
        let times = "{{ range .Alerts }}{{ .StartsAt.Format \"15:04 -0700\" }} {{ .EndsAt.IsZero }} {{ end }}";
        assert_eq!(rendered(&told, times), "05:04 +0200 false 05:04 +0200 true ");
    }

    #[test]
    fn route_labels_are_rendered_and_may_refer_to_each_other() {
        let mut told = notification("webhook", vec![alert("a", true)]);
        told.route_labels = Labels::from_iter([
            ("a", "{{ routeLabels \"b\" }}!"),
            ("b", "{{ routeLabels \"c\" }}?"),
            ("c", "{{ .CommonLabels.instance }}"),
            ("d", "{{ .Nope }}"),
        ]);
        assert_eq!(rendered(&told, "{{ .RouteLabels }}"), "a=a?!, b=a?, c=a");
    }
}
