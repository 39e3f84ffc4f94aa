//! Three nodes on a network that loses packets and lines, and nodes that stop: each group is told exactly once, by
//! whoever lives.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::audience::{CONFIG, Stage};
use super::nodes::{LONG, alerts, sees};
use crate::harness::sink::Answer;
use crate::harness::wait::{eventually_within, seen_within};

const GROUPS: usize = 200;

#[test]
fn in_good_health() {
    let stage = Stage::new(CONFIG, &[]);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.audience.each_is_told_once(GROUPS);
}

#[test]
fn with_every_fifth_packet_lost() {
    let stage = Stage::new(CONFIG, &[]);
    stage.network.lose(20);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.audience.each_is_told_once(GROUPS);
    stage.cluster.agrees();
}

/// So long a group wait that the first node is gone before its turn, also where posting takes a while.
fn unhurried() -> String {
    CONFIG.replace("group_wait: 3s", "group_wait: 12s")
}

#[test]
fn with_the_first_node_killed_before_it_speaks() {
    // So long that only the death of the first node can end the wait of the others.
    let mut stage = Stage::new(&unhurried(), &["--cluster.peer-timeout=10m"]);
    stage.cluster.post(&alerts("A", GROUPS));
    // Nothing on the wire says that it is dead: its silence must be noticed.
    stage.network.cut(1);
    let death = Instant::now();
    stage.cluster.nodes[0].kill();
    stage.audience.each_is_told_once(GROUPS);
    println!("told by others after the death, the first and the last: {:?}", stage.audience.took_since(death));
}

#[test]
fn with_the_first_node_stopped_for_half_a_minute() {
    let mut stage = Stage::new(&unhurried(), &[]);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.cluster.nodes[0].process().signal(Signal::STOP);
    let told = seen_within(LONG, || (stage.audience.told().len() == GROUPS).then_some(()));
    assert_eq!(told, Some(()), "the others tell while the first is stopped");
    // All together half a minute and more.
    seen_within(Duration::from_secs(20), || stage.audience.told().into_values().find(|times| *times > 1));
    stage.cluster.nodes[0].process().signal(Signal::CONT);
    stage.audience.each_is_told_once(GROUPS);
    sees(&stage.cluster.nodes[0], &["n1", "n2", "n3"]);
}

#[test]
fn after_a_cut_that_heals() {
    let stage = Stage::new(CONFIG, &[]);
    stage.cluster.post(&alerts("A", GROUPS));
    eventually_within(LONG, "all groups are told", || (stage.audience.told().len() == GROUPS).then_some(()));
    // Otherwise the cut might fall between an answer and the news of it, and then both sides must tell.
    stage.cluster.agrees();
    stage.network.cut(1);
    sees(&stage.cluster.nodes[0], &["n1"]);
    sees(&stage.cluster.nodes[1], &["n2", "n3"]);
    // Both sides flush during the cut: each knows by itself that all was told.
    stage.audience.each_is_told_once(GROUPS);
    stage.network.heal();
    stage.cluster.nodes.iter().for_each(|node| sees(node, &["n1", "n2", "n3"]));
    stage.cluster.post(&alerts("B", GROUPS));
    stage.audience.each_is_told_once(2 * GROUPS);
}

/// The second hears the first through the third, and so waits for its turn; what the first tells reaches it that way too.
#[test]
fn with_two_nodes_that_only_a_third_hears() {
    let stage = Stage::new(CONFIG, &[]);
    stage.network.deafen(2, 1);
    stage.network.deafen(1, 2);
    stage.cluster.post(&alerts("A", GROUPS));
    stage.audience.each_is_told_once(GROUPS);
}

#[test]
fn to_a_receiver_that_takes_twenty_seconds() {
    let slow = CONFIG.replace("group_interval: 6s", "group_interval: 40s");
    let stage = Stage::new(&slow, &["--cluster.peer-timeout=5s"]);
    stage.audience.0.answer("team", Answer::After(Duration::from_secs(20)));
    stage.cluster.post(&alerts("A", 20));
    eventually_within(LONG, "all groups are told", || {
        let told = stage.audience.heard();
        (told.len() >= 20 && told.iter().all(|delivery| delivery.answered.is_some())).then_some(())
    });
    stage.audience.each_is_told_once(20);
}
