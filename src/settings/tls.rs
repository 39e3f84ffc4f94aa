//! `tls_config`: whom to trust and who we are.

use serde::{Deserialize, Serialize};

use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::{Invalid, at_most_one};

/// How a TLS connection is made. Certificates and keys are PEM texts, inline or in files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Whose signatures the server's certificate may bear; by default the system's authorities.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub ca: String,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub ca_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub ca_ref: String,
    /// Our certificate, if the server wants one.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub cert: String,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub cert_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub cert_ref: String,
    /// The key of our certificate.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub key_file: String,
    /// The same in a secret store, which nobody has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub key_ref: String,
    /// The name that the server's certificate must bear; by default the host that was dialled.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub server_name: String,
    /// Whether any certificate will do. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub insecure_skip_verify: bool,
    /// The oldest version to speak.
    #[serde(skip_serializing_if = "empty")]
    pub min_version: Option<TlsVersion>,
    /// The newest version to speak.
    #[serde(skip_serializing_if = "empty")]
    pub max_version: Option<TlsVersion>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum TlsVersion {
    /// `TLS10`.
    Tls10,
    /// `TLS11`.
    Tls11,
    /// `TLS12`.
    Tls12,
    /// `TLS13`.
    Tls13,
}

impl TlsConfig {
    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is given twice or not at all.
    pub fn validate(&self) -> Result<(), Invalid> {
        let (ca, cert, key) = (!self.ca.is_empty(), !self.cert.is_empty(), !self.key.is_empty());
        let (ca_file, cert_file, key_file) =
            (!self.ca_file.is_empty(), !self.cert_file.is_empty(), !self.key_file.is_empty());
        at_most_one(&[("ca", ca), ("ca_file", ca_file), ("ca_ref", !self.ca_ref.is_empty())])?;
        at_most_one(&[("cert", cert), ("cert_file", cert_file), ("cert_ref", !self.cert_ref.is_empty())])?;
        Invalid::when(key && key_file, "at most one of key and key_file must be configured")?;
        let has_cert = cert || cert_file || !self.cert_ref.is_empty();
        let has_key = key || key_file || !self.key_ref.is_empty();
        Invalid::when(
            has_cert && !has_key,
            "exactly one of key or key_file must be configured when a client certificate is configured",
        )?;
        Invalid::when(
            has_key && !has_cert,
            "exactly one of cert or cert_file must be configured when a client key is configured",
        )
    }
}

impl TryFrom<String> for TlsVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "TLS10" => Ok(Self::Tls10),
            "TLS11" => Ok(Self::Tls11),
            "TLS12" => Ok(Self::Tls12),
            "TLS13" => Ok(Self::Tls13),
            _ => Err(format!("unknown TLS version: {text}")),
        }
    }
}

impl From<TlsVersion> for String {
    fn from(version: TlsVersion) -> Self {
        let text = match version {
            TlsVersion::Tls10 => "TLS10",
            TlsVersion::Tls11 => "TLS11",
            TlsVersion::Tls12 => "TLS12",
            TlsVersion::Tls13 => "TLS13",
        };
        text.to_owned()
    }
}
