//! `/api/v2/status` and `/api/v2/receivers`: what runs here.

use watchbell_engine::matcher::{Matcher, all_match};
use watchbell_engine::policy::Policy;
use watchbell_engine::time::Timestamp;

use super::wire::shown::{ClusterStatus, ConfigText, Object, PeerStatus, ShownReceiver, ShownStatus, VersionInfo};
use super::wire::time::ZonedTime;
use crate::driver::ClusterStatus as Status;
use crate::version;

/// The node, its configuration and its cluster.
pub(super) fn status<'a>(config: &'a str, cluster: Option<&'a Status>, started_at: Timestamp) -> ShownStatus<'a> {
    ShownStatus {
        cluster: shown(cluster),
        config: ConfigText { original: config },
        uptime: ZonedTime::local(started_at),
        version_info: VersionInfo {
            branch: version::BRANCH,
            build_date: version::BUILD_DATE,
            build_user: version::BUILD_USER,
            go_version: version::TOOLCHAIN,
            revision: version::REVISION,
            version: version::ALERTMANAGER_VERSION,
        },
    }
}

fn shown(cluster: Option<&Status>) -> ClusterStatus<'_> {
    let Some(cluster) = cluster else { return ClusterStatus { name: None, peers: Vec::new(), status: "disabled" } };
    let peers = cluster.peers.iter().map(|(name, address)| PeerStatus { address: address.to_string(), name });
    let status = if cluster.settled { "ready" } else { "settling" };
    ClusterStatus { name: Some(&cluster.name), peers: peers.collect(), status }
}

/// The receivers whose labels satisfy all matchers, in the order of the file.
pub(super) fn receivers<'a>(policy: &'a Policy, matchers: &[Matcher]) -> Vec<ShownReceiver<'a>> {
    let asked = policy.receivers.iter().filter(|receiver| all_match(matchers, &receiver.labels));
    asked.map(|receiver| ShownReceiver { labels: Object(&receiver.labels), name: &receiver.name }).collect()
}
