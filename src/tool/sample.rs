//! The notification that a text is rendered with if no data are given: amtool's.

use jiff::SignedDuration;
use watchbell_template::{Alert, Data, Kv, Now, Time};

/// The status of the notification and of both alerts: neither `firing` nor `resolved`.
const STATUS: &str = "alertstatus";
/// Where both alerts come from.
const GENERATOR_URL: &str = "https://generatorurl.com";

const COMMON_LABELS: [(&str, &str); 2] =
    [("commonlabelkey1", "commonlabelvalue1"), ("commonlabelkey2", "commonlabelvalue2")];
const COMMON_ANNOTATIONS: [(&str, &str); 2] =
    [("commonannotationkey1", "commonannotationvalue1"), ("commonannotationkey2", "commonannotationvalue2")];

/// Two alerts, five and ten minutes old, which both end now.
pub(super) fn data(now: &Now) -> Data {
    let time = |minutes| Time::local(now.instant + SignedDuration::from_mins(minutes), now.local.clone());
    let first = Alert {
        labels: with(&COMMON_LABELS, &[("label1", "value1"), ("label2", "value2"), ("instance", "foo.bar:1234")]),
        annotations: with(&COMMON_ANNOTATIONS, &[("annotation1", "value1"), ("annotation2", "value2")]),
        starts_at: time(-5),
        ends_at: time(0),
        ..alert("fingerprint1")
    };
    let second = Alert {
        labels: with(&COMMON_LABELS, &[("foo", "bar"), ("baz", "qux")]),
        annotations: with(&COMMON_ANNOTATIONS, &[("aaa", "bbb"), ("ccc", "ddd")]),
        starts_at: time(-10),
        ends_at: time(0),
        ..alert("fingerprint2")
    };
    Data {
        receiver: "receiver".to_owned(),
        status: STATUS.to_owned(),
        alerts: [first, second].into_iter().collect(),
        group_labels: with(&[("grouplabelkey1", "grouplabelvalue1"), ("grouplabelkey2", "grouplabelvalue2")], &[]),
        common_labels: with(&COMMON_LABELS, &[]),
        common_annotations: with(&COMMON_ANNOTATIONS, &[]),
        external_url: "https://example.com".to_owned(),
        truncated_alerts: 0,
        ..Data::default()
    }
}

fn alert(fingerprint: &str) -> Alert {
    Alert {
        status: STATUS.to_owned(),
        generator_url: GENERATOR_URL.to_owned(),
        fingerprint: fingerprint.to_owned(),
        ..Alert::default()
    }
}

fn with(common: &[(&str, &str)], own: &[(&str, &str)]) -> Kv {
    common.iter().chain(own).copied().collect()
}
