//! Nodes that move, and others that come to be where they were.

use std::net::SocketAddr;

use super::network::{Hosts, Network};
use super::nodes::{LONG, metric, sees, shown};
use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::{eventually, eventually_within};

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

fn node(name: &str, listen: SocketAddr, flags: &[&str]) -> Server {
    let mut node = Server::prepare(Program::Watchbell, CONFIG, flags);
    node.add_flag(format!("--cluster.peer-name={name}"));
    node.add_flag(format!("--cluster.listen-address={listen}"));
    node.add_flag("--cluster.reconnect-interval=1s".to_owned());
    node
}

#[test]
fn a_peer_that_moves_is_found_by_its_name() {
    let network = Network::new(3);
    let hosts = Hosts::of(&network.space(1), "10.9.0.2 peer.test\n");
    let mut nodes: Vec<Server> = (1..=3)
        .map(|number| {
            let mut node = node(&format!("n{number}"), (Network::peer_address(number), 9094).into(), &[]);
            node.space = Some(network.space(number));
            node.address = (network.address(number), 9093).into();
            node
        })
        .collect();
    // Only the first knows of the others, and only by a name.
    nodes[0].add_flag("--cluster.peer=peer.test:9094".to_owned());
    for node in &mut nodes {
        node.begin();
        node.wait_until_ready();
    }
    sees(&nodes[0], &["n1", "n2"]);
    nodes[1].kill();
    sees(&nodes[0], &["n1"]);
    hosts.write("10.9.0.3 peer.test\n");
    sees(&nodes[0], &["n1", "n3"]);
    sees(&nodes[2], &["n1", "n3"]);
    hosts.write("\n");
    eventually_within(LONG, "the name that is gone is counted", || {
        (metric(&nodes[0], "alertmanager_cluster_refresh_join_failed_total") > 0.0).then_some(())
    });
    assert_eq!(shown(&nodes[0]).names, ["n1", "n3"], "who is here stays, whatever became of its name");
}

#[test]
fn who_takes_over_an_address_is_not_taken_for_the_one_that_had_it() {
    let [first, second] = [address::reserve(), address::reserve()];
    let mut one = node("n1", first, &[]);
    let mut two = node("n2", second, &[&format!("--cluster.peer={first}")]);
    for node in [&mut one, &mut two] {
        node.begin();
        node.wait_until_ready();
    }
    sees(&one, &["n1", "n2"]);
    two.kill();
    sees(&one, &["n1"]);
    let mut other = node("other", second, &[]);
    other.begin();
    other.wait_until_ready();
    eventually("the first is told that it is wrong", || {
        (metric(&other, "watchbell_cluster_refused_total{reason=\"misled\"}") >= 2.0).then_some(())
    });
    assert_eq!((shown(&one).names, shown(&other).names), (vec!["n1".to_owned()], vec!["other".to_owned()]));
}

#[test]
fn a_copy_of_a_data_directory_is_noticed() {
    let [first, second] = [address::reserve(), address::reserve()];
    let mut one = node("n1", first, &[]);
    one.begin();
    one.wait_until_ready();
    assert!(one.stop().success());
    let mut twin = node("twin", second, &[&format!("--cluster.peer={first}")]);
    let copied = std::process::Command::new("cp").arg("-a").arg(one.dir().join("data")).arg(twin.dir()).status();
    assert!(copied.expect("cp is there").success());
    for node in [&mut one, &mut twin] {
        node.begin();
    }
    one.wait_until_ready();
    eventually("the copy is counted", || {
        (metric(&one, "watchbell_cluster_refused_total{reason=\"twin\"}") >= 1.0).then_some(())
    });
    assert!(one.log().contains("has a copy of this node's data directory"), "{}", one.log());
    assert_eq!(shown(&one).names, ["n1"]);
}
