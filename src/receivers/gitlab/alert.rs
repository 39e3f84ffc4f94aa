//! Mode `alert`: GitLab's own alerts, by the project's generic HTTP endpoint. It knows alerts by the fingerprint that we
//! give, so telling it the same twice makes one. No issue is looked at.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use watchbell_engine::notification::{Failure, Notification, NotifiedAlert, Reason};

use super::super::http::{HttpClient, Request, read_trimmed};
use super::super::{ReceiverError, Surroundings, data, outcome};
use super::api::{bearer, judge};
use super::wording::{Texts, shortened};
use super::{description, markdown};
use crate::settings::gitlab::GitlabConfig;
use crate::settings::url::SecretUrl;

/// What GitLab keeps of a title, in characters; it cuts off the rest.
const MAX_TITLE: usize = 200;

/// The same of a description, in bytes here and characters there.
const MAX_DESCRIPTION: usize = 1000;

/// The same of the hosts, joined.
const MAX_HOSTS: usize = 255;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The endpoint of one project.
pub(super) struct Endpoint {
    url: SecretUrl,
    key_file: String,
    client: HttpClient,
    timeout: Duration,
    /// Whether each alert is one of GitLab's, too, and not each group.
    by_alert: bool,
}

impl Endpoint {
    pub(super) fn build(config: &GitlabConfig, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        let mut http = config.http_config.clone().unwrap_or_default();
        http.follow_redirects = false;
        Ok(Self {
            url: config.alert_url.clone(),
            key_file: config.alert_key_file.clone(),
            client: HttpClient::build(&http, surroundings)?,
            timeout: config.timeout.0,
            by_alert: config.alert_identity == "alert",
        })
    }

    /// Tells the group, or each of its alerts whose state the endpoint does not know.
    pub(super) async fn tell(&self, texts: &Texts, notification: &Notification, cluster: &str) -> Result<(), Failure> {
        let group = description::group_id(cluster, &notification.key);
        if !self.by_alert {
            return self.post(&payload(texts, notification, &group)?).await;
        }
        for told in notification.alerts.iter().filter(|told| is_news(told, notification)) {
            let alone = Notification { alerts: vec![told.clone()], ..notification.clone() };
            let fingerprint = format!("{group}{}", told.alert.fingerprint());
            let fingerprint = description::hex(&Sha256::digest(fingerprint));
            self.post(&payload(texts, &alone, &fingerprint)?).await?;
        }
        Ok(())
    }

    async fn post(&self, payload: &Value) -> Result<(), Failure> {
        let headers = match self.key_file.as_str() {
            "" => reqwest::header::HeaderMap::new(),
            path => bearer(&read_trimmed(path).await.map_err(outcome::transient)?).map_err(outcome::permanent)?,
        };
        let body = payload.to_string().into_bytes();
        let url = self.url.reveal();
        let request = self.client.request(Request { method: Method::POST, url, headers, body, max_answer: MAX_ANSWER });
        let timeout = if self.timeout.is_zero() { Duration::MAX } else { self.timeout };
        let (reply, _) = tokio::time::timeout(timeout, request)
            .await
            .map_err(|_| outcome::late(format!("no answer within {} s", timeout.as_secs_f64())))?
            .map_err(outcome::transient)?;
        judge(&reply)
    }
}

/// Whether the endpoint was not told so before; a repeat tells all that fires.
fn is_news(told: &NotifiedAlert, notification: &Notification) -> bool {
    let hash = told.alert.labels.log_hash();
    let known = notification.previous.as_ref().is_some_and(|previous| previous.tells_firing(hash));
    !told.firing || !known || notification.reason == Reason::Repeat
}

fn payload(texts: &Texts, notification: &Notification, fingerprint: &str) -> Result<Value, Failure> {
    let wording = texts.render(notification)?;
    let alerts = &notification.alerts;
    let mut payload = Map::new();
    let mut set = |key: &str, value: Value| drop(payload.insert(key.to_owned(), value));
    set("title", wording.title.chars().take(MAX_TITLE).collect::<String>().into());
    set("description", shortened(&wording.region, MAX_DESCRIPTION).into());
    set("severity", wording.severity.into());
    set("fingerprint", fingerprint.into());
    set("monitoring_tool", "Watchbell".into());
    set("hosts", hosts(alerts).into());
    let starts = alerts.iter().map(|told| told.alert.starts_at).min().unwrap_or(notification.flushed_at);
    set("start_time", data::instant(starts).to_string().into());
    if !alerts.iter().any(|told| told.firing) {
        let ends = alerts.iter().map(|told| told.alert.ends_at).max().unwrap_or(notification.flushed_at);
        set("end_time", data::instant(ends).to_string().into());
    }
    let group: Map<String, Value> = notification
        .group_labels
        .iter()
        .map(|(name, value)| (name.to_owned(), markdown::neutral_title(value).into()))
        .collect();
    set("group", json!(group));
    Ok(payload.into())
}

/// The instances, as many as GitLab keeps.
fn hosts(alerts: &[NotifiedAlert]) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    let mut length = 0;
    for host in alerts.iter().filter_map(|told| told.alert.labels.get("instance")).map(markdown::neutral_title) {
        length += host.len() + 2;
        if length <= MAX_HOSTS && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}
