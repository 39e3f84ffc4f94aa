//! `oauth2`: how a token is asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::Invalid;
use super::super::lenient::{empty, nullable};
use super::super::secret::Secret;
use super::super::tls::TlsConfig;
use super::super::url::{HttpUrl, ProxyUrl};
use super::Proxy;

/// How a token is asked for (RFC 6749 4.4, RFC 7523 2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth2 {
    /// Who asks.
    #[serde(deserialize_with = "nullable")]
    pub client_id: String,
    /// The secret of who asks.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_secret: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_secret_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_secret_ref: String,
    /// The id of the key that signs the assertion.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_certificate_key_id: String,
    /// The RSA key, in PEM, that signs the assertion.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_certificate_key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_certificate_key_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub client_certificate_key_ref: String,
    /// [`GRANT_CLIENT_CREDENTIALS`] (also if empty) or [`GRANT_JWT_BEARER`].
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub grant_type: String,
    /// `RS256` (also if empty), `RS384` or `RS512`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub signature_algorithm: String,
    /// The assertion's issuer; `client_id` unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub iss: String,
    /// The assertion's audience; `token_url` unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub audience: String,
    /// What else the assertion says.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub claims: BTreeMap<String, serde_json::Value>,
    /// What the token is to be good for.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub scopes: Vec<String>,
    /// Where to ask.
    #[serde(deserialize_with = "nullable")]
    pub token_url: HttpUrl,
    /// What else to say when asking.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub endpoint_params: BTreeMap<String, String>,
    /// How TLS is spoken with the token server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub tls_config: TlsConfig,
    /// The proxy on the way to the token server.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_url: ProxyUrl,
    /// As in [`HttpConfig`](super::HttpConfig).
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub no_proxy: String,
    /// As in [`HttpConfig`](super::HttpConfig).
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_from_environment: bool,
    /// As in [`HttpConfig`](super::HttpConfig).
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_connect_header: BTreeMap<String, Vec<Secret>>,
}

/// The grant in which the client's secret is all that is shown.
pub const GRANT_CLIENT_CREDENTIALS: &str = "client_credentials";

/// The grant in which a signed assertion is shown.
pub const GRANT_JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl OAuth2 {
    /// Refuses what contradicts itself or lacks what a token is asked for with.
    pub(in crate::settings) fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.client_id.is_empty(), "oauth2 client_id must be configured")?;
        Invalid::when(self.token_url.is_empty(), "oauth2 token_url must be configured")?;
        match self.grant_type.as_str() {
            "" | GRANT_CLIENT_CREDENTIALS => self.validate_secret()?,
            GRANT_JWT_BEARER => self.validate_key()?,
            other => return Err(Invalid(format!("unsupported oauth2 grant_type {other:?}"))),
        }
        self.tls_config.validate()?;
        self.proxy().validate()
    }

    fn validate_secret(&self) -> Result<(), Invalid> {
        let ways = [&self.client_secret_file, &self.client_secret_ref].iter().filter(|way| !way.is_empty()).count();
        Invalid::when(
            ways + usize::from(!self.client_secret.is_empty()) > 1,
            "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured \
             using grant-type=client_credentials",
        )
    }

    fn validate_key(&self) -> Result<(), Invalid> {
        let files = [&self.client_certificate_key_file, &self.client_certificate_key_ref];
        let ways = files.iter().filter(|way| !way.is_empty()).count();
        Invalid::when(
            ways + usize::from(!self.client_certificate_key.is_empty()) > 1,
            "at most one of oauth2 client_certificate_key, client_certificate_key_file & \
             client_certificate_key_ref must be configured \
             using grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer",
        )?;
        Invalid::when(
            !matches!(self.signature_algorithm.as_str(), "" | "RS256" | "RS384" | "RS512"),
            "valid signature algorithms are RS256, RS384 and RS512",
        )
    }

    /// The proxy on the way to the token server.
    pub fn proxy(&self) -> Proxy<'_> {
        Proxy {
            url: &self.proxy_url,
            no_proxy: &self.no_proxy,
            from_environment: self.proxy_from_environment,
            connect_header: &self.proxy_connect_header,
        }
    }
}
