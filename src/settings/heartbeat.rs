//! `heartbeats`.

use std::time::Duration;

use serde::Deserialize;

use super::duration::PrometheusDuration;
use super::http::HttpConfig;
use super::lenient::nullable;
use super::url::SecretUrl;
use super::{Invalid, at_most_one, one_of};

/// A URL that is called while everything works.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Its name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// The name of the rule under `expect` whose alert must go the whole way.
    #[serde(deserialize_with = "nullable")]
    pub expect: String,
    /// What is called.
    #[serde(deserialize_with = "nullable")]
    pub url: SecretUrl,
    /// A file that says what is called.
    #[serde(deserialize_with = "nullable")]
    pub url_file: String,
    /// Time between two calls.
    pub interval: PrometheusDuration,
    /// `GET`, `HEAD` or `POST`.
    #[serde(deserialize_with = "nullable")]
    pub method: String,
    /// How long a call may take.
    pub timeout: PrometheusDuration,
    /// How the URL is reached; the global settings if not given.
    pub http_config: Option<HttpConfig>,
}

impl Default for HeartbeatConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            expect: String::new(),
            url: SecretUrl::default(),
            url_file: String::new(),
            interval: PrometheusDuration(Duration::from_secs(60)),
            method: "GET".to_owned(),
            timeout: PrometheusDuration(Duration::from_secs(10)),
            http_config: None,
        }
    }
}

impl HeartbeatConfig {
    /// Refuses what contradicts itself or lacks an address.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        let (inline, file) = (!self.url.is_empty(), !self.url_file.is_empty());
        Invalid::when(self.name.is_empty(), "missing name in heartbeat")?;
        Invalid::when(self.expect.is_empty(), "missing `expect`: the name of the rule whose alert must arrive")?;
        Invalid::when(!inline && !file, "one of url or url_file must be configured")?;
        at_most_one(&[("url", inline), ("url_file", file)])?;
        one_of("method", &self.method, &["GET", "HEAD", "POST"])?;
        Invalid::when(self.interval.is_zero(), "interval cannot be zero")?;
        Invalid::when(self.timeout.is_zero(), "timeout cannot be zero")?;
        self.http_config.as_ref().map_or(Ok(()), HttpConfig::validate)
    }
}
