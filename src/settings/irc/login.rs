//! The services of a network: who lets us log in, and who lets us into channels.

use serde::{Deserialize, Serialize};

use super::super::duration::PrometheusDuration;
use super::super::lenient::{empty, nullable};
use super::super::secret::Secret;
use super::super::{Invalid, at_most_one, one_of};
use super::seconds;

/// SASL, the login before registration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcSasl {
    /// `auto`, `external`, `plain`, `scram-sha-256` or `none`.
    #[serde(deserialize_with = "nullable")]
    pub mechanism: String,
    /// The account; the nick unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub username: String,
    /// Its password.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password_file: String,
    /// Whether there is no session without it. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub required: bool,
}

/// NickServ, the login after registration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcNickserv {
    /// `auto` (with a password, if SASL did not do it), `true` or `false`.
    #[serde(deserialize_with = "nullable")]
    pub enabled: String,
    /// The service's nick, or `nick@server`.
    #[serde(deserialize_with = "nullable")]
    pub service: String,
    /// What it is told; a template over `Account` and `Password`.
    #[serde(deserialize_with = "nullable")]
    pub identify_command: String,
    /// The account; the nick unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub account: String,
    /// Its password.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password_file: String,
    /// How long to wait for the login before joining channels.
    #[serde(deserialize_with = "nullable")]
    pub wait: PrometheusDuration,
}

/// ChanServ, which opens channels that do not let us in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcChanserv {
    /// The service's nick, or `nick@server`.
    #[serde(deserialize_with = "nullable")]
    pub service: String,
    /// Whether it is asked to lift a ban. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub unban: bool,
    /// Whether it is asked for an invitation. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub invite: bool,
}

impl Default for IrcSasl {
    fn default() -> Self {
        Self {
            mechanism: "auto".to_owned(),
            username: String::new(),
            password: Secret::default(),
            password_file: String::new(),
            required: false,
        }
    }
}

impl Default for IrcNickserv {
    fn default() -> Self {
        Self {
            enabled: "auto".to_owned(),
            service: "NickServ".to_owned(),
            identify_command: "IDENTIFY {{ .Account }} {{ .Password }}".to_owned(),
            account: String::new(),
            password: Secret::default(),
            password_file: String::new(),
            wait: seconds(15),
        }
    }
}

impl Default for IrcChanserv {
    fn default() -> Self {
        Self { service: "ChanServ".to_owned(), unban: false, invite: false }
    }
}

impl IrcSasl {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        one_of("sasl mechanism", &self.mechanism, &["auto", "external", "plain", "scram-sha-256", "none"])?;
        let password = !self.password.is_empty();
        at_most_one(&[("sasl password", password), ("password_file", !self.password_file.is_empty())])
    }
}

impl IrcNickserv {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        one_of("nickserv enabled", &self.enabled, &["auto", "true", "false"])?;
        let password = !self.password.is_empty();
        at_most_one(&[("nickserv password", password), ("password_file", !self.password_file.is_empty())])
    }
}
