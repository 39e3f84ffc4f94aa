//! Builds the rooms, starts them, stops them in order. The only place that sees all of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use watchbell_engine::Engine;
use watchbell_engine::effect::Effects;
use watchbell_engine::silence::edit::SilenceLimits;

use crate::api::{self, Api, ApiOptions, Listener};
use crate::cli::Options;
use crate::cluster::{Cluster, ClusterError, KeyError};
use crate::config::{Config, ConfigError};
use crate::driver::{Driver, Handle, Refused, Running};
use crate::receivers::{Figure, ReceiverError};
use crate::store::{Committer, Opened, Store, StoreError};
use crate::telemetry::{Asked, Metrics};
use crate::{clock, version};

mod cluster;
mod commands;
mod external_url;
mod loader;
mod open_files;

use external_url::ExternalUrl;
use loader::{Built, Loader, syntax};

/// Reloads that may be asked for while one is under way.
const MAX_RELOADS: usize = 16;

/// Why the program cannot start, or a configuration cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration file.
    #[error("loading configuration file: {0}")]
    Config(#[from] ConfigError),
    /// A template file.
    #[error("failed to parse templates: {0}")]
    Template(#[from] watchbell_template::TemplateError),
    /// A receiver.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    /// The data directory.
    #[error("opening the data directory: {0}")]
    Store(#[from] StoreError),
    /// An address or a signal that the system does not give us.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// `--web.external-url`.
    #[error("failed to determine external URL: {0}")]
    ExternalUrl(String),
    /// `--cluster.key-file`.
    #[error("--cluster.key-file: {0}")]
    ClusterKeys(KeyError),
    /// `--cluster.tls-config`.
    #[error("--cluster.tls-config: {}: {error}", path.display())]
    ClusterTls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// Another flag of the cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The driver is gone.
    #[error(transparent)]
    Stopping(#[from] Refused),
}

/// Runs the server until a signal ends it.
pub async fn run(options: Options) -> Result<(), AppError> {
    let signals = signals()?;
    announce(&options);
    open_files::raise_limit();
    let mut loader = Loader::new(&options);
    let config = loader.load()?;
    let (store, opened) = Store::open(&options.storage_path)?;
    tell_what_was_opened(&opened);
    let listeners = listeners(&options).await?;
    let port = listeners.iter().find_map(Listener::network_address).map(|address| address.port());
    let external_url = ExternalUrl::new(&options, port).map_err(AppError::ExternalUrl)?;
    loader.external_url = external_url.to_string();
    loader.peer_name = cluster::peer_name(&options, opened.node);
    let security = loader.security.read().await?;
    let Built { route_labels, integrations, irc: plans } = loader.build(&config, &security)?;

    let metrics = Metrics::new(&options.features);
    count_receivers(&metrics, &config);
    count_damage(&metrics, &opened);
    ask_receivers(&metrics, &loader);
    let joined = cluster::start(&options, &opened, security, &metrics).await?;
    let cluster = joined.as_ref().map(|(cluster, _)| cluster.clone());
    let (engine, first) = restore(&options, &config, opened);
    let (committer, integrations) = (Committer::start(store), Arc::new(integrations));
    let (driver, commands) =
        Driver::new(engine, first, committer, integrations, metrics.clone(), options.log_silences, joined);
    let (running, watched) = watch::channel(Arc::new(loader.running(config, route_labels)));
    let (reloads, asked) = mpsc::channel(MAX_RELOADS);
    let handle = Handle::new(commands, watched, reloads, cluster.clone());
    let api = Api::new(handle.clone(), metrics.clone(), api_options(&options, &external_url));

    let irc = loader.irc.clone();
    let obeying = tokio::spawn(commands::obey(handle.clone(), irc.clone(), irc.requests(), syntax(&options.features)));
    irc.follow(&plans);
    let driving = tokio::spawn(driver.run());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(api::serve(listeners, api, async move { drop(stopped.await) }));
    Reloader { loader, handle: handle.clone(), running, metrics, cluster }.until_stopped(signals, asked).await;
    drop(stop);
    // A panic in one of them has been told by the hook; the others still stop in order.
    let _ = serving.await;
    handle.stop().await;
    let _ = driving.await;
    irc.stop().await;
    obeying.abort();
    tracing::info!("Stopped");
    Ok(())
}

async fn listeners(options: &Options) -> std::io::Result<Vec<Listener>> {
    if options.systemd_socket { api::passed() } else { api::bind(&options.listen_addresses).await }
}

/// Shows what the receivers count.
fn ask_receivers(metrics: &Metrics, loader: &Loader) {
    let fallbacks = Arc::clone(&loader.fallbacks);
    metrics.template_fallbacks.ask(move || fallbacks.counts().collect());
    let (irc, mailroom, gitlab) = (loader.irc.clone(), loader.mailroom.clone(), Arc::clone(&loader.gitlab));
    metrics.asked.ask(move || {
        let figures = [irc.figures(), mailroom.figures(), gitlab.figures()];
        figures.into_iter().flatten().map(asked).collect()
    });
}

/// The engine as it was left, and what follows from its restart.
fn restore(options: &Options, config: &Config, opened: Opened) -> (Engine, Effects) {
    let engine_options = engine_options(options, &opened);
    Engine::restore(clock::now(), engine_options, Arc::clone(&config.policy), opened.saved)
}

/// Follows another configuration whenever a signal or a request asks for it.
struct Reloader {
    loader: Loader,
    handle: Handle,
    running: watch::Sender<Arc<Running>>,
    metrics: Metrics,
    cluster: Option<Cluster>,
}

impl Reloader {
    /// Serves reloads, one at a time, until a signal ends the program.
    async fn until_stopped(self, signals: [Signal; 3], mut asked: mpsc::Receiver<oneshot::Sender<Result<(), String>>>) {
        let [mut hangup, mut terminate, mut interrupt] = signals;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => drop(self.reload().await),
                Some(reply) = asked.recv() => {
                    let outcome = self.reload().await.map_err(|error| error.to_string());
                    // Who asked may have gone; the reload holds all the same.
                    let _ = reply.send(outcome);
                }
            }
        }
        tracing::info!("Received SIGTERM, exiting gracefully...");
    }

    async fn reload(&self) -> Result<(), AppError> {
        let file = self.loader.file_name();
        tracing::info!(component = "configuration", %file, "Loading configuration file");
        let outcome = self.follow_the_file().await;
        match &outcome {
            Ok(()) => tracing::info!(component = "configuration", %file, "Completed loading of configuration file"),
            Err(err) => {
                self.running.send_modify(|running| Arc::make_mut(running).last_reload_ok = false);
                tracing::error!(component = "configuration", %file, %err, "Loading configuration file failed");
            }
        }
        outcome
    }

    /// Everything that can fail is done before anything changes.
    async fn follow_the_file(&self) -> Result<(), AppError> {
        let config = self.loader.load()?;
        let security = self.loader.security.read().await?;
        let Built { route_labels, integrations, irc } = self.loader.build(&config, &security)?;
        count_receivers(&self.metrics, &config);
        self.loader.irc.follow(&irc);
        self.handle.replace(Arc::clone(&config.policy), Arc::new(integrations)).await?;
        if let Some(cluster) = &self.cluster {
            cluster.secure(security);
        }
        self.running.send_replace(Arc::new(self.loader.running(config, route_labels)));
        Ok(())
    }
}

fn engine_options(options: &Options, opened: &Opened) -> watchbell_engine::Options {
    watchbell_engine::Options {
        node: opened.node,
        silences: SilenceLimits {
            count: options.max_silences.unwrap_or(0),
            size: options.max_silence_size_bytes.unwrap_or(0),
            retention: options.data_retention,
        },
        alert_gc_interval: options.alerts_gc_interval,
        per_alertname_limit: options.per_alertname_limit.unwrap_or(0),
        peer_timeout: options.cluster.as_ref().map_or(Duration::ZERO, |cluster| cluster.peer_timeout),
        start_delay: options.dispatch_start_delay,
        // More than zero also says that there are, or may be, others.
        settle_timeout: options
            .cluster
            .as_ref()
            .map_or(Duration::ZERO, |cluster| cluster.settle_timeout.max(Duration::from_millis(1))),
    }
}

fn api_options(options: &Options, external_url: &ExternalUrl) -> ApiOptions {
    ApiOptions {
        route_prefix: external_url.route_prefix(options.route_prefix.as_deref()),
        get_concurrency: options.get_concurrency,
        timeout: options.web_timeout,
        syntax: syntax(&options.features),
        per_alertname_limit: options.per_alertname_limit.unwrap_or(0),
        group_key_in_metrics: options.features.group_key_in_metrics,
    }
}

/// What receivers count, as metrics.
fn asked(Figure { name, kind, help, series }: Figure) -> Asked {
    Asked { name, kind: kind.as_str(), help, series }
}

fn count_receivers(metrics: &Metrics, config: &Config) {
    let integrations = config.policy.receivers.iter().flat_map(|receiver| {
        receiver.integrations.iter().map(|integration| (integration.kind.as_str(), receiver.name.as_str()))
    });
    metrics.notifications.reconfigure(integrations);
    let vigil = &config.policy.vigil;
    let rules = vigil.expect.iter().map(|rule| rule.name.to_string()).collect();
    metrics.vigil.reconfigure(rules, vigil.heartbeats.iter().map(|heartbeat| heartbeat.name.to_string()).collect());
}

/// Silences count under Alertmanager's name as well. The place of a damaged record names its kind.
fn count_damage(metrics: &Metrics, opened: &Opened) {
    let imported = opened.imported.iter().flat_map(|imported| &imported.damaged);
    let (silences, others): (Vec<_>, Vec<_>) =
        opened.damaged.iter().chain(imported).partition(|damaged| damaged.place.contains("silence"));
    metrics.store.damaged.set((silences.len() + others.len()) as i64);
    metrics.silences.unreadable_on_load.inc_by(silences.len() as u64);
}

fn announce(options: &Options) {
    tracing::info!(version = version::VERSION, revision = version::REVISION, "Starting Watchbell");
    for feature in &options.features.names {
        tracing::warn!(%feature, "Experimental feature enabled");
    }
}

fn tell_what_was_opened(opened: &Opened) {
    let saved = &opened.saved;
    let (silences, nflog, alerts) = (saved.silences.len(), saved.nflog.len(), saved.alerts.len());
    tracing::info!(component = "store", silences, nflog, alerts, "Opened the data directory");
    if let Some(imported) = &opened.imported {
        tracing::info!(component = "store", ?imported, "Took over the state of Alertmanager");
    }
    for damaged in &opened.damaged {
        tracing::error!(component = "store", place = %damaged.place, err = %damaged.error, "A record cannot be read; it is left where it is");
    }
}

fn signals() -> std::io::Result<[Signal; 3]> {
    Ok([signal(SignalKind::hangup())?, signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?])
}
