//! Nodes that know each other by certificates.

use std::fs;

use super::nodes::{Cluster, metric, same_silences, shown, silence};
use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

fn tls_config(name: &str) -> String {
    format!(
        "
tls_server_config:
  cert_file: {root}/fixtures/tls/server.pem
  key_file: {root}/fixtures/tls/server.key
  client_ca_file: {root}/fixtures/tls/ca.pem
  client_auth_type: RequireAndVerifyClientCert
tls_client_config:
  ca_file: {root}/fixtures/tls/ca.pem
  {identity}
  server_name: {name}
",
        root = env!("CARGO_MANIFEST_DIR"),
        identity = if name == "nobody" {
            String::new()
        } else {
            format!(
                "cert_file: {root}/fixtures/tls/client.pem\n  key_file: {root}/fixtures/tls/client.key",
                root = env!("CARGO_MANIFEST_DIR")
            )
        },
    )
}

fn add_tls(node: &mut Server, config: &str) {
    let file = node.dir().join("tls.yml");
    fs::write(&file, config).expect("a file can be written");
    node.add_flag(format!("--cluster.tls-config={}", file.display()));
}

#[test]
fn nodes_with_certificates_are_a_cluster_and_others_are_not() {
    let mut cluster = Cluster::prepare(2, CONFIG, &[]);
    cluster.nodes.iter_mut().for_each(|node| add_tls(node, &tls_config("receiver.example")));
    cluster.launch();
    silence(&cluster.nodes[0], "A");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 1);
    assert_eq!(metric(&cluster.nodes[0], "watchbell_cluster_open"), 0.0);
    let transport = |node: &Server, rest: &str| metric(node, &format!("alertmanager_tls_transport_{rest}"));
    for counted in [
        "packet_bytes_sent_total",
        "packet_bytes_received_total",
        "stream_connections_sent_total",
        "stream_connections_received_total",
    ] {
        assert!(transport(&cluster.nodes[0], counted) > 0.0, "{counted}");
    }
    let errors = transport(&cluster.nodes[0], "read_errors_total");

    for config in [None, Some(tls_config("nobody"))] {
        let mut outside = Server::prepare(Program::Watchbell, CONFIG, &["--cluster.peer-name=n2"]);
        outside.add_flag(format!("--cluster.listen-address={}", address::reserve()));
        outside.add_flag(format!("--cluster.peer={}", cluster.listens(0)));
        if let Some(config) = config {
            add_tls(&mut outside, &config.replace("server_name: nobody", "server_name: receiver.example"));
        }
        let before = metric(&cluster.nodes[0], "watchbell_cluster_refused_total{reason=\"tls\"}");
        outside.begin();
        outside.wait_until_ready();
        eventually("the stranger is counted", || {
            (metric(&cluster.nodes[0], "watchbell_cluster_refused_total{reason=\"tls\"}") > before).then_some(())
        });
        assert_eq!(shown(&outside).names, ["n2"]);
        eventually("it is an error", || (transport(&cluster.nodes[0], "read_errors_total") > errors).then_some(()));
    }
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1", "n2"]);
}

#[test]
fn a_node_whose_certificate_bears_another_name_is_not_spoken_to() {
    let mut cluster = Cluster::prepare(2, CONFIG, &["--cluster.settle-timeout=3s"]);
    cluster.nodes.iter_mut().for_each(|node| add_tls(node, &tls_config("elsewhere.example")));
    for node in &mut cluster.nodes {
        node.begin();
        node.wait_until_ready();
    }
    eventually("attempts fail", || {
        (metric(&cluster.nodes[0], "alertmanager_cluster_reconnections_failed_total") >= 2.0).then_some(())
    });
    let failed = "alertmanager_tls_transport_write_errors_total{connection_type=\"stream\"}";
    eventually("both are errors", || (metric(&cluster.nodes[0], failed) >= 2.0).then_some(()));
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1"]);
}

#[test]
fn a_file_that_cannot_be_followed_is_refused() {
    let cases = [
        ("tls_client_config: {}", "missing 'tls_server_config' entry in the TLS configuration"),
        ("tls_server_config: {cert_file: nowhere.pem, key_file: k}", "cannot read"),
        ("tls_server_config: {client_auth_type: RequireAnyClientCert}", "looks at no certificate"),
        ("tls_server_config: {certfile: x}", "certfile"),
    ];
    for (config, text) in cases {
        let mut node = Server::prepare(Program::Watchbell, CONFIG, &[]);
        node.add_flag(format!("--cluster.listen-address={}", address::reserve()));
        add_tls(&mut node, config);
        let output = node.command().output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(text), "{config}: {said}");
    }
}
