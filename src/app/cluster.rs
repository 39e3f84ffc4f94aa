//! From the `--cluster.*` flags to the room `cluster`, and who may take part in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::sync::mpsc;
use watchbell_engine::version::NodeId;

use super::AppError;
use crate::cli::{self, Options};
use crate::cluster::{self, Cluster, Event, KeyRing, Security, Tls};
use crate::config;
use crate::settings::cluster_tls::ClientAuth;
use crate::store::Opened;
use crate::telemetry::Metrics;
use crate::tls::{self, Pem};

/// The files that say who may take part; they are read again at each reload.
#[derive(Clone, Debug, Default)]
pub(super) struct SecurityFiles {
    keys: Option<PathBuf>,
    tls: Option<PathBuf>,
}

impl SecurityFiles {
    pub(super) fn new(options: &Options) -> Self {
        let cluster = options.cluster.as_ref();
        let keys = cluster.and_then(|cluster| cluster.key_file.clone());
        Self { keys, tls: cluster.and_then(|cluster| cluster.tls_config.clone()) }
    }

    pub(super) async fn read(&self) -> Result<Security, AppError> {
        let keys = self.keys.as_deref().map(KeyRing::read).transpose().map_err(AppError::ClusterKeys)?;
        let tls = match &self.tls {
            Some(path) => Some(read_tls(path).await?),
            None => None,
        };
        Ok(Security { keys, tls })
    }
}

async fn read_tls(path: &Path) -> Result<Tls, AppError> {
    let settings = config::load_cluster_tls(path)?;
    let wrong = |error: String| AppError::ClusterTls { path: path.to_owned(), error };
    let (server, client) = settings.parts().map_err(|error| wrong(error.to_string()))?;
    tls::refuse_unsupported(client).map_err(wrong)?;
    let (their_pem, our_pem) =
        (Pem::read_server(server).await.map_err(wrong)?, Pem::read(client).await.map_err(wrong)?);
    let name = Some(client.server_name.clone()).filter(|name| !name.is_empty());
    let name = name.map(|name| ServerName::try_from(name).map_err(|error| wrong(format!("server_name: {error}"))));
    Ok(Tls {
        client: Arc::new(
            tls::client_config(client, &our_pem).map_err(|error| wrong(format!("tls_client_config: {error}")))?,
        ),
        server_name: name.transpose()?,
        server: Arc::new(
            tls::server_config(server, &their_pem).map_err(|error| wrong(format!("tls_server_config: {error}")))?,
        ),
        is_mutual: server.client_auth_type == ClientAuth::Required,
    })
}

/// This node's name in the cluster: the one given, else its identity on disk.
pub(super) fn peer_name(options: &Options, node: NodeId) -> String {
    let given = options.cluster.as_ref().map(|cluster| cluster.peer_name.as_str()).unwrap_or_default();
    if given.is_empty() { format!("{:016x}", node.0) } else { given.to_owned() }
}

/// Takes part in the cluster, unless that is turned off.
pub(super) async fn start(
    options: &Options,
    opened: &Opened,
    security: Security,
    metrics: &Metrics,
) -> Result<Option<(Cluster, mpsc::Receiver<Event>)>, AppError> {
    let Some(flags) = &options.cluster else { return Ok(None) };
    let name = peer_name(options, opened.node);
    Ok(Some(Cluster::start(cluster_options(flags, opened, &name), security, metrics.clone()).await?))
}

fn cluster_options(flags: &cli::Cluster, opened: &Opened, name: &str) -> cluster::Options {
    cluster::Options {
        node: opened.node,
        start: opened.generation,
        name: name.into(),
        listen_address: flags.listen_address.clone(),
        advertise_address: flags.advertise_address.clone(),
        peers: flags.peers.clone(),
        gossip_interval: flags.gossip_interval,
        tcp_timeout: flags.tcp_timeout,
        resolve_timeout: flags.peers_resolve_timeout,
        settle_timeout: flags.settle_timeout,
        reconnect_interval: flags.reconnect_interval,
        reconnect_timeout: flags.reconnect_timeout,
        allow_public_address: flags.allow_public_advertise_address,
        label: flags.label.as_str().into(),
        remembered: opened.saved.peers.clone(),
    }
}
