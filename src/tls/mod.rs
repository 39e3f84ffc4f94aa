//! From settings to rustls: whom to trust and who we are, as the one that connects and as the one that is connected to.
//! It knows nothing of what is said over a connection.

mod client;
mod pem;
mod server;

use rustls::SupportedProtocolVersion;

use crate::settings::tls::{TlsConfig, TlsVersion};

pub use client::client_config;
pub use pem::Pem;
pub use server::server_config;

/// Refuses what is known and cannot be honoured.
pub fn refuse_unsupported(config: &TlsConfig) -> Result<(), String> {
    if [&config.ca_ref, &config.cert_ref, &config.key_ref].iter().any(|reference| !reference.is_empty()) {
        return Err("tls_config: there is no secret store for ca_ref, cert_ref or key_ref".to_owned());
    }
    if config.max_version.is_some_and(|version| version < TlsVersion::Tls12) {
        return Err("tls_config: max_version must be TLS12 or TLS13".to_owned());
    }
    if config.min_version > config.max_version && config.max_version.is_some() {
        return Err("tls_config: min_version is later than max_version".to_owned());
    }
    Ok(())
}

/// The versions between the two; those before 1.2 are never spoken.
fn versions(min: Option<TlsVersion>, max: Option<TlsVersion>) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];
    let fits = |version| min.is_none_or(|min| min <= version) && max.is_none_or(|max| version <= max);
    known.into_iter().filter(|(version, _)| fits(*version)).map(|(_, version)| version).collect()
}
