//! Nodes of one cluster, each a process with a loopback address of its own.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

/// What every node of these tests is told besides its addresses: what waits for seconds in production waits less here.
const FLAGS: [&str; 2] = ["--cluster.reconnect-interval=1s", "--cluster.peer-timeout=3s"];

/// A cluster whose nodes are called `n1`, `n2` and so on.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Server>,
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
        let addresses: Vec<SocketAddr> = (0..count).map(|_| address::reserve()).collect();
        let node = |number: usize| {
            let mut all = vec![
                format!("--cluster.listen-address={}", addresses[number]),
                format!("--cluster.peer-name=n{}", number + 1),
            ];
            all.extend(addresses.iter().map(|address| format!("--cluster.peer={address}")));
            let own = |flag: &&&str| !flags.iter().any(|given| given.split('=').next() == flag.split('=').next());
            all.extend(FLAGS.iter().filter(own).chain(flags).map(|flag| (*flag).to_owned()));
            Server::prepare(Program::Watchbell, config, &all.iter().map(String::as_str).collect::<Vec<_>>())
        };
        Self { nodes: (0..count).map(node).collect() }
    }

    /// Starts all nodes that do not run and waits until they see each other.
    pub(super) fn launch(&mut self) {
        self.nodes.iter_mut().for_each(Server::begin);
        self.nodes.iter_mut().for_each(Server::wait_until_ready);
        let all: Vec<String> = (1..=self.nodes.len()).map(|number| format!("n{number}")).collect();
        self.nodes.iter().for_each(|node| sees(node, &all));
    }

    /// Posts alerts to all nodes, as Prometheus does.
    pub(super) fn post(&self, alerts: &Value) {
        for node in &self.nodes {
            node.client().post("/api/v2/alerts", alerts).ok();
        }
    }
}

/// Waits until a node sees exactly these others and itself.
pub(super) fn sees(node: &Server, names: &[impl AsRef<str>]) {
    eventually("the node sees its peers", || {
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
pub(super) fn metric(node: &Server, series: &str) -> f64 {
    let page = node.client().get("/metrics").ok().text();
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a metric is a number"))
}

/// Makes a silence of everything called `name`; returns its id.
pub(super) fn silence(node: &Server, name: &str) -> String {
    let body = json!({
        "matchers": [{"name": "alertname", "value": name, "isRegex": false}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "createdBy": "us", "comment": "why",
    });
    let answer = node.client().post("/api/v2/silences", &body).ok().json();
    answer["silenceID"].as_str().expect("a silence has an id").to_owned()
}

/// The ids of the silences a node shows, sorted, with their states.
pub(super) fn silences(node: &Server) -> Vec<(String, String)> {
    let shown = node.client().get("/api/v2/silences").ok().json();
    let text =
        |silence: &Value, path: &str| silence.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let silences = shown.as_array().expect("silences are a list").iter();
    let mut silences: Vec<_> = silences.map(|silence| (text(silence, "/id"), text(silence, "/status/state"))).collect();
    silences.sort();
    silences
}

/// `count` alerts, each the only one of its group.
pub(super) fn alerts(count: usize) -> Value {
    (0..count).map(|number| json!({"labels": {"alertname": format!("A{number}")}})).collect()
}
