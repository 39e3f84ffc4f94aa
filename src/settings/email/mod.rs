//! `email_configs`: Alertmanager's keys, and ours after them.

mod threading;
mod transport;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::http::OAuth2;
use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::size::ByteSize;
use super::tls::TlsConfig;
use super::url::HostPort;
use super::{Invalid, at_most_one, canonical_header};

pub use threading::{ThreadBy, Threading};
pub use transport::{AuthMechanism, Dsn, DsnNotify, PartialDelivery, TlsMode};

/// The part in HTML, unless the operator has one.
pub const DEFAULT_HTML: &str = "{{ template \"email.default.html\" . }}";

/// The part in plain text, unless the operator has one.
pub const DEFAULT_TEXT: &str = "{{ template \"email.default.text\" . }}";

/// The value of `message_id_domain` that makes names which are never the same.
pub const RANDOM_MESSAGE_IDS: &str = "random";

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
    /// The part in plain text; a template. No such part if empty. Always shown, because it is not empty unless given.
    #[serde(deserialize_with = "nullable")]
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
    /// Which mails refer to each other.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub threading: Threading,
    /// Who gets a copy, as everybody can see; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub cc: String,
    /// Who gets a copy without being named in it; a template.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub bcc: String,
    /// To whom servers report failures; a template. The address of `from` unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub envelope_from: String,
    /// What filters know these mails by (RFC 2919): `<name.of.list>`; a template. No such header if empty.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub list_id: String,
    /// Whether mails say that nobody wrote them, so that nobody's absence is answered (RFC 3834).
    #[serde(deserialize_with = "nullable")]
    pub auto_submitted: bool,
    /// What the mails' names end with, the same on all nodes: the domain of `from` unless given, [`RANDOM_MESSAGE_IDS`]
    /// for names that are never the same.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub message_id_domain: String,
    /// Ways to log in, the most wanted first.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub auth_mechanisms: Vec<AuthMechanism>,
    /// Whence tokens for `oauthbearer` and `xoauth2` come.
    #[serde(skip_serializing_if = "empty")]
    pub auth_oauth2: Option<OAuth2>,
    /// When TLS begins; [`TlsMode::Auto`] unless given. Any other value overrules `require_tls` and
    /// `force_implicit_tls`.
    #[serde(skip_serializing_if = "empty")]
    pub tls_mode: Option<TlsMode>,
    /// What happens if some recipients are taken and others are not.
    #[serde(deserialize_with = "nullable")]
    pub partial_delivery: PartialDelivery,
    /// What is reported about the mails' delivery.
    #[serde(deserialize_with = "nullable")]
    pub dsn: Dsn,
    /// How many alerts the mail lists; 0 means all. Unless given, [`MAX_ALERTS_HTML`] if the built-in templates are
    /// used, and otherwise all.
    #[serde(skip_serializing_if = "empty")]
    pub max_alerts_html: Option<u32>,
    /// How large either part may be, before it is encoded; 0 means any size.
    #[serde(deserialize_with = "nullable")]
    pub max_size: ByteSize,
}

/// How many alerts the built-in templates list unless more are asked for.
pub const MAX_ALERTS_HTML: u32 = 20;

/// How large a part may be unless something else is said: Gmail cuts a mail at 102 kB.
const MAX_SIZE: ByteSize = ByteSize(90_000);

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
            html: DEFAULT_HTML.to_owned(),
            text: DEFAULT_TEXT.to_owned(),
            require_tls: None,
            tls_config: None,
            force_implicit_tls: None,
            threading: Threading::default(),
            cc: String::new(),
            bcc: String::new(),
            envelope_from: String::new(),
            list_id: String::new(),
            auto_submitted: true,
            message_id_domain: String::new(),
            auth_mechanisms: Vec::new(),
            auth_oauth2: None,
            tls_mode: None,
            partial_delivery: PartialDelivery::default(),
            dsn: Dsn::default(),
            max_alerts_html: None,
            max_size: MAX_SIZE,
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
        self.validate_headers()?;
        self.threading.validate()?;
        self.dsn.validate()?;
        validate_message_id_domain("message_id_domain", &self.message_id_domain)?;
        self.auth_oauth2.as_ref().map_or(Ok(()), OAuth2::validate)?;
        self.tls_config.as_ref().map_or(Ok(()), TlsConfig::validate)
    }

    /// A header comes from one place.
    fn validate_headers(&self) -> Result<(), Invalid> {
        let headers = self.canonical_headers()?;
        let owners = [
            ("threading.enabled", self.threading.enabled, "References"),
            ("threading.enabled", self.threading.enabled, "In-Reply-To"),
            ("cc", !self.cc.is_empty(), "Cc"),
            ("list_id", !self.list_id.is_empty(), "List-Id"),
        ];
        for (key, owns, name) in owners {
            let text = format!("conflicting configuration: {key} conflicts with custom {name} header");
            Invalid::when(owns && headers.contains_key(name), &text)?;
        }
        Ok(())
    }

    /// How many alerts a mail lists; `None` means all.
    pub fn max_alerts(&self) -> Option<u32> {
        let built_in = self.html == DEFAULT_HTML && matches!(self.text.as_str(), "" | DEFAULT_TEXT);
        self.max_alerts_html.or(built_in.then_some(MAX_ALERTS_HTML)).filter(|count| *count > 0)
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

/// Refuses what would end a mail's name early, or begin another.
pub(super) fn validate_message_id_domain(key: &str, domain: &str) -> Result<(), Invalid> {
    let fits = |c: char| c.is_ascii_graphic() && !"<>@\"(),:;[]\\".contains(c);
    Invalid::when(!domain.chars().all(fits), &format!("{key}: {domain:?} is no name for a domain"))
}
