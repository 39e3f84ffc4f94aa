//! Configuration: a file becomes a checked policy, or one error that names file, line, column and key.
//!
//! `yaml` reads the text into the types of `file`; `receivers`, `intervals`, `routes`, `inhibit` and `vigil` judge them
//! and build the policy; `templates` reads the template files; `shown` prints what is in force. All problems that can be
//! told at once are told at once. Nothing here notifies, and nothing here keeps time.

mod check;
mod cluster_tls;
pub mod error;
mod file;
mod inhibit;
mod intervals;
mod matchers;
mod paths;
mod receivers;
mod routes;
mod shown;
mod spelling;
mod templates;
mod vigil;
mod yaml;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use md5::{Digest, Md5};
use smol_str::SmolStr;
use watchbell_engine::policy::Policy;

use check::Check;
pub use check::{Options, Warning};
pub use cluster_tls::load_cluster_tls;
pub use error::ConfigError;
use error::{Place, Problem};
use file::File;
pub use templates::{TemplateFile, parse_templates};
use yaml::At;

use crate::settings::global::Global;
use crate::settings::heartbeat::HeartbeatConfig;
use crate::settings::receiver::Receiver;

/// A larger file is refused, in bytes: ten times the largest known configuration.
const MAX_FILE_BYTES: u64 = 32 << 20;

/// A configuration that can be followed.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the engine follows.
    pub policy: Arc<Policy>,
    /// `global`, with its defaults.
    pub global: Global,
    /// The settings of all receivers, inheritance filled in, in the order of [`Policy::receivers`].
    pub receivers: Vec<Receiver>,
    /// The heartbeats, in the order of the policy's.
    pub heartbeats: Vec<HeartbeatConfig>,
    /// Receivers that no route names; nothing is ever told to them.
    pub unused_receivers: Vec<SmolStr>,
    /// The template files in the order in which they are to be parsed.
    pub templates: Vec<TemplateFile>,
    /// The configuration as YAML, secrets hidden, as `/api/v2/status` shows it.
    pub original: String,
    /// The value of `alertmanager_config_hash`: the first six bytes of the file's MD5, little-endian.
    pub hash: f64,
    /// What should be told to the operator though it is followed.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// The settings of the receivers that a route names.
    pub fn used_receivers(&self) -> Vec<Receiver> {
        let is_used = |receiver: &&Receiver| !self.unused_receivers.iter().any(|unused| *unused == receiver.name);
        self.receivers.iter().filter(is_used).cloned().collect()
    }
}

/// The default configuration: what an operator starts from.
pub fn embedded() -> &'static str {
    include_str!("../../config/watchbell.yml")
}

/// Reads and checks the configuration file at `path` and the template files it names.
///
/// # Errors
/// Says what is wrong and where, if the file cannot be read or what it says cannot be followed.
pub fn load(path: &Path, options: &Options) -> Result<Config, ConfigError> {
    parse(&read_file(path)?, path, options)
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(read)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text).map_err(read)?;
    String::from_utf8(text).map_err(|_| invalid(path, vec![Place::file().problem("the file is not UTF-8 text")]))
}

/// Checks the configuration `text`, which came from `path`: relative paths in it start from `path`'s directory.
///
/// # Errors
/// Says what is wrong and where, if the configuration cannot be followed.
pub fn parse(text: &str, path: &Path, options: &Options) -> Result<Config, ConfigError> {
    if text.len() as u64 > MAX_FILE_BYTES {
        let message = format!("the file is larger than {MAX_FILE_BYTES} bytes");
        return Err(invalid(path, vec![Place::file().problem(message)]));
    }
    let file: Option<At<File>> = yaml::read(text).map_err(|problems| invalid(path, problems))?;
    let Some(At { value: file, place }) = file else {
        return Err(invalid(path, vec![Place::file().problem("no route provided in config")]));
    };
    let mut check = Check::new(options);
    let config = judge(file, &place, path.parent().unwrap_or(Path::new("")), text, &mut check);
    match config {
        Some(config) if check.problems.is_empty() => Ok(config),
        _ => Err(invalid(path, check.problems)),
    }
}

fn invalid(path: &Path, mut problems: Vec<Problem>) -> ConfigError {
    problems.sort_by_key(|problem| problem.place.position);
    ConfigError::Invalid { path: PathBuf::from(path), problems }
}

/// Builds what can be built and leaves the problems in `check`; `None` only where there is nothing to go on with.
fn judge(mut file: File, place: &Place, directory: &Path, text: &str, check: &mut Check<'_>) -> Option<Config> {
    if let Some(tracing) = &file.tracing {
        check.problem(&tracing.place, "tracing is not yet supported by this version; remove the section");
    }
    let global = global(file.global.take(), directory, check);
    let receivers = receivers::receivers(std::mem::take(&mut file.receivers), &global, directory, check);
    let time_intervals = intervals::time_intervals(&mut file.mute_time_intervals, &mut file.time_intervals, check);
    let inhibit_rules = inhibit::inhibit_rules(&mut file.inhibit_rules, check);
    let templates = templates::read(&file.templates, directory, check);
    let (vigil, heartbeats) = vigil::vigil(&mut file, &global, directory, check);
    let Some(mut root) = file.route.take() else {
        check.problem(place, "no routes provided (a `route` with a `receiver` is needed)");
        return None;
    };
    let routes = routes::routes(&mut root, check);
    let original = shown::shown(&file, &root, &global, &receivers);
    let policy_receivers = receivers.iter().map(receivers::policy_receiver).collect();
    let policy = Policy {
        routes,
        inhibit_rules,
        time_intervals,
        receivers: policy_receivers,
        resolve_timeout: global.resolve_timeout.0,
        vigil,
    };
    Some(Config {
        unused_receivers: unused_receivers(&policy),
        policy: Arc::new(policy),
        global,
        receivers,
        heartbeats,
        templates,
        original,
        hash: hash(text),
        warnings: std::mem::take(&mut check.warnings),
    })
}

fn global(written: Option<At<Global>>, directory: &Path, check: &mut Check<'_>) -> Global {
    let Some(At { value: mut global, place }) = written else { return Global::default() };
    if let Err(error) = global.validate() {
        check.problem(&place, error.to_string());
    }
    paths::resolve(global.http_config.get_or_insert_default(), directory);
    global
}

fn unused_receivers(policy: &Policy) -> Vec<SmolStr> {
    let used: std::collections::HashSet<&SmolStr> = policy.routes.iter().map(|route| &route.receiver).collect();
    policy.receivers.iter().map(|receiver| &receiver.name).filter(|name| !used.contains(name)).cloned().collect()
}

fn hash(text: &str) -> f64 {
    let digest = Md5::digest(text.as_bytes());
    let mut bytes = [0; 8];
    bytes[..6].copy_from_slice(&digest[..6]);
    // Six bytes fit a double exactly.
    u64::from_le_bytes(bytes) as f64
}

#[cfg(test)]
mod tests;
