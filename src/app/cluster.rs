//! From the `--cluster.*` flags to the room `cluster`, and who may take part in it.

use std::path::PathBuf;

use tokio::sync::mpsc;
use watchbell_engine::version::NodeId;

use super::AppError;
use crate::cli::{self, Options};
use crate::clock;
use crate::cluster::{self, Cluster, Event, KeyRing, Security};
use crate::store::Opened;
use crate::telemetry::Metrics;

/// The files that say who may take part; they are read again at each reload.
#[derive(Clone, Debug, Default)]
pub(super) struct SecurityFiles {
    keys: Option<PathBuf>,
}

impl SecurityFiles {
    pub(super) fn new(options: &Options) -> Self {
        Self { keys: options.cluster.as_ref().and_then(|cluster| cluster.key_file.clone()) }
    }

    pub(super) fn read(&self) -> Result<Security, AppError> {
        let keys = self.keys.as_deref().map(KeyRing::read).transpose().map_err(AppError::ClusterKeys)?;
        Ok(Security { keys, tls: None })
    }
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
        started_at: clock::now().as_secs().unsigned_abs(),
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
    }
}
