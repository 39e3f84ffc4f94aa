//! From `tls_config` to rustls. Files are read again whenever a connection is to be made, so that a renewed
//! certificate needs no reload.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use super::ReceiverError;
use crate::settings::tls::{TlsConfig, TlsVersion};

/// The PEM texts that a `tls_config` names, inline or in files; empty where it names none.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Pem {
    pub(super) ca: Vec<u8>,
    pub(super) cert: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Pem {
    /// Reads what `config` names.
    pub(super) async fn read(config: &TlsConfig) -> Result<Self, String> {
        Ok(Self {
            ca: pem(&config.ca, &config.ca_file).await?,
            cert: pem(&config.cert, &config.cert_file).await?,
            key: pem(config.key.reveal(), &config.key_file).await?,
        })
    }
}

async fn pem(inline: &str, path: &str) -> Result<Vec<u8>, String> {
    if path.is_empty() {
        return Ok(inline.as_bytes().to_vec());
    }
    tokio::fs::read(path).await.map_err(|error| format!("cannot read {path}: {error}"))
}

/// Refuses what is known and cannot be honoured.
pub(super) fn refuse_unsupported(config: &TlsConfig) -> Result<(), ReceiverError> {
    if [&config.ca_ref, &config.cert_ref, &config.key_ref].iter().any(|reference| !reference.is_empty()) {
        return Err(ReceiverError::Setting(
            "tls_config: there is no secret store for ca_ref, cert_ref or key_ref".to_owned(),
        ));
    }
    if config.max_version.is_some_and(|version| version < TlsVersion::Tls12) {
        return Err(ReceiverError::Setting("tls_config: max_version must be TLS12 or TLS13".to_owned()));
    }
    if config.min_version > config.max_version && config.max_version.is_some() {
        return Err(ReceiverError::Setting("tls_config: min_version is later than max_version".to_owned()));
    }
    Ok(())
}

/// How we speak TLS as a client. Versions before 1.2 are never spoken.
///
/// With `server_name`, the certificate must bear that name; the name that the server is told (SNI) is still that of
/// the URL.
pub(super) fn client_config(config: &TlsConfig, pem: &Pem) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(roots(&pem.ca)?);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(config))
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots.clone());
    let mut tls = match identity(pem)? {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            builder.with_client_auth_cert(certificates, key).map_err(|error| format!("client certificate: {error}"))?
        }
    };
    if config.insecure_skip_verify {
        tls.dangerous().set_certificate_verifier(Arc::new(Anybody(provider)));
    } else if !config.server_name.is_empty() {
        tls.dangerous().set_certificate_verifier(Arc::new(Named::new(&config.server_name, roots, provider)?));
    }
    Ok(tls)
}

fn versions(config: &TlsConfig) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];
    let fits = |version| {
        config.min_version.is_none_or(|min| min <= version) && config.max_version.is_none_or(|max| version <= max)
    };
    known.into_iter().filter(|(version, _)| fits(*version)).map(|(_, version)| version).collect()
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

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(pem: &Pem) -> Result<Option<Identity>, String> {
    if pem.cert.is_empty() {
        return Ok(None);
    }
    let certificates = certificates(&pem.cert).map_err(|error| format!("cert: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| format!("key: {error}"))?;
    Ok(Some((certificates, key)))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

/// Accepts a certificate that bears a name of the operator's choice.
#[derive(Debug)]
struct Named {
    name: ServerName<'static>,
    inner: Arc<WebPkiServerVerifier>,
}

impl Named {
    fn new(name: &str, roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let name = ServerName::try_from(name.to_owned()).map_err(|error| format!("server_name {name:?}: {error}"))?;
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Ok(Self { name, inner: inner.map_err(|error| format!("no authority to trust: {error}"))? })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner.verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Accepts any certificate (`insecure_skip_verify`).
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
