//! Heartbeats: a URL that is called to say that everything works. Whether it does is decided elsewhere.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::http::{HttpClient, Request, read_trimmed};
use super::{ReceiverError, Surroundings};
use crate::settings::duration::PrometheusDuration;
use crate::settings::heartbeat::HeartbeatConfig;

/// How much of a refusal is shown.
const MAX_ANSWER_BYTES: usize = 1024;

/// Somebody who waits for calls.
pub(super) struct Heartbeat {
    address: Address,
    method: Method,
    timeout: Duration,
    client: HttpClient,
}

/// Both are secrets: who knows them can say that all is well.
enum Address {
    Inline(String),
    File(String),
}

impl Heartbeat {
    pub(super) fn build(config: &HeartbeatConfig, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        let address = match config.url.is_empty() {
            false => Address::Inline(config.url.reveal().to_owned()),
            true => Address::File(config.url_file.clone()),
        };
        let method = Method::from_bytes(config.method.as_bytes());
        let http = config.http_config.clone().unwrap_or_default();
        Ok(Self {
            address,
            method: method.map_err(|error| ReceiverError::Setting(format!("method: {error}")))?,
            timeout: config.timeout.0,
            client: HttpClient::build(&http, surroundings)?,
        })
    }

    /// Calls once.
    pub(super) async fn send(&self) -> Result<(), String> {
        let late = |_| format!("no answer within {}", PrometheusDuration(self.timeout));
        tokio::time::timeout(self.timeout, self.call()).await.map_err(late)?
    }

    async fn call(&self) -> Result<(), String> {
        let url = match &self.address {
            Address::Inline(url) => url.clone(),
            Address::File(path) => read_trimmed(path).await?,
        };
        let (method, headers) = (self.method.clone(), HeaderMap::new());
        let request = Request { method, url: &url, headers, body: Vec::new(), max_answer: MAX_ANSWER_BYTES };
        let (reply, _) = self.client.request(request).await?;
        match reply.status {
            200..300 => Ok(()),
            status => Err(format!("unexpected status code {status}: {}", reply.body.trim())),
        }
    }
}
