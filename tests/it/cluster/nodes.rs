//! Nodes of one cluster, each a process: on loopback addresses of their own, or each in a namespace of a network.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::forwarder::Forwarder;
use super::network::Network;
use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::{eventually, eventually_within};

/// What every node of these tests is told besides its addresses: what waits for seconds in production waits less here.
const FLAGS: [&str; 1] = ["--cluster.reconnect-interval=1s"];

/// How long a busy machine may take for what many nodes do together.
pub(super) const LONG: std::time::Duration = std::time::Duration::from_secs(120);

/// A cluster whose nodes are called `n1`, `n2` and so on.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Server>,
    listen: Vec<SocketAddr>,
}

/// What a node says of its cluster.
pub(super) struct Shown {
    pub(super) status: String,
    pub(super) names: Vec<String>,
}

impl Cluster {
    /// So many nodes that know of each other and have settled.
    pub(super) fn start(count: usize, config: &str, flags: &[&str]) -> Self {
        let mut cluster = Self::prepare(count, config, flags);
        cluster.launch();
        cluster
    }

    /// The same, not started yet.
    pub(super) fn prepare(count: usize, config: &str, flags: &[&str]) -> Self {
        let addresses = reserve(count);
        Self {
            nodes: (0..count).map(|index| node(index, addresses[index], &addresses, config, flags)).collect(),
            listen: addresses,
        }
    }

    /// The same; each node is found by the others only where a forwarder listens for it.
    pub(super) fn prepare_behind_forwarders(count: usize, config: &str, flags: &[&str]) -> (Self, Vec<Forwarder>) {
        let (listen, found) = (reserve(count), reserve(count));
        let place = |index: usize| {
            let mut node = node(index, listen[index], &found, config, flags);
            node.add_flag(format!("--cluster.advertise-address={}", found[index]));
            node
        };
        let nodes = (0..count).map(place).collect();
        let forwarders = found.iter().zip(&listen).map(|(found, listen)| Forwarder::start(*found, *listen)).collect();
        (Self { nodes, listen }, forwarders)
    }

    /// Nodes that know of each other and have settled, one in each namespace of the network.
    pub(super) fn start_on(network: &Network, count: usize, config: &str, flags: &[&str]) -> Self {
        let mut cluster = Self::prepare_on(network, count, config, flags);
        cluster.launch();
        cluster
    }

    /// The same, not started yet.
    pub(super) fn prepare_on(network: &Network, count: usize, config: &str, flags: &[&str]) -> Self {
        let addresses: Vec<_> =
            (1..=count).map(|number| SocketAddr::new(Network::peer_address(number), 9094)).collect();
        let place = |index: usize| {
            let mut node = node(index, addresses[index], &addresses, config, flags);
            node.space = Some(network.space(index + 1));
            node.address = SocketAddr::new(network.address(index + 1), 9093);
            node
        };
        Self { nodes: (0..count).map(place).collect(), listen: addresses }
    }

    /// Where a node listens for its peers; the first has the index 0.
    pub(super) fn listens(&self, index: usize) -> SocketAddr {
        self.listen[index]
    }

    /// Starts all nodes that do not run and waits until they see each other.
    pub(super) fn launch(&mut self) {
        self.nodes.iter_mut().for_each(Server::begin);
        self.nodes.iter_mut().for_each(Server::wait_until_ready);
        let mut all: Vec<String> = (1..=self.nodes.len()).map(|number| format!("n{number}")).collect();
        all.sort();
        self.nodes.iter().for_each(|node| sees(node, &all));
    }

    /// Posts alerts to all nodes that run, as Prometheus does.
    pub(super) fn post(&self, alerts: &Value) {
        for node in self.nodes.iter().filter(|node| node.runs()) {
            node.client().post("/api/v2/alerts", alerts).ok();
        }
    }

    /// Waits until each running node has found all others to hold the same as itself, by comparisons that began now.
    pub(super) fn agrees(&self) {
        let running: Vec<_> = self.nodes.iter().filter(|node| node.runs()).collect();
        let equal = "watchbell_cluster_digests_compared_total{result=\"equal\"}";
        let before: Vec<f64> = running.iter().map(|node| metric(node, equal)).collect();
        let others = running.len() as f64 - 1.0;
        eventually_within(LONG, "all nodes agree", || {
            let agree = |(node, before): (&&Server, &f64)| {
                // Each comparison is counted on both sides; two with each other node are surely later than now.
                metric(node, equal) >= before + 4.0 * others
                    && metric(node, "watchbell_cluster_agreeing_peers") == others
            };
            running.iter().zip(&before).all(agree).then_some(())
        });
    }
}

fn reserve(count: usize) -> Vec<SocketAddr> {
    (0..count).map(|_| address::reserve()).collect()
}

fn node(index: usize, listen: SocketAddr, peers: &[SocketAddr], config: &str, flags: &[&str]) -> Server {
    let mut all = vec![format!("--cluster.listen-address={listen}"), format!("--cluster.peer-name=n{}", index + 1)];
    all.extend(peers.iter().map(|address| format!("--cluster.peer={address}")));
    all.extend(FLAGS.iter().chain(flags).map(|flag| (*flag).to_owned()));
    let config = with_peer_down(config);
    Server::prepare(Program::Watchbell, &config, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Who counts notifications does not want to be told of nodes that are killed, unless that is what it is about.
pub(super) fn with_peer_down(config: &str) -> String {
    if config.contains("peer_down:") { config.to_owned() } else { format!("{config}\npeer_down: {{enabled: false}}\n") }
}

/// Waits until a node sees exactly these others and itself, in the order of their names.
pub(crate) fn sees(node: &Server, names: &[impl AsRef<str>]) {
    eventually_within(LONG, "the node sees its peers", || {
        let shown = shown(node);
        shown.names.iter().map(String::as_str).eq(names.iter().map(AsRef::as_ref)).then_some(())
    });
}

pub(super) fn shown(node: &Server) -> Shown {
    let cluster = node.client().get("/api/v2/status").ok().json()["cluster"].clone();
    let names = cluster["peers"].as_array().expect("peers are a list").iter();
    let names = names.map(|peer| peer["name"].as_str().expect("a peer has a name").to_owned()).collect();
    Shown { status: cluster["status"].as_str().expect("a cluster has a status").to_owned(), names }
}

/// The value of a metric of a node; 0 if it is not there.
pub(crate) fn metric(node: &Server, series: &str) -> f64 {
    let page = node.client().get("/metrics").ok().text();
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a metric is a number"))
}

/// How much a node has refused for a reason.
pub(super) fn refused(node: &Server, reason: &str) -> f64 {
    metric(node, &format!("watchbell_cluster_refused_total{{reason=\"{reason}\"}}"))
}

/// Where peers find the node that is called so.
pub(super) fn peer_address(node: &Server, name: &str) -> SocketAddr {
    let cluster = node.client().get("/api/v2/status").ok().json()["cluster"].clone();
    let peers = cluster["peers"].as_array().expect("peers are a list");
    let peer = peers.iter().find(|peer| peer["name"] == name).expect("the node is there");
    peer["address"].as_str().and_then(|text| text.parse().ok()).expect("an address")
}

/// Makes a silence of everything called `name`; returns its id.
pub(crate) fn silence(node: &Server, name: &str) -> String {
    set_silence(node, None, name, "why")
}

/// Makes a silence, or edits the one with this id; returns its id.
pub(crate) fn set_silence(node: &Server, id: Option<&str>, name: &str, comment: &str) -> String {
    let mut body = json!({
        "matchers": [{"name": "alertname", "value": name, "isRegex": false}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "createdBy": "us", "comment": comment,
    });
    if let Some(id) = id {
        body["id"] = id.into();
    }
    let answer = node.client().post("/api/v2/silences", &body).ok().json();
    answer["silenceID"].as_str().expect("a silence has an id").to_owned()
}

/// The silences a node shows, sorted: id, state, comment.
pub(crate) fn silences(node: &Server) -> Vec<[String; 3]> {
    let shown = node.client().get("/api/v2/silences").ok().json();
    let text =
        |silence: &Value, path: &str| silence.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let silences = shown.as_array().expect("silences are a list").iter();
    let mut silences: Vec<_> =
        silences.map(|silence| ["/id", "/status/state", "/comment"].map(|path| text(silence, path))).collect();
    silences.sort();
    silences
}

/// Waits until all nodes show as many silences as the first, and the same.
pub(super) fn same_silences(nodes: &[&Server], count: usize) {
    eventually("all nodes show the same silences", || {
        let first = silences(nodes[0]);
        (first.len() == count && nodes.iter().all(|node| silences(node) == first)).then_some(())
    });
}

/// `count` alerts called `{word}0` and so on, each the only one of its group.
pub(super) fn alerts(word: &str, count: usize) -> Value {
    (0..count).map(|number| json!({"labels": {"alertname": format!("{word}{number}")}})).collect()
}
