//! Lines that carry only one way, and lines on which everything comes late.

use std::time::Duration;

use super::audience::{Audience, CONFIG, Stage};
use super::nodes::{Cluster, LONG, alerts, sees};
use crate::harness::address;
use crate::harness::sink::Answer;
use crate::harness::wait::eventually_within;

const GROUPS: usize = 200;

/// The second does not hear the first, which hears it. What they tell each other goes by the third.
#[test]
fn with_a_line_that_carries_one_way() {
    let stage = Stage::new(CONFIG, &[]);
    stage.network.deafen(2, 1);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.audience.each_is_told_once(GROUPS);
    stage.network.heal();
    stage.cluster.agrees();
}

/// All lines of the first carry only one way. TCP needs both, so it is as if they were cut: both sides speak.
fn first_is_cut_off(deafen: impl Fn(&Stage)) {
    let stage = Stage::new(CONFIG, &[]);
    deafen(&stage);
    sees(&stage.cluster.nodes[0], &["n1"]);
    sees(&stage.cluster.nodes[1], &["n2", "n3"]);
    sees(&stage.cluster.nodes[2], &["n2", "n3"]);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.audience.each_is_told_at_most(2, GROUPS);
    stage.network.heal();
    stage.cluster.nodes.iter().for_each(|node| sees(node, &["n1", "n2", "n3"]));
    stage.cluster.agrees();
    let told = stage.audience.heard().len();
    stage.cluster.post(&alerts("B", GROUPS));
    stage.audience.each_is_told_at_most(2, 2 * GROUPS);
    assert_eq!(stage.audience.heard().len(), told + GROUPS, "what is new is told once, what is old not again");
}

#[test]
fn of_a_node_that_hears_nobody() {
    first_is_cut_off(|stage| [2, 3].into_iter().for_each(|other| stage.network.deafen(1, other)));
}

#[test]
fn of_a_node_that_nobody_hears() {
    first_is_cut_off(|stage| [2, 3].into_iter().for_each(|other| stage.network.deafen(other, 1)));
}

/// The receiver takes longer than a turn lasts, and that somebody is being told is known a second late.
#[test]
fn with_everything_that_nodes_say_a_second_late() {
    let audience = Audience::at(address::reserve());
    audience.0.answer("team", Answer::After(Duration::from_secs(6)));
    let flags = ["--cluster.peer-timeout=4s"];
    let (mut cluster, forwarders) = Cluster::prepare_behind_forwarders(3, &audience.config(CONFIG), &flags);
    cluster.launch();
    forwarders.iter().for_each(|forwarder| forwarder.hold_back(Duration::from_secs(1)));
    cluster.agrees();
    cluster.post(&alerts("A", GROUPS));
    audience.each_is_told_once(GROUPS);
    eventually_within(LONG, "all are answered", || audience.heard().iter().all(|told| told.accepted()).then_some(()));
    cluster.agrees();
    assert_eq!(audience.heard().len(), GROUPS);
}
