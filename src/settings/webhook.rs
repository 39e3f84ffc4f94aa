//! `webhook_configs`.

use serde::{Deserialize, Serialize};

use super::duration::GoDuration;
use super::http::HttpConfig;
use super::lenient::{empty, nullable};
use super::url::TemplateUrl;
use super::{Invalid, at_most_one};

/// A server that is told by an HTTP POST.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Whether it wants to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
    /// How it is reached; the global settings if not given.
    #[serde(skip_serializing_if = "empty")]
    pub http_config: Option<HttpConfig>,
    /// Where to post. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub url: TemplateUrl,
    /// A file that says where to post. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub url_file: String,
    /// How many alerts are told at most; 0 means all. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub max_alerts: u64,
    /// How long one request may take; 0 means as long as the notification may. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub timeout: GoDuration,
    /// What to post instead of Alertmanager's body; texts in it are templates.
    #[serde(skip_serializing_if = "empty")]
    pub payload: Option<serde_json::Value>,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            send_resolved: true,
            http_config: None,
            url: TemplateUrl::default(),
            url_file: String::new(),
            max_alerts: 0,
            timeout: GoDuration::default(),
            payload: None,
        }
    }
}

impl WebhookConfig {
    /// Refuses what contradicts itself or lacks an address.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        let (inline, file) = (!self.url.is_empty(), !self.url_file.is_empty());
        Invalid::when(!inline && !file, "one of url or url_file must be configured")?;
        at_most_one(&[("url", inline), ("url_file", file)])?;
        self.http_config.as_ref().map_or(Ok(()), HttpConfig::validate)
    }
}
