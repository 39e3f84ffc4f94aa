//! Who does not belong to a cluster with a key changes nothing in it, ends nothing, and is counted.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use super::keys::Keys;
use super::nodes::{Cluster, metric, peer_address, refused, same_silences, sees, shown, silence, silences};
use crate::harness::address;
use crate::harness::http::Request;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

/// Two nodes with the keys in a file each.
fn closed_cluster(keys: &Keys, letters: &str) -> Cluster {
    let mut cluster = Cluster::prepare(2, CONFIG, &[]);
    keys.close(&mut cluster, letters);
    cluster.launch();
    cluster
}

/// A node that tries to join at `peer`, with these flags.
fn stranger(peer: SocketAddr, flags: &[&str]) -> Server {
    let mut node = Server::prepare(Program::Watchbell, CONFIG, flags);
    node.add_flag(format!("--cluster.listen-address={}", address::reserve()));
    node.add_flag(format!("--cluster.peer={peer}"));
    node.add_flag("--cluster.reconnect-interval=1s".to_owned());
    node.begin();
    node.wait_until_ready();
    node
}

#[test]
fn who_has_no_key_or_another_does_not_get_in_whatever_it_is_called() {
    let keys = Keys::new();
    let cluster = closed_cluster(&keys, "a");
    let (first, inside) = (&cluster.nodes[0], silence(&cluster.nodes[0], "inside"));
    assert_eq!((metric(first, "watchbell_cluster_open"), refused(first, "foreign")), (0.0, 0.0));
    let address = peer_address(first, "n1");
    let other = keys.write("other", "b");
    for (flags, reason) in
        [(vec!["--cluster.peer-name=n2"], "foreign"), (vec!["--cluster.peer-name=n2", &other], "forged")]
    {
        let outside = stranger(address, &flags);
        silence(&outside, "outside");
        eventually("the stranger is counted", || (refused(first, reason) >= 3.0).then_some(()));
        assert_eq!(shown(&outside).names, ["n2"]);
        assert_eq!(silences(&outside).len(), 1);
        assert_eq!(metric(&outside, "alertmanager_cluster_failed_peers"), 1.0);
    }
    for node in &cluster.nodes {
        assert_eq!(shown(node).names, ["n1", "n2"]);
        assert_eq!(silences(node).len(), 1, "only {inside}");
    }
}

#[test]
fn another_label_is_another_cluster() {
    let cluster = Cluster::start(2, CONFIG, &["--cluster.label=east"]);
    let outside = stranger(peer_address(&cluster.nodes[0], "n1"), &["--cluster.label=west", "--cluster.peer-name=n3"]);
    eventually("the stranger is counted", || (refused(&cluster.nodes[0], "misled") >= 2.0).then_some(()));
    assert_eq!(shown(&outside).names, ["n3"]);
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1", "n2"]);
    assert_eq!(metric(&cluster.nodes[0], "watchbell_cluster_open"), 1.0);
    assert!(cluster.nodes[0].log().contains("The cluster is open"));
}

#[test]
fn the_key_is_changed_without_a_gap_and_the_old_one_is_of_no_use() {
    let keys = Keys::new();
    let cluster = closed_cluster(&keys, "a");
    let mut made = 0;
    for letters in ["ab", "ba", "b"] {
        for (index, node) in cluster.nodes.iter().enumerate() {
            keys.write(&index.to_string(), letters);
            node.client().must(&Request::new("POST", "/-/reload")).ok();
            silence(&cluster.nodes[0], "from the first");
            silence(&cluster.nodes[1], "from the second");
            made += 2;
            same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], made);
        }
    }
    for node in &cluster.nodes {
        assert_eq!(shown(node).names, ["n1", "n2"]);
        assert_eq!(metric(node, "alertmanager_cluster_peers_left_total"), 0.0, "nobody was missed meanwhile");
    }
    let outside = stranger(peer_address(&cluster.nodes[0], "n1"), &[&keys.write("old", "a")]);
    eventually("the old key is counted", || (refused(&cluster.nodes[0], "forged") >= 1.0).then_some(()));
    assert_eq!((silences(&outside).len(), shown(&cluster.nodes[0]).names.len()), (0, 2));

    keys.write("0", "");
    let answer = cluster.nodes[0].client().must(&Request::new("POST", "/-/reload"));
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("there is no key in it"), "{}", answer.text());
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1", "n2"], "the keys of before still hold");
}

#[test]
fn what_was_recorded_of_a_connection_says_nothing_in_another() {
    let keys = Keys::new();
    let (mut cluster, forwarders) = Cluster::prepare_behind_forwarders(2, CONFIG, &[]);
    keys.close(&mut cluster, "a");
    cluster.launch();
    let id = silence(&cluster.nodes[1], "recorded");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 1);
    cluster.nodes[1].client().delete(&format!("/api/v2/silence/{id}")).ok();
    eventually("the end has come", || (silences(&cluster.nodes[0])[0][1] == "expired").then_some(()));
    cluster.nodes[1].kill();
    sees(&cluster.nodes[0], &["n1"]);

    let longest = forwarders[0].longest_speech();
    assert!(longest.len() > 4000, "{}", longest.len());
    for round in 1..=5 {
        let mut replay = TcpStream::connect(cluster.listens(0)).expect("the port is open");
        // It may be closed before all of it is written.
        let _ = replay.write_all(&longest);
        eventually("the recording is counted", || {
            (refused(&cluster.nodes[0], "forged") >= f64::from(round)).then_some(())
        });
    }
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1"]);
    assert_eq!(silences(&cluster.nodes[0])[0][1], "expired");
}
