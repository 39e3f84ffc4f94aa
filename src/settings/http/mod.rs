//! `http_config`: how a receiver is reached by HTTP, and the rules about what may stand together in it.

mod oauth2;
mod proxy;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::tls::TlsConfig;
use super::url::ProxyUrl;
use super::{Invalid, at_most_one, canonical_header};

pub use oauth2::{GRANT_CLIENT_CREDENTIALS, GRANT_JWT_BEARER, OAuth2};
pub use proxy::Proxy;

/// How a server is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// A user and a password.
    #[serde(skip_serializing_if = "empty")]
    pub basic_auth: Option<BasicAuth>,
    /// Credentials of another kind for the header `Authorization`.
    #[serde(skip_serializing_if = "empty")]
    pub authorization: Option<Authorization>,
    /// Credentials that a token server gives.
    #[serde(skip_serializing_if = "empty")]
    pub oauth2: Option<OAuth2>,
    /// The older spelling of `authorization` with type `Bearer`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub bearer_token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub bearer_token_file: String,
    /// How TLS is spoken.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; otherwise they are the answer. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be spoken. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub enable_http2: bool,
    /// The proxy to go through.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_url: ProxyUrl,
    /// Hosts to be reached without it: names, domains, addresses, networks, separated by commas.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub no_proxy: String,
    /// Whether the proxy is taken from the environment.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_from_environment: bool,
    /// Headers for the proxy's `CONNECT`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_connect_header: BTreeMap<String, Vec<Secret>>,
    /// Headers for every request.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub http_headers: BTreeMap<String, HeaderValues>,
}

/// A user and a password, each inline or in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BasicAuth {
    /// The user's name.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub username: String,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub username_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub username_ref: String,
    /// The password.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password_ref: String,
}

/// What the header `Authorization` says: a type and credentials, inline or in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authorization {
    /// The scheme; `Bearer` unless given.
    #[serde(rename = "type", deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub scheme: String,
    /// The credentials.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub credentials: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub credentials_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub credentials_ref: String,
}

/// The values of one header: those in `values`, then `secrets`, then the contents of `files`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderValues {
    /// Values that may be shown.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub values: Vec<String>,
    /// Values that may not.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub secrets: Vec<Secret>,
    /// Files that hold values.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub files: Vec<String>,
}

/// Headers that are ours or the protocol's; in lower case.
const RESERVED_HEADERS: [&str; 18] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            basic_auth: None,
            authorization: None,
            oauth2: None,
            bearer_token: Secret::default(),
            bearer_token_file: String::new(),
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy_url: ProxyUrl::default(),
            no_proxy: String::new(),
            proxy_from_environment: false,
            proxy_connect_header: BTreeMap::new(),
            http_headers: BTreeMap::new(),
        }
    }
}

impl Default for Authorization {
    fn default() -> Self {
        Self {
            scheme: "Bearer".to_owned(),
            credentials: Secret::default(),
            credentials_file: String::new(),
            credentials_ref: String::new(),
        }
    }
}

impl HttpConfig {
    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.validate_bearer_token()?;
        self.basic_auth.as_ref().map_or(Ok(()), BasicAuth::validate)?;
        self.authorization.as_ref().map_or(Ok(()), Authorization::validate)?;
        Invalid::when(
            usize::from(self.basic_auth.is_some())
                + usize::from(self.authorization.is_some())
                + usize::from(self.oauth2.is_some())
                > 1,
            "at most one of basic_auth, oauth2 & authorization must be configured",
        )?;
        self.oauth2.as_ref().map_or(Ok(()), OAuth2::validate)?;
        self.tls_config.validate()?;
        self.proxy().validate()?;
        self.validate_headers()
    }

    fn validate_bearer_token(&self) -> Result<(), Invalid> {
        let (inline, file) = (!self.bearer_token.is_empty(), !self.bearer_token_file.is_empty());
        at_most_one(&[("bearer_token", inline), ("bearer_token_file", file)])?;
        Invalid::when(
            (inline || file) && (self.basic_auth.is_some() || self.oauth2.is_some()),
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
        )?;
        Invalid::when(
            (inline || file) && self.authorization.is_some(),
            "authorization is not compatible with bearer_token & bearer_token_file",
        )
    }

    fn validate_headers(&self) -> Result<(), Invalid> {
        let reserved = |name: &&String| RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        match self.http_headers.keys().find(reserved) {
            Some(name) => Err(Invalid(format!("setting header {:?} is not allowed", canonical_header(name)))),
            None => Ok(()),
        }
    }

    /// The proxy to go through.
    pub fn proxy(&self) -> Proxy<'_> {
        Proxy {
            url: &self.proxy_url,
            no_proxy: &self.no_proxy,
            from_environment: self.proxy_from_environment,
            connect_header: &self.proxy_connect_header,
        }
    }
}

impl BasicAuth {
    fn validate(&self) -> Result<(), Invalid> {
        let (file, reference) = (!self.username_file.is_empty(), !self.username_ref.is_empty());
        at_most_one(&[
            ("basic_auth username", !self.username.is_empty()),
            ("username_file", file),
            ("username_ref", reference),
        ])?;
        let (file, reference) = (!self.password_file.is_empty(), !self.password_ref.is_empty());
        at_most_one(&[
            ("basic_auth password", !self.password.is_empty()),
            ("password_file", file),
            ("password_ref", reference),
        ])
    }
}

impl Authorization {
    fn validate(&self) -> Result<(), Invalid> {
        at_most_one(&[
            ("authorization credentials", !self.credentials.is_empty()),
            ("credentials_file", !self.credentials_file.is_empty() || !self.credentials_ref.is_empty()),
        ])?;
        Invalid::when(
            self.scheme.trim().eq_ignore_ascii_case("basic"),
            "authorization type cannot be set to \"basic\", use \"basic_auth\" instead",
        )
    }
}
