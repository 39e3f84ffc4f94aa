//! The metrics of what is watched over: expected alerts, dead peers, heartbeats.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use watchbell_engine::heartbeat::Stalled;

use super::metrics::{Labelled, Registrar, labels};

/// What is watched over.
#[derive(Debug)]
pub struct VigilMetrics {
    missing: Family<Labelled, Gauge>,
    last_seen: Family<Labelled, Gauge>,
    peers_down: Family<Labelled, Gauge>,
    sent: Family<Labelled, Counter>,
    failed: Family<Labelled, Counter>,
    withheld: Family<Labelled, Counter>,
    works: Family<Labelled, Gauge>,
    /// The names of the rules and of the heartbeats that have series.
    named: Mutex<[BTreeSet<String>; 2]>,
}

impl VigilMetrics {
    pub(super) fn new(registrar: &mut Registrar<'_>) -> Self {
        Self {
            missing: registrar.gauges("watchbell_expected_alert_missing", "Whether an expected alert is missing"),
            last_seen: registrar.gauges(
                "watchbell_expected_alert_last_seen_timestamp_seconds",
                "When an expected alert was last received by any node, as far as this one knows; 0 if never",
            ),
            peers_down: registrar.gauges("watchbell_peer_down", "Peers that have died and are told of; always 1"),
            sent: registrar.counters("watchbell_heartbeats_total", "Heartbeats sent, answered or not"),
            failed: registrar.counters("watchbell_heartbeats_failed_total", "Heartbeats that were not taken"),
            withheld: registrar
                .counters("watchbell_heartbeats_withheld_total", "Heartbeats not sent because not everything works"),
            works: registrar
                .gauges("watchbell_heartbeat_works", "Whether everything worked when the heartbeat was due last"),
            named: Mutex::default(),
        }
    }

    /// Follows another configuration: names that stay keep what they count.
    pub fn reconfigure(&self, rules: BTreeSet<String>, heartbeats: BTreeSet<String>) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let [old_rules, old_heartbeats] = std::mem::replace(&mut *named, [rules, heartbeats]);
        let [rules, heartbeats] = &*named;
        for name in old_rules.difference(rules).map(|name| rule(name)) {
            self.missing.remove(&name);
            self.last_seen.remove(&name);
        }
        for name in rules.difference(&old_rules).map(|name| rule(name)) {
            drop(self.missing.get_or_create_owned(&name));
            drop(self.last_seen.get_or_create_owned(&name));
        }
        for name in old_heartbeats.difference(heartbeats) {
            self.forget_heartbeat(name);
        }
        for name in heartbeats.difference(&old_heartbeats).map(|name| heartbeat(name)) {
            drop(self.works.get_or_create_owned(&name));
            drop(self.sent.get_or_create_owned(&name));
            drop(self.failed.get_or_create_owned(&name));
        }
    }

    fn forget_heartbeat(&self, name: &str) {
        let labels = heartbeat(name);
        self.works.remove(&labels);
        self.sent.remove(&labels);
        self.failed.remove(&labels);
        for reason in [Stalled::NotReceived, Stalled::NotRouted, Stalled::NotTold] {
            self.withheld.remove(&withheld(name, reason));
        }
    }

    /// Says when an expected alert was received.
    pub fn seen(&self, name: &str, seconds: i64) {
        self.last_seen.get_or_create_owned(&rule(name)).set(seconds);
    }

    /// Says whether an expected alert is missing.
    pub fn missing(&self, name: &str, missing: bool) {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named[0].contains(name) {
            self.missing.get_or_create_owned(&rule(name)).set(i64::from(missing));
        }
    }

    /// Says whether a peer is down.
    pub fn peer_down(&self, name: &str, down: bool) {
        let labels = labels([("peer", name)]);
        if down {
            self.peers_down.get_or_create_owned(&labels).set(1);
        } else {
            self.peers_down.remove(&labels);
        }
    }

    /// Counts a heartbeat that was due, and is sent or not.
    pub fn due(&self, name: &str, works: Result<(), Stalled>) {
        self.works.get_or_create_owned(&heartbeat(name)).set(i64::from(works.is_ok()));
        match works {
            Ok(()) => self.sent.get_or_create_owned(&heartbeat(name)).inc(),
            Err(reason) => self.withheld.get_or_create_owned(&withheld(name, reason)).inc(),
        };
    }

    /// Counts a heartbeat that was not taken.
    pub fn failed(&self, name: &str) {
        self.failed.get_or_create_owned(&heartbeat(name)).inc();
    }
}

fn rule(name: &str) -> Labelled {
    labels([("expect", name)])
}

fn heartbeat(name: &str) -> Labelled {
    labels([("heartbeat", name)])
}

fn withheld(name: &str, reason: Stalled) -> Labelled {
    labels([("heartbeat", name), ("reason", reason.as_str())])
}
