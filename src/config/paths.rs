//! Relative paths of files that an `http_config` or an `auth_oauth2` names: they start from the configuration file's
//! directory.
//!
//! Only these do; other `*_file` keys are left to the working directory, as in Alertmanager.

use std::path::Path;

use crate::settings::cluster_tls::ClusterTls;
use crate::settings::http::{HttpConfig, OAuth2};
use crate::settings::tls::TlsConfig;

/// Makes the paths of `config` start from `directory`.
pub(super) fn resolve(config: &mut HttpConfig, directory: &Path) {
    let mut files = vec![&mut config.bearer_token_file];
    if let Some(auth) = &mut config.basic_auth {
        files.extend([&mut auth.username_file, &mut auth.password_file]);
    }
    if let Some(auth) = &mut config.authorization {
        files.push(&mut auth.credentials_file);
    }
    if let Some(oauth2) = &mut config.oauth2 {
        resolve_oauth2(oauth2, directory);
    }
    files.extend(tls_files(&mut config.tls_config));
    files.extend(config.http_headers.values_mut().flat_map(|header| &mut header.files));
    for file in files {
        resolve_path(file, directory);
    }
}

/// The same for the files by which a token is asked for.
pub(super) fn resolve_oauth2(oauth2: &mut OAuth2, directory: &Path) {
    let files = tls_files(&mut oauth2.tls_config).into_iter().chain([&mut oauth2.client_secret_file]);
    files.for_each(|file| resolve_path(file, directory));
}

/// The same for the files by which nodes know each other.
pub(super) fn resolve_cluster_tls(config: &mut ClusterTls, directory: &Path) {
    let server = config.tls_server_config.iter_mut();
    let server = server.flat_map(|tls| [&mut tls.client_ca_file, &mut tls.cert_file, &mut tls.key_file]);
    server.chain(tls_files(&mut config.tls_client_config)).for_each(|file| resolve_path(file, directory));
}

fn tls_files(config: &mut TlsConfig) -> [&mut String; 3] {
    [&mut config.ca_file, &mut config.cert_file, &mut config.key_file]
}

fn resolve_path(path: &mut String, directory: &Path) {
    if !path.is_empty() && !Path::new(path.as_str()).is_absolute() {
        *path = directory.join(path.as_str()).to_string_lossy().into_owned();
    }
}
