//! What people on IRC may ask of us.

use serde::{Deserialize, Serialize};

use super::super::duration::PrometheusDuration;
use super::super::lenient::{empty, nullable};
use super::seconds;

/// What people on IRC may ask of us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcCommands {
    /// Whether they may ask at all. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub enabled: bool,
    /// How a command begins.
    #[serde(deserialize_with = "nullable")]
    pub prefix: String,
    /// Accounts that may acknowledge and silence.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub accounts: Vec<String>,
    /// Accounts that may ask; `*` is everybody in the channel.
    #[serde(deserialize_with = "nullable")]
    pub read_accounts: Vec<String>,
    /// Where they may ask; every channel we are in unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub channels: Vec<String>,
    /// The longest silence.
    #[serde(deserialize_with = "nullable")]
    pub max_silence: PrometheusDuration,
    /// How long an acknowledgement lasts.
    #[serde(deserialize_with = "nullable")]
    pub ack_duration: PrometheusDuration,
    /// Its comment; a template over `Account`.
    #[serde(deserialize_with = "nullable")]
    pub ack_comment: String,
    /// Whether being an operator or identified by WHOIS will do. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub allow_weak_auth: bool,
    /// How many commands a person may give: `5/m`.
    #[serde(deserialize_with = "nullable")]
    pub rate: String,
}

impl Default for IrcCommands {
    fn default() -> Self {
        Self {
            enabled: false,
            prefix: "!".to_owned(),
            accounts: Vec::new(),
            read_accounts: vec!["*".to_owned()],
            channels: Vec::new(),
            max_silence: seconds(4 * 3600),
            ack_duration: seconds(15 * 60),
            ack_comment: "ACK! acknowledged on IRC by {{ .Account }}".to_owned(),
            allow_weak_auth: false,
            rate: "5/m".to_owned(),
        }
    }
}
