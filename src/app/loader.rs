//! From the configuration file to what follows from it: templates, integrations, and what is shown of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchbell_engine::matcher::parse::Syntax;

use super::AppError;
use super::cluster::SecurityFiles;
use crate::cli::{self, Features, Options};
use crate::cluster::{KeyRing, Security};
use crate::config::{self, Config};
use crate::driver::Running;
use crate::receivers::{
    GitlabCounts, Integrations, IrcNetworks, IrcPlans, Mailroom, Names, RouteLabels, Surroundings, TemplateFallbacks,
    Warning,
};
use crate::{clock, version};

/// Reads the configuration and builds what follows from it.
pub(super) struct Loader {
    /// `None` means the configuration in the program.
    file: Option<PathBuf>,
    options: config::Options,
    /// Where people find us; known once the port is.
    pub(super) external_url: String,
    /// This node's name among its peers; known once the data directory is open.
    pub(super) peer_name: String,
    /// What the messages between peers are marked with.
    cluster_label: String,
    /// Where it says who may take part in the cluster.
    pub(super) security: SecurityFiles,
    /// Counts what is told without its template, across configurations.
    pub(super) fallbacks: Arc<TemplateFallbacks>,
    /// What of mail outlives a configuration.
    pub(super) mailroom: Mailroom,
    /// Counts requests to GitLab, across configurations.
    pub(super) gitlab: Arc<GitlabCounts>,
    /// The sessions with IRC servers, which outlive configurations.
    pub(super) irc: IrcNetworks,
}

/// What follows from a configuration.
pub(super) struct Built {
    pub(super) route_labels: RouteLabels,
    pub(super) integrations: Integrations,
    pub(super) irc: IrcPlans,
}

impl Loader {
    pub(super) fn new(options: &Options) -> Self {
        let default = Path::new(cli::DEFAULT_CONFIG_FILE);
        let file = options.config_file.clone().or_else(|| default.exists().then(|| default.to_owned()));
        let security = SecurityFiles::new(options);
        let cluster_label = options.cluster.as_ref().map(|cluster| cluster.label.clone()).unwrap_or_default();
        let options = config::Options { syntax: syntax(&options.features), retention: options.data_retention };
        let (external_url, peer_name) = (String::new(), String::new());
        let (fallbacks, gitlab, irc) = (Arc::default(), Arc::default(), IrcNetworks::default());
        let mailroom = Mailroom::default();
        Self { file, options, external_url, peer_name, cluster_label, security, fallbacks, gitlab, irc, mailroom }
    }

    pub(super) fn file_name(&self) -> String {
        self.file.as_ref().map_or_else(|| "(built in)".to_owned(), |file| file.display().to_string())
    }

    pub(super) fn load(&self) -> Result<Config, AppError> {
        let config = match &self.file {
            Some(file) => config::load(file, &self.options)?,
            None => config::parse(config::embedded(), Path::new("watchbell.yml"), &self.options)?,
        };
        for warning in &config.warnings {
            let (file, key) = (self.file_name(), &warning.place.key);
            let line = warning.place.position.map_or(0, |position| position.line);
            tracing::warn!(component = "configuration", %file, line, %key, "{}", warning.message);
        }
        for receiver in &config.unused_receivers {
            tracing::info!(component = "configuration", %receiver, "skipping creation of receiver not referenced by any route");
        }
        Ok(config)
    }

    pub(super) fn build(&self, config: &Config, security: &Security) -> Result<Built, AppError> {
        let templates = config::parse_templates(&config.templates)?;
        let route_labels = RouteLabels::parse(config.policy.routes.iter().map(|route| &route.labels), &templates);
        let surroundings = Surroundings {
            external_url: self.external_url.clone(),
            cluster_label: self.cluster_label.clone(),
            version: version::ALERTMANAGER_VERSION.into(),
            now: clock::now,
            fallbacks: Arc::clone(&self.fallbacks),
            mailroom: self.mailroom.clone(),
            gitlab: Arc::clone(&self.gitlab),
            route_labels: route_labels.clone(),
            irc: self.irc.clone(),
            peer_name: self.peer_name.clone(),
            cluster_secret: security.keys.as_ref().map(KeyRing::secret),
        };
        let receivers = config.used_receivers();
        let irc = IrcPlans::build(&config.global.irc_servers, &receivers, &self.names())?;
        let integrations = Integrations::build(&receivers, &templates, &surroundings)?;
        let integrations = integrations.with_heartbeats(&config.heartbeats, &surroundings)?;
        for Warning { receiver, kind, index, field, error } in integrations.rehearse(&surroundings) {
            tracing::warn!(component = "configuration", %receiver, integration = kind, index, %field, err = %error, "A template fails with sample alerts");
        }
        Ok(Built { route_labels, integrations, irc })
    }

    fn names(&self) -> Names {
        let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Names { host, node: self.peer_name.clone(), external_url: self.external_url.clone() }
    }

    pub(super) fn running(&self, config: Config, route_labels: RouteLabels) -> Running {
        Running {
            policy: config.policy,
            config: config.original.into(),
            config_hash: config.hash,
            route_labels,
            external_url: self.external_url.clone(),
            loaded_at: clock::now(),
            last_reload_ok: true,
        }
    }
}

/// The syntax of matchers and names that the features choose.
pub(super) fn syntax(features: &Features) -> Syntax {
    match (features.classic_mode, features.utf8_strict_mode) {
        (true, _) => Syntax::Classic,
        (_, true) => Syntax::Utf8,
        _ => Syntax::Fallback,
    }
}
