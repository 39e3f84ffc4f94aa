//! Certificates and keys as PEM texts, inline or in files. Who makes a connection now and then reads the files again, so
//! that a renewed certificate needs no reload.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::cluster_tls::ServerTls;
use crate::settings::tls::TlsConfig;

/// The PEM texts that settings name; empty where they name none.
#[derive(Default, PartialEq, Eq)]
pub struct Pem {
    /// The authorities to trust.
    pub ca: Vec<u8>,
    /// Our certificate, and those that lead from it to an authority.
    pub cert: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

impl Pem {
    /// Reads what `config` names.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub async fn read(config: &TlsConfig) -> Result<Self, String> {
        Ok(Self {
            ca: pem(&config.ca, &config.ca_file).await?,
            cert: pem(&config.cert, &config.cert_file).await?,
            key: pem(config.key.reveal(), &config.key_file).await?,
        })
    }

    /// Reads what a server's settings name; the authorities are those of its clients.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub async fn read_server(config: &ServerTls) -> Result<Self, String> {
        Ok(Self {
            ca: pem(&config.client_ca, &config.client_ca_file).await?,
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

pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Who we are, if anything says so.
pub(super) fn identity(pem: &Pem) -> Result<Option<Identity>, String> {
    if pem.cert.is_empty() {
        return Ok(None);
    }
    let certificates = certificates(&pem.cert).map_err(|error| format!("cert: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| format!("key: {error}"))?;
    Ok(Some((certificates, key)))
}

pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}
