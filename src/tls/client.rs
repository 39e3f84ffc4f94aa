//! From `tls_config` to rustls, as the one that connects.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::pem::{Pem, certificates, identity};
use super::versions;
use crate::settings::tls::TlsConfig;

/// How we speak TLS as a client. Versions before 1.2 are never spoken.
///
/// With `server_name`, the certificate must bear that name; the name that the server is told (SNI) is still that of
/// the URL.
pub fn client_config(config: &TlsConfig, pem: &Pem) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(roots(&pem.ca)?);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(config.min_version, config.max_version))
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots.clone());
    let mut tls = match identity(pem)? {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            builder.with_client_auth_cert(certificates, key).map_err(|error| format!("client certificate: {error}"))?
        }
    };
    if let Some(accepted) = accepted(config, roots, &provider)? {
        tls.dangerous().set_certificate_verifier(Arc::new(Verifier { accepted, provider }));
    }
    Ok(tls)
}

/// Whom the settings accept besides the one we dial.
fn accepted(
    config: &TlsConfig,
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Accepted>, String> {
    match config.server_name.as_str() {
        _ if config.insecure_skip_verify => Ok(Some(Accepted::Anybody)),
        "" => Ok(None),
        name => Accepted::named(name, roots, provider.clone()).map(Some),
    }
}

/// The authorities to trust: those in `ca`, or those of the system if it is empty.
fn roots(ca: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if ca.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    }
    let certificates = certificates(ca).map_err(|error| format!("ca: {error}"))?;
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err("ca: no certificate in it".to_owned()) } else { Ok(roots) }
}

/// Whom to take for the server, where that is not whom we dialled.
#[derive(Debug)]
struct Verifier {
    accepted: Accepted,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Accepted {
    /// Whoever it is (`insecure_skip_verify`).
    Anybody,
    /// Who has a good certificate for a name of the operator's choice.
    Named(ServerName<'static>, Arc<WebPkiServerVerifier>),
}

impl Accepted {
    fn named(name: &str, roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let name = ServerName::try_from(name.to_owned()).map_err(|error| format!("server_name {name:?}: {error}"))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Ok(Self::Named(name, verifier.map_err(|error| format!("no authority to trust: {error}"))?))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.accepted {
            Accepted::Anybody => Ok(ServerCertVerified::assertion()),
            Accepted::Named(name, verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
