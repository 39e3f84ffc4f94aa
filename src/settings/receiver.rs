//! `receivers`: names, and under each name the integrations that are told.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::email::EmailConfig;
use super::gitlab::GitlabConfig;
use super::irc::IrcConfig;
use super::lenient::{empty, nullable};
use super::terminal::TerminalConfig;
use super::webhook::WebhookConfig;

/// A receiver. One without any integration is legal and swallows what it is told.
///
/// Whether `name` is there and unique, and each integration whole after inheriting, is checked by whoever sees them
/// all.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receiver {
    /// What routes call it.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// What else is known of it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub labels: BTreeMap<String, String>,
    /// Discord, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub discord_configs: Vec<Unsupported>,
    /// Mail.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub email_configs: Vec<EmailConfig>,
    /// incident.io, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub incidentio_configs: Vec<Unsupported>,
    /// PagerDuty, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub pagerduty_configs: Vec<Unsupported>,
    /// Slack, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub slack_configs: Vec<Unsupported>,
    /// Servers that are told by an HTTP POST.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub webhook_configs: Vec<WebhookConfig>,
    /// Opsgenie, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub opsgenie_configs: Vec<Unsupported>,
    /// WeChat, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub wechat_configs: Vec<Unsupported>,
    /// Pushover, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub pushover_configs: Vec<Unsupported>,
    /// VictorOps, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub victorops_configs: Vec<Unsupported>,
    /// Amazon SNS, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub sns_configs: Vec<Unsupported>,
    /// Telegram, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub telegram_configs: Vec<Unsupported>,
    /// Webex, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub webex_configs: Vec<Unsupported>,
    /// Microsoft Teams, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub msteams_configs: Vec<Unsupported>,
    /// Microsoft Teams by workflows, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub msteamsv2_configs: Vec<Unsupported>,
    /// Jira, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub jira_configs: Vec<Unsupported>,
    /// Rocket.Chat, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rocketchat_configs: Vec<Unsupported>,
    /// Mattermost, which is not supported.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub mattermost_configs: Vec<Unsupported>,
    /// IRC channels and people.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub irc_configs: Vec<IrcConfig>,
    /// GitLab projects.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub gitlab_configs: Vec<GitlabConfig>,
    /// The terminal that the program runs on.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub terminal_configs: Vec<TerminalConfig>,
}

/// The settings of an integration whose kind Alertmanager knows and we do not. What they say is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unsupported {}

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(source).map(|IgnoredAny| Self {})
    }
}

impl Receiver {
    /// The kinds it uses that are not supported, as `global` and the metrics spell them.
    pub fn unsupported_kinds(&self) -> impl Iterator<Item = &'static str> {
        let kinds = [
            ("discord", &self.discord_configs),
            ("incidentio", &self.incidentio_configs),
            ("pagerduty", &self.pagerduty_configs),
            ("slack", &self.slack_configs),
            ("opsgenie", &self.opsgenie_configs),
            ("wechat", &self.wechat_configs),
            ("pushover", &self.pushover_configs),
            ("victorops", &self.victorops_configs),
            ("sns", &self.sns_configs),
            ("telegram", &self.telegram_configs),
            ("webex", &self.webex_configs),
            ("msteams", &self.msteams_configs),
            ("msteamsv2", &self.msteamsv2_configs),
            ("jira", &self.jira_configs),
            ("rocketchat", &self.rocketchat_configs),
            ("mattermost", &self.mattermost_configs),
        ];
        kinds.into_iter().filter(|(_, configs)| !configs.is_empty()).map(|(kind, _)| kind)
    }
}
