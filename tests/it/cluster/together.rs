//! Two and three nodes on loopback addresses: silences are everywhere, alerts are told once, and death is noticed.

use serde_json::{Value, json};

use super::nodes::{Cluster, alerts, metric, sees, shown, silence, silences};
use crate::harness::amtool::amtool;
use crate::harness::server::{Program, Server};
use crate::harness::sink::Sink;
use crate::harness::wait::{eventually, seen_within};

const CONFIG: &str = "
route:
  receiver: team
  group_by: [alertname]
  group_wait: 1s
  group_interval: 10s
receivers:
  - name: team
    webhook_configs: [{url: '{url}'}]
";

#[test]
fn a_silence_is_everywhere_and_so_is_its_end() {
    let mut cluster = Cluster::start(2, &CONFIG.replace("{url}", "http://127.0.0.1:9/"), &[]);
    let [one, two] = &cluster.nodes[..] else { unreachable!("two nodes") };
    assert_eq!((shown(one).status, shown(two).status), ("ready".into(), "ready".into()));
    let id = silence(one, "A");
    eventually("the silence is on the other node", || (silences(two) == silences(one)).then_some(()));
    two.client().delete(&format!("/api/v2/silence/{id}")).ok();
    eventually("the end is on the first node", || (state(one) == [(id.clone(), "expired".to_owned())]).then_some(()));
    // What the other has merged is on its own disk.
    cluster.nodes[0].kill();
    sees(&cluster.nodes[1], &["n2"]);
    cluster.nodes[1].kill();
    cluster.nodes[1].launch();
    assert_eq!(state(&cluster.nodes[1]), [(id, "expired".to_owned())]);
}

/// The silences of a node and their states.
fn state(node: &Server) -> Vec<(String, String)> {
    silences(node).into_iter().map(|[id, state, _]| (id, state)).collect()
}

#[test]
fn alerts_that_all_nodes_have_are_told_once() {
    let sink = Sink::start();
    let cluster = Cluster::start(3, &CONFIG.replace("{url}", &sink.url("team")), &[]);
    cluster.post(&alerts("A", 50));
    sink.wait_for("team", 50);
    let more = seen_within(std::time::Duration::from_secs(8), || (sink.at("team").len() > 50).then_some(()));
    assert_eq!(more, None, "somebody was told twice");
    let shown = amtool(&cluster.nodes[0], &["--output=extended", "cluster", "show"]).ok();
    assert!(shown.contains("ready") && ["n1", "n2", "n3"].iter().all(|name| shown.contains(name)), "{shown}");
    let positions: Vec<_> = cluster.nodes.iter().map(|node| metric(node, "alertmanager_peer_position")).collect();
    assert_eq!(positions, [0.0, 1.0, 2.0]);
    eventually("all agree", || {
        cluster.nodes.iter().all(|node| metric(node, "watchbell_cluster_agreeing_peers") == 2.0).then_some(())
    });
    for other in ["n2", "n3"] {
        let of = |name: &str| metric(&cluster.nodes[0], &format!("alertmanager_cluster_{name}{{peer=\"{other}\"}}"));
        assert!(of("alive_messages_total") > 10.0 && of("pings_seconds_count") > 0.0, "{other}");
    }
    assert!(!cluster.nodes[0].client().get("/metrics").ok().text().contains("alertmanager_tls_transport"));
}

#[test]
fn a_node_that_joins_late_has_everything_before_it_is_ready() {
    let config = CONFIG.replace("{url}", "http://127.0.0.1:9/");
    let mut cluster = Cluster::prepare(2, &config, &[]);
    cluster.nodes[0].launch();
    (0..100).for_each(|number| drop(silence(&cluster.nodes[0], &format!("A{number}"))));
    cluster.nodes[1].launch();
    assert_eq!(silences(&cluster.nodes[1]).len(), 100);
    assert!(metric(&cluster.nodes[1], "watchbell_cluster_repaired_records_total") >= 100.0);
}

#[test]
fn who_leaves_and_who_dies_is_missed_at_once() {
    let mut cluster = Cluster::start(3, &CONFIG.replace("{url}", "http://127.0.0.1:9/"), &[]);
    assert!(cluster.nodes[0].stop().success());
    sees(&cluster.nodes[1], &["n2", "n3"]);
    cluster.nodes[1].kill();
    sees(&cluster.nodes[2], &["n3"]);
    counts_two(&cluster.nodes[2], "alertmanager_cluster_failed_peers");
    cluster.launch();
    counts_two(&cluster.nodes[2], "alertmanager_cluster_reconnections_total");
}

/// A node shows who is a member before it counts who was or is none.
fn counts_two(node: &Server, name: &str) {
    eventually(&format!("{name} is two"), || (metric(node, name) == 2.0).then_some(()));
}

#[test]
fn the_port_is_resolved_and_a_node_is_called_by_its_disk() {
    let config = CONFIG.replace("{url}", "http://127.0.0.1:9/");
    let mut node = Server::start_with(Program::Watchbell, &config, &["--cluster.listen-address=127.0.0.1:0"]);
    let cluster = |node: &Server| -> Value { node.client().get("/api/v2/status").ok().json()["cluster"].clone() };
    let first = cluster(&node);
    let name = first["name"].as_str().unwrap().to_owned();
    assert_eq!(name.len(), 16);
    let address = first["peers"][0]["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{address}");
    assert_eq!(first["peers"], json!([{"address": address, "name": name}]));
    assert!(node.stop().success());
    node.launch();
    assert_eq!(cluster(&node)["name"], json!(name));
}
