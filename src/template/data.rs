//! What a notification's templates see: Alertmanager's `template.Data` and the types under it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::time::Time;

/// The root of every notification template. A clone shares the alerts and label sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// The receiver's name, with regular expression metacharacters escaped as Alertmanager does.
    pub receiver: String,
    /// `firing` if any of the alerts fires, otherwise `resolved`.
    pub status: String,
    /// The alerts of the notification, in flush order.
    pub alerts: Alerts,
    /// Why the notification is sent, in Alertmanager's words (`first notification`, ...).
    pub notification_reason: String,
    /// The labels that the group's alerts are grouped by.
    pub group_labels: Kv,
    /// The labels that all alerts share.
    pub common_labels: Kv,
    /// The annotations that all alerts share.
    pub common_annotations: Kv,
    /// The route's own labels, rendered.
    pub route_labels: Kv,
    /// The external URL, without a slash at its end.
    pub external_url: String,
    /// How many alerts of the notification are not among `alerts`, for want of room. Alertmanager has no such field, so
    /// it shows only where it is asked for.
    pub truncated_alerts: usize,
}

/// One alert of a notification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    /// `firing` or `resolved`.
    pub status: String,
    /// The alert's labels.
    pub labels: Kv,
    /// The alert's annotations.
    pub annotations: Kv,
    /// When it began to fire.
    pub starts_at: Time,
    /// When it was resolved; the zero time while it fires.
    pub ends_at: Time,
    /// A link to what raised the alert.
    pub generator_url: String,
    /// The fingerprint of the labels, 16 hexadecimal digits.
    pub fingerprint: String,
}

/// A list of alerts, shared by its clones. Built by `collect`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerts(pub(crate) Arc<[Arc<Alert>]>);

/// A set of names with values (Alertmanager's `KV`), shared by its clones. Built by `collect`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kv(pub(crate) Arc<BTreeMap<Arc<str>, Arc<str>>>);

/// The name that leads every sorted list of pairs.
const ALERT_NAME: &str = "alertname";

impl Alerts {
    /// The alerts in order.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Those whose status is `status`.
    pub(crate) fn with_status(&self, status: &str) -> Self {
        Self(self.0.iter().filter(|alert| alert.status == status).cloned().collect())
    }
}

impl Kv {
    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Names and values in byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Names and values in byte order of the names, but `alertname` first.
    pub(crate) fn sorted_pairs(&self) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
        let leader = self.0.get_key_value(ALERT_NAME);
        let others = self.0.iter().filter(|(name, _)| name.as_ref() != ALERT_NAME);
        leader.into_iter().chain(others).map(|(name, value)| (name.clone(), value.clone()))
    }

    /// A copy without the pairs of these names.
    pub(crate) fn without(&self, names: &[Arc<str>]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(name));
        Self(Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}

impl FromIterator<Alert> for Alerts {
    fn from_iter<I: IntoIterator<Item = Alert>>(alerts: I) -> Self {
        Self(alerts.into_iter().map(Arc::new).collect())
    }
}

impl FromIterator<Arc<Alert>> for Alerts {
    fn from_iter<I: IntoIterator<Item = Arc<Alert>>>(alerts: I) -> Self {
        Self(alerts.into_iter().collect())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Kv {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().map(|(name, value)| (name.as_ref().into(), value.as_ref().into())).collect()))
    }
}
