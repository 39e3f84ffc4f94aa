//! How a mail travels: TLS, logins, and what is asked of the mail servers on its way.

use serde::{Deserialize, Serialize};

use super::super::Invalid;
use super::super::lenient::{empty, nullable};

/// When TLS begins, if at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// As `require_tls`, `force_implicit_tls` and the port say: Alertmanager's rules.
    Auto,
    /// Before SMTP does, on any port.
    Implicit,
    /// With STARTTLS, or nothing is sent.
    StartTls,
    /// With STARTTLS if the server offers it.
    Opportunistic,
    /// Never.
    None,
}

/// A way to log in (SASL).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMechanism {
    /// `SCRAM-SHA-256` (RFC 7677), with `auth_password`.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// `PLAIN` (RFC 4616), with `auth_password`.
    Plain,
    /// `LOGIN`, with `auth_password`.
    Login,
    /// `CRAM-MD5` (RFC 2195), with `auth_secret`.
    CramMd5,
    /// `OAUTHBEARER` (RFC 7628), with `auth_oauth2`.
    #[serde(rename = "oauthbearer")]
    OauthBearer,
    /// `XOAUTH2`, what Google and Microsoft had before it, with `auth_oauth2`.
    Xoauth2,
}

/// What happens if a server takes some recipients of a mail and not others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialDelivery {
    /// Those that it takes are told at once, the others when it takes them.
    #[default]
    Accept,
    /// Nobody is told unless all are taken.
    AllOrNothing,
}

/// What reports about the mail's delivery servers shall send to the envelope's sender (RFC 3461).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dsn {
    /// Of what; nothing is asked for if it is empty.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub notify: Vec<DsnNotify>,
    /// Whether reports name the notification. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub envid: bool,
}

/// What a server may report of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DsnNotify {
    /// Nothing, not even failures; alone.
    Never,
    /// That the mail arrived.
    Success,
    /// That it could not be delivered.
    Failure,
    /// That it is late.
    Delay,
}

impl DsnNotify {
    /// The word of the protocol.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Never => "NEVER",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Delay => "DELAY",
        }
    }
}

impl Default for Dsn {
    fn default() -> Self {
        Self { notify: Vec::new(), envid: true }
    }
}

impl Dsn {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(
            self.notify.contains(&DsnNotify::Never) && self.notify.len() > 1,
            "dsn.notify: never must stand alone",
        )
    }
}
