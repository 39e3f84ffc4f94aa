//! `--cluster.tls-config`: how nodes speak TLS with each other.

use serde::Deserialize;

use super::lenient::nullable;
use super::secret::Secret;
use super::tls::{TlsConfig, TlsVersion};
use super::{Invalid, at_most_one};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterTls {
    /// As the one that is connected to.
    pub tls_server_config: Option<ServerTls>,
    /// As the one that connects.
    #[serde(deserialize_with = "nullable")]
    pub tls_client_config: TlsConfig,
}

/// How a server speaks TLS. Certificates and keys are PEM texts, inline or in files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerTls {
    /// Our certificate.
    #[serde(deserialize_with = "nullable")]
    pub cert: String,
    /// The same in a file.
    #[serde(deserialize_with = "nullable")]
    pub cert_file: String,
    /// Its key.
    #[serde(deserialize_with = "nullable")]
    pub key: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable")]
    pub key_file: String,
    /// Whose signatures the certificates of clients may bear.
    #[serde(deserialize_with = "nullable")]
    pub client_ca: String,
    /// The same in a file.
    #[serde(deserialize_with = "nullable")]
    pub client_ca_file: String,
    /// Whether clients must have a certificate.
    #[serde(deserialize_with = "nullable")]
    pub client_auth_type: ClientAuth,
    /// The oldest version to speak.
    pub min_version: Option<TlsVersion>,
    /// The newest version to speak.
    pub max_version: Option<TlsVersion>,
    /// Known, and refused unless empty: rustls has no weak ones to be left out.
    #[serde(deserialize_with = "nullable")]
    pub cipher_suites: Vec<String>,
    /// The same.
    #[serde(deserialize_with = "nullable")]
    pub curve_preferences: Vec<String>,
    /// Known and without effect.
    #[serde(deserialize_with = "nullable")]
    pub prefer_server_cipher_suites: bool,
    /// Known, and refused unless empty.
    #[serde(deserialize_with = "nullable")]
    pub client_allowed_sans: Vec<String>,
}

/// Whether clients must have a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ClientAuth {
    /// `NoClientCert`, the default: nobody is asked.
    #[default]
    None,
    /// `VerifyClientCertIfGiven`.
    IfGiven,
    /// `RequireAndVerifyClientCert`.
    Required,
}

impl TryFrom<String> for ClientAuth {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "" | "NoClientCert" => Ok(Self::None),
            "VerifyClientCertIfGiven" => Ok(Self::IfGiven),
            "RequireAndVerifyClientCert" => Ok(Self::Required),
            "RequestClientCert" | "RequireClientCert" | "RequireAnyClientCert" => {
                Err(format!("client_auth_type {text} looks at no certificate; use RequireAndVerifyClientCert"))
            }
            _ => Err(format!("Invalid ClientAuth: {text}")),
        }
    }
}

impl ClusterTls {
    /// Both parts.
    ///
    /// # Errors
    /// Says in Alertmanager's words what is missing, given twice, or cannot be followed.
    pub fn parts(&self) -> Result<(&ServerTls, &TlsConfig), Invalid> {
        let missing = || Invalid("missing 'tls_server_config' entry in the TLS configuration".to_owned());
        let server = self.tls_server_config.as_ref().ok_or_else(missing)?;
        server.validate()?;
        self.tls_client_config.validate()?;
        Ok((server, &self.tls_client_config))
    }
}

impl ServerTls {
    fn validate(&self) -> Result<(), Invalid> {
        at_most_one(&[("cert", !self.cert.is_empty()), ("cert_file", !self.cert_file.is_empty())])?;
        at_most_one(&[("key", !self.key.is_empty()), ("key_file", !self.key_file.is_empty())])?;
        at_most_one(&[("client_ca", !self.client_ca.is_empty()), ("client_ca_file", !self.client_ca_file.is_empty())])?;
        for (key, values) in [
            ("cipher_suites", &self.cipher_suites),
            ("curve_preferences", &self.curve_preferences),
            ("client_allowed_sans", &self.client_allowed_sans),
        ] {
            Invalid::when(!values.is_empty(), &format!("tls_server_config: {key} cannot be followed yet"))?;
        }
        Ok(())
    }
}
