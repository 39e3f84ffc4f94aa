//! Who is told by a cluster of three, and counts how often. What is still heard is shown by looking on for a while after
//! the last was told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::network::Network;
use super::nodes::{Cluster, LONG};
use crate::harness::sink::{Delivery, Sink};
use crate::harness::wait::{eventually_within, seen_within};

/// A flush every six seconds finds out who has forgotten what was told.
pub(super) const CONFIG: &str = "
route:
  receiver: team
  group_by: [alertname]
  group_wait: 3s
  group_interval: 6s
receivers:
  - name: team
    webhook_configs: [{url: '{url}'}]
";

/// Longer than it takes for all flushes to come round once more.
const ROUND: Duration = Duration::from_secs(8);

/// A receiver that counts.
pub(super) struct Audience(pub(super) Sink);

impl Audience {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self(Sink::start_at(address))
    }

    /// The configuration by which it is told.
    pub(super) fn config(&self, config: &str) -> String {
        config.replace("{url}", &self.0.url("team"))
    }

    pub(super) fn heard(&self) -> Vec<Delivery> {
        self.0.at("team")
    }

    /// How often each group was told.
    pub(super) fn told(&self) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for delivery in self.heard() {
            *told.entry(delivery.text("groupKey").to_owned()).or_default() += 1;
        }
        told
    }

    /// Waits until so many groups were told, looks on for another round, and fails if any was told more often than that.
    pub(super) fn each_is_told_at_most(&self, times: usize, groups: usize) {
        eventually_within(LONG, "all groups are told", || (self.told().len() >= groups).then_some(()));
        let more = seen_within(ROUND, || self.told().into_iter().find(|(_, told)| *told > times));
        assert_eq!((more, self.told().len()), (None, groups));
    }

    pub(super) fn each_is_told_once(&self, groups: usize) {
        self.each_is_told_at_most(1, groups);
    }

    /// How long after a moment the first and the last was told.
    pub(super) fn took_since(&self, moment: Instant) -> Option<(Duration, Duration)> {
        let took = |delivery: &Delivery| delivery.arrived.duration_since(moment);
        let heard = self.heard();
        Some((took(heard.first()?), took(heard.last()?)))
    }
}

/// Three nodes on a network, and who is told.
pub(super) struct Stage {
    // Dropped in this order: a namespace goes when no process is in it any more.
    pub(super) cluster: Cluster,
    pub(super) audience: Audience,
    pub(super) network: Network,
}

impl Stage {
    pub(super) fn new(config: &str, flags: &[&str]) -> Self {
        let network = Network::new(3);
        let audience = Audience::at((network.test(), 0).into());
        let cluster = Cluster::start_on(&network, 3, &audience.config(config), flags);
        Self { cluster, audience, network }
    }
}
