//! From `tls_server_config` to rustls, as the one that is connected to.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::pem::{Pem, certificates, identity};
use super::versions;
use crate::settings::cluster_tls::{ClientAuth, ServerTls};

/// How we speak TLS as a server. Versions before 1.2 are never spoken.
///
/// # Errors
/// Says what is missing or cannot be used.
pub fn server_config(config: &ServerTls, pem: &Pem) -> Result<ServerConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = versions(config.min_version, config.max_version);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?;
    let builder = match client_verifier(config.client_auth_type, pem, provider)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let (certificates, key) = identity(pem)?.ok_or("missing one of 'cert' or 'cert_file'")?;
    builder.with_single_cert(certificates, key).map_err(|error| format!("certificate: {error}"))
}

fn client_verifier(
    wanted: ClientAuth,
    pem: &Pem,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    if wanted == ClientAuth::None {
        return if pem.ca.is_empty() { Ok(None) } else { Err(CA_WITHOUT_POLICY.to_owned()) };
    }
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(&pem.ca).map_err(|e| format!("client_ca: {e}"))?);
    if added == 0 {
        return Err("client_auth_type asks for certificates, but client_ca_file names nobody to sign them".to_owned());
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if wanted == ClientAuth::IfGiven { builder.allow_unauthenticated() } else { builder };
    builder.build().map(Some).map_err(|error| format!("client_ca: {error}"))
}

/// In the words of the toolkit that Alertmanager uses.
const CA_WITHOUT_POLICY: &str = "Client CA's have been configured without a Client Auth Policy";
