//! Nodes come to hold the same: many silences, disks that are gone, both sides of a cut.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::network::Network;
use super::nodes::{Cluster, LONG, metric, same_silences, sees, set_silence, silence, silences};
use crate::harness::server::Server;
use crate::harness::wait::{eventually_within, seen_within};

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

const MANY: usize = 5_000;

/// Makes silences from several clients at once.
fn many_silences(node: &Server) {
    const CLIENTS: usize = 8;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || (0..MANY / CLIENTS).for_each(|n| drop(silence(node, &format!("A{client}-{n}")))));
        }
    });
}

#[test]
fn five_thousand_silences_are_everywhere_and_outlive_the_disk_of_their_author() {
    let mut cluster = Cluster::start(3, CONFIG, &[]);
    let begin = Instant::now();
    many_silences(&cluster.nodes[0]);
    let answered = Instant::now();
    let counted = |node: &Server| metric(node, "alertmanager_silences{state=\"active\"}") as usize;
    eventually_within(LONG, "all silences are on all nodes", || {
        cluster.nodes.iter().all(|node| counted(node) == MANY).then_some(())
    });
    println!("{MANY} posted in {:?} and everywhere {:?} later", answered - begin, answered.elapsed());
    cluster.agrees();
    cluster.nodes[0].kill();
    fs::remove_dir_all(cluster.nodes[0].dir().join("data")).expect("the disk can be lost");
    cluster.launch();
    assert_eq!(counted(&cluster.nodes[0]), MANY, "it is ready when it has all");
    let repaired = metric(&cluster.nodes[0], "watchbell_cluster_repaired_records_total") as usize;
    assert!(repaired >= MANY, "{repaired}");
    cluster.agrees();
}

#[test]
fn an_old_copy_of_a_disk_brings_nothing_back() {
    let mut cluster = Cluster::start(2, CONFIG, &[]);
    let ids = ["A", "B", "C"].map(|name| silence(&cluster.nodes[0], name));
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 3);
    let (data, copy) = (cluster.nodes[1].dir().join("data"), cluster.nodes[1].dir().join("copy"));
    assert!(cluster.nodes[1].stop().success());
    let copied = std::process::Command::new("cp").arg("-a").args([&data, &copy]).status();
    assert!(copied.expect("cp is there").success());
    cluster.launch();
    cluster.nodes[1].client().delete(&format!("/api/v2/silence/{}", ids[0])).ok();
    // It begins at another time than the one it edits, so that one ends and a new one is made.
    set_silence(&cluster.nodes[1], Some(&ids[1]), "B", "edited");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 4);
    let now = silences(&cluster.nodes[0]);
    cluster.nodes[1].kill();
    fs::remove_dir_all(&data).expect("the disk can be replaced");
    fs::rename(&copy, &data).expect("the disk can be replaced");
    cluster.launch();
    assert_eq!(silences(&cluster.nodes[1]), now, "it is ready when it knows what is new");
    cluster.agrees();
    assert_eq!(silences(&cluster.nodes[0]), now);
}

/// Both sides of a cut make, edit and end silences, some of them the same ones, for so long; then the line is whole.
fn split_brain(longest: Duration) {
    let network = Network::new(3);
    let mut cluster = Cluster::start_on(&network, 3, CONFIG, &[]);
    let shared: Vec<String> = (0..30).map(|number| silence(&cluster.nodes[1], &format!("shared{number}"))).collect();
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1], &cluster.nodes[2]], shared.len());
    network.cut(1);
    sees(&cluster.nodes[0], &["n1"]);
    sees(&cluster.nodes[2], &["n2", "n3"]);
    let (end, mut made) = (Instant::now() + longest, shared.len());
    for round in 0.. {
        if Instant::now() >= end && round >= shared.len() {
            break;
        }
        let id = &shared[round % shared.len()];
        for (side, node) in [("alone", &cluster.nodes[0]), ("together", &cluster.nodes[1 + round % 2])] {
            silence(node, &format!("{side}{round}"));
            made += 1;
            match round % 3 {
                0 => drop(set_silence(node, Some(id), &format!("shared{}", round % shared.len()), side)),
                1 if side == "alone" => drop(node.client().delete(&format!("/api/v2/silence/{id}"))),
                _ => {}
            }
        }
        seen_within(longest / 200, || None::<()>);
    }
    made = made.max(silences(&cluster.nodes[1]).len());
    network.heal();
    let whole = Instant::now();
    eventually_within(LONG, "all nodes have compared and found the same", || {
        let agreeing = |node| metric(node, "watchbell_cluster_agreeing_peers") == 2.0;
        cluster.nodes.iter().all(agreeing).then_some(())
    });
    println!("equal {:?} after the line was whole again", whole.elapsed());
    cluster.nodes.iter().for_each(|node| sees(node, &["n1", "n2", "n3"]));
    cluster.agrees();
    let first = silences(&cluster.nodes[0]);
    assert!(first.len() >= made, "{} of {made}", first.len());
    assert!(cluster.nodes.iter().all(|node| silences(node) == first));
    cluster.nodes.iter_mut().for_each(|node| assert!(node.stop().success()));
}

#[test]
fn both_sides_of_a_cut_come_to_agree() {
    split_brain(Duration::from_secs(5));
}

/// Run by `tests/soak`.
#[test]
#[ignore = "takes ten minutes"]
fn both_sides_of_a_long_cut_come_to_agree() {
    split_brain(Duration::from_secs(600));
}
