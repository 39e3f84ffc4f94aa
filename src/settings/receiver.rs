//! `receivers`: names, and under each name the integrations that are told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Mail.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub email_configs: Vec<EmailConfig>,
    /// Servers that are told by an HTTP POST.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub webhook_configs: Vec<WebhookConfig>,
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
