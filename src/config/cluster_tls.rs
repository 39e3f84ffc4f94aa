//! The file of `--cluster.tls-config`. Relative paths in it start from its directory.

use std::path::Path;

use super::error::{ConfigError, Place};
use super::{invalid, paths, read_file, yaml};
use crate::settings::cluster_tls::ClusterTls;

/// Reads and checks the file.
///
/// # Errors
/// Says what is wrong and where, if it cannot be followed.
pub fn load_cluster_tls(path: &Path) -> Result<ClusterTls, ConfigError> {
    let text = read_file(path)?;
    let file: Option<ClusterTls> = yaml::read(&text).map_err(|problems| invalid(path, problems))?;
    let mut file = file.unwrap_or_default();
    file.parts().map_err(|error| invalid(path, vec![Place::file().problem(error.to_string())]))?;
    paths::resolve_cluster_tls(&mut file, path.parent().unwrap_or(Path::new("")));
    Ok(file)
}
