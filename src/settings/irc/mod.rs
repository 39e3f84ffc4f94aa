//! `irc_servers` and `irc_configs`: the networks we speak on, and who is told there.

mod commands;
mod login;
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::PrometheusDuration;
use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::{Invalid, at_most_one, one_of};

pub use commands::IrcCommands;
pub use login::{IrcChanserv, IrcNickserv, IrcSasl};
pub use server::{IrcFlood, IrcReconnect, IrcServer};

/// Who is told on a network, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcConfig {
    /// Whether they want to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
    /// The network, by its name among `irc_servers`.
    #[serde(deserialize_with = "nullable")]
    pub server: String,
    /// Channels and nicks; templates. One that comes out empty is skipped.
    #[serde(deserialize_with = "nullable")]
    pub to: Vec<String>,
    /// The channels' key.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub channel_key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub channel_key_file: String,
    /// `privmsg` or `notice`.
    #[serde(deserialize_with = "nullable")]
    pub message_type: String,
    /// `group`: one message a notification; `alert`: one an alert.
    #[serde(deserialize_with = "nullable")]
    pub mode: String,
    /// What is said; a template.
    #[serde(deserialize_with = "nullable")]
    pub message: String,
    /// Lines a notification may have.
    #[serde(deserialize_with = "nullable")]
    pub max_lines: u32,
    /// `wrap` or `truncate`.
    #[serde(deserialize_with = "nullable")]
    pub long_lines: String,
    /// Bytes a line may have; 0 means what the server lets through.
    #[serde(deserialize_with = "nullable")]
    pub max_line_bytes: u32,
    /// `auto`, `none` or `always`.
    #[serde(deserialize_with = "nullable")]
    pub formatting: String,
    /// Nicks to name; templates.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub highlight: Vec<String>,
    /// How much a target is told.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub rate_limit: IrcRateLimit,
    /// `auto`, `echo`, `ping` or `none`: what proves that a message arrived.
    #[serde(deserialize_with = "nullable")]
    pub confirm: String,
    /// How long to wait for the proof.
    #[serde(deserialize_with = "nullable")]
    pub confirm_timeout: PrometheusDuration,
    /// Whether a message carries its id, by which peers and people find it. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub message_id: bool,
    /// How long a peer's message counts as ours; 0 means never.
    #[serde(deserialize_with = "nullable")]
    pub peer_dedup_window: PrometheusDuration,
    /// `fail` or `drop` if a channel does not let us in.
    #[serde(deserialize_with = "nullable")]
    pub on_unjoinable: String,
}

/// How much a target is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcRateLimit {
    /// Lines.
    #[serde(deserialize_with = "nullable")]
    pub lines: u32,
    /// In this time.
    #[serde(deserialize_with = "nullable")]
    pub per: PrometheusDuration,
}

impl Default for IrcConfig {
    fn default() -> Self {
        Self {
            send_resolved: true,
            server: String::new(),
            to: Vec::new(),
            channel_key: Secret::default(),
            channel_key_file: String::new(),
            message_type: "privmsg".to_owned(),
            mode: "group".to_owned(),
            message: "{{ template \"irc.default.message\" . }}".to_owned(),
            max_lines: 4,
            long_lines: "wrap".to_owned(),
            max_line_bytes: 0,
            formatting: "auto".to_owned(),
            highlight: Vec::new(),
            rate_limit: IrcRateLimit::default(),
            confirm: "auto".to_owned(),
            confirm_timeout: seconds(10),
            message_id: true,
            peer_dedup_window: seconds(600),
            on_unjoinable: "fail".to_owned(),
        }
    }
}

impl Default for IrcRateLimit {
    fn default() -> Self {
        Self { lines: 60, per: seconds(3600) }
    }
}

impl IrcConfig {
    /// Refuses what contradicts itself or names nobody.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.server.is_empty(), "missing server in irc config")?;
        Invalid::when(self.to.is_empty(), "missing to in irc config")?;
        let key = !self.channel_key.is_empty();
        at_most_one(&[("channel_key", key), ("channel_key_file", !self.channel_key_file.is_empty())])?;
        one_of("message_type", &self.message_type, &["privmsg", "notice"])?;
        one_of("mode", &self.mode, &["group", "alert"])?;
        one_of("long_lines", &self.long_lines, &["wrap", "truncate"])?;
        one_of("formatting", &self.formatting, &["auto", "none", "always"])?;
        one_of("confirm", &self.confirm, &["auto", "echo", "ping", "none"])?;
        one_of("on_unjoinable", &self.on_unjoinable, &["fail", "drop"])
    }
}

const fn seconds(count: u64) -> PrometheusDuration {
    PrometheusDuration(Duration::from_secs(count))
}
