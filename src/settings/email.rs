//! `email_configs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::tls::TlsConfig;
use super::url::HostPort;
use super::{Invalid, at_most_one, canonical_header};

/// People who are told by mail. What is not given here is taken from the global settings, key by key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmailConfig {
    /// Whether they want to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
    /// Addresses, separated by commas; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub to: String,
    /// The sender's address; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub from: String,
    /// The name by which we greet the server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub hello: String,
    /// The mail server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub smarthost: HostPort,
    /// As whom to log in; nobody unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_username: String,
    /// The password for PLAIN and LOGIN.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_password_file: String,
    /// The secret for CRAM-MD5.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_secret: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_secret_file: String,
    /// As whom to act, in PLAIN.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_identity: String,
    /// Headers besides or instead of `To`, `From` and `Subject`; the values are templates.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub headers: BTreeMap<String, String>,
    /// The part in HTML; an HTML template. No such part if empty. Always shown, because it is not empty unless given.
    #[serde(deserialize_with = "nullable")]
    pub html: String,
    /// The part in plain text; a template. No such part if empty.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub text: String,
    /// Whether nothing is said in the clear.
    #[serde(skip_serializing_if = "empty")]
    pub require_tls: Option<bool>,
    /// How TLS is spoken.
    #[serde(skip_serializing_if = "empty")]
    pub tls_config: Option<TlsConfig>,
    /// Whether TLS begins before SMTP does; by default on port 465.
    #[serde(skip_serializing_if = "empty")]
    pub force_implicit_tls: Option<bool>,
    /// Whether mails about the same group refer to each other.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub threading: Threading,
}

/// Which mails make a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Threading {
    /// Whether there are threads.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub enabled: bool,
    /// `daily` begins a new thread each day, `none` does not.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub thread_by_date: String,
}

impl Default for EmailConfig {
    fn default() -> Self {
        Self {
            send_resolved: false,
            to: String::new(),
            from: String::new(),
            hello: String::new(),
            smarthost: HostPort::default(),
            auth_username: String::new(),
            auth_password: Secret::default(),
            auth_password_file: String::new(),
            auth_secret: Secret::default(),
            auth_secret_file: String::new(),
            auth_identity: String::new(),
            headers: BTreeMap::new(),
            html: "{{ template \"email.default.html\" . }}".to_owned(),
            text: String::new(),
            require_tls: None,
            tls_config: None,
            force_implicit_tls: None,
            threading: Threading::default(),
        }
    }
}

impl EmailConfig {
    /// Refuses what contradicts itself or lacks an address.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.to.is_empty(), "missing to address in email config")?;
        at_most_one(&[
            ("auth_password", !self.auth_password.is_empty()),
            ("auth_password_file", !self.auth_password_file.is_empty()),
        ])?;
        at_most_one(&[
            ("auth_secret", !self.auth_secret.is_empty()),
            ("auth_secret_file", !self.auth_secret_file.is_empty()),
        ])?;
        let headers = self.canonical_headers()?;
        self.validate_threading(&headers)?;
        self.tls_config.as_ref().map_or(Ok(()), TlsConfig::validate)
    }

    fn validate_threading(&self, headers: &BTreeMap<String, &str>) -> Result<(), Invalid> {
        if !self.threading.enabled {
            return Ok(());
        }
        for name in ["References", "In-Reply-To"] {
            let text = format!("conflicting configuration: threading.enabled conflicts with custom {name} header");
            Invalid::when(headers.contains_key(name), &text)?;
        }
        Invalid::when(
            !matches!(self.threading.thread_by_date.as_str(), "none" | "daily"),
            "threading.thread_by_date must be either 'none' or 'daily'",
        )
    }

    /// The headers under their usual spelling: `subject` becomes `Subject`.
    ///
    /// # Errors
    /// Two names that differ only in case are refused.
    pub fn canonical_headers(&self) -> Result<BTreeMap<String, &str>, Invalid> {
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            let name = canonical_header(name);
            if headers.insert(name.clone(), value.as_str()).is_some() {
                return Err(Invalid(format!("duplicate header {name:?} in email config")));
            }
        }
        Ok(headers)
    }
}
