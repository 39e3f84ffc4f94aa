//! Addresses: URLs, URLs that are secret or templates, and `host:port`.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use super::secret::{REDACTED, redacted};

/// A URL with scheme `http` or `https` and a host, kept as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpUrl(String);

/// An [`HttpUrl`] that carries a credential; or none.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SecretUrl(String);

/// A secret text that is an [`HttpUrl`], or a template that makes one of a notification; or empty.
///
/// That a template can be parsed is checked by whoever compiles it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TemplateUrl(String);

/// A proxy's URL, whose password is shown as `xxxxx`. Empty if there is none.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyUrl(String);

/// A host and a port, as Go's `net.SplitHostPort` reads them; IPv6 addresses stand in brackets. Both empty if unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// A number or the name of a service.
    pub port: String,
}

/// Checks that `text` is a URL for HTTP.
fn check_http(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Err(format!("unsupported scheme {:?} for URL", url.scheme()))
        }
        Ok(_) => Ok(()),
        Err(url::ParseError::EmptyHost) => Err("missing host for URL".to_owned()),
        Err(url::ParseError::RelativeUrlWithoutBase) => Err("unsupported scheme \"\" for URL".to_owned()),
        Err(error) => Err(format!("{error} in URL")),
    }
}

impl HttpUrl {
    /// A default, known to be right.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        check_http(&text)?;
        Ok(Self(text))
    }
}

impl From<HttpUrl> for String {
    fn from(url: HttpUrl) -> Self {
        url.0
    }
}

impl SecretUrl {
    /// The URL itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for SecretUrl {
    type Error = String;

    /// The text `<secret>` is taken as it is, so that settings that were shown can be read and shown again.
    fn try_from(text: String) -> Result<Self, String> {
        if text == REDACTED {
            return Ok(Self(text));
        }
        check_http(&text)?;
        Ok(Self(text))
    }
}

impl TemplateUrl {
    /// The text itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for TemplateUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.is_empty() && text != REDACTED && !text.contains("{{") {
            check_http(&text).map_err(|error| format!("invalid URL: {error}"))?;
        }
        Ok(Self(text))
    }
}

impl ProxyUrl {
    /// The URL with its password, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> String {
        let Ok(mut url) = Url::parse(&self.0) else { return self.0.clone() };
        let hidden = url.password().is_some() && url.set_password(Some("xxxxx")).is_ok();
        if hidden { url.into() } else { self.0.clone() }
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.is_empty() {
            Url::parse(&text).map_err(|error| format!("invalid proxy URL: {error}"))?;
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for HostPort {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (host, port) = split_host_port(&text).map_err(|error| format!("address {text}: {error}"))?;
        if port.is_empty() {
            return Err(format!("address {text:?}: port cannot be empty"));
        }
        Ok(Self { host: host.to_owned(), port: port.to_owned() })
    }
}

fn split_host_port(text: &str) -> Result<(&str, &str), &'static str> {
    const MISSING_PORT: &str = "missing port in address";
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("missing ']' in address")?;
            (host, rest.strip_prefix(':').ok_or(MISSING_PORT)?)
        }
        None => text.rsplit_once(':').ok_or(MISSING_PORT)?,
    };
    match host.contains(':') && !text.starts_with('[') {
        true => Err("too many colons in address"),
        false if text.matches(['[', ']']).count() > 2 || port.contains(['[', ']']) => {
            Err("unexpected bracket in address")
        }
        false => Ok((host, port)),
    }
}

impl From<HostPort> for String {
    fn from(address: HostPort) -> Self {
        address.to_string()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port.is_empty()) {
            (true, _) => write!(f, "[{}]:{}", self.host, self.port),
            (false, true) => Ok(()),
            (false, false) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redacted(&self.0))
    }
}

impl fmt::Debug for TemplateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redacted(&self.0))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(redacted(&self.0))
    }
}

impl Serialize for TemplateUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(redacted(&self.0))
    }
}

impl Serialize for ProxyUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}
