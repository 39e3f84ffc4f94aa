//! As many nodes as a cluster may have.

use super::audience::{Audience, CONFIG};
use super::nodes::{Cluster, LONG, alerts, metric, sees, silence, silences};
use crate::harness::address;
use crate::harness::wait::eventually_within;

const NODES: usize = 10;

const GROUPS: usize = 50;

#[test]
fn ten_nodes_tell_once_and_hold_the_same() {
    let audience = Audience::at(address::reserve());
    // So long that only the death of those before it can end the wait of a node.
    let mut cluster = Cluster::start(NODES, &audience.config(CONFIG), &["--cluster.peer-timeout=10m"]);
    let made: Vec<_> = cluster.nodes.iter().enumerate().map(|(n, node)| silence(node, &format!("S{n}"))).collect();
    hold_the_same(&cluster, made.len());
    cluster.post(&alerts("A", GROUPS));
    audience.each_is_told_once(GROUPS);

    let last: Vec<_> = ["n10", "n3", "n4", "n5", "n6", "n7", "n8", "n9"].into();
    cluster.nodes[0].kill();
    cluster.nodes[1].kill();
    cluster.nodes[2..].iter().for_each(|node| sees(node, &last));
    cluster.post(&alerts("B", GROUPS));
    audience.each_is_told_once(2 * GROUPS);
    cluster.nodes[4].client().delete(&format!("/api/v2/silence/{}", made[0])).ok();

    cluster.nodes[..2].iter_mut().for_each(|node| node.launch());
    hold_the_same(&cluster, made.len());
    assert!(silences(&cluster.nodes[0]).iter().any(|[id, state, _]| *id == made[0] && state == "expired"));
    audience.each_is_told_once(2 * GROUPS);
}

/// Waits until all show so many silences, and each was compared with each other one.
fn hold_the_same(cluster: &Cluster, silenced: usize) {
    eventually_within(LONG, "all nodes hold the same", || {
        let first = silences(&cluster.nodes[0]);
        let same = |node| silences(node) == first && metric(node, "watchbell_cluster_agreeing_peers") == 9.0;
        (first.len() == silenced && cluster.nodes.iter().all(same)).then_some(())
    });
}
