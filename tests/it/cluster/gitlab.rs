//! GitLab and a cluster that is cut in two: both parts tell it, and one open issue is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;

use super::network::Network;
use super::nodes::{Cluster, LONG, sees};
use crate::gitlab::fake::{Gitlab, Issue, Operation, Treatment};
use crate::gitlab::lab::{PROJECT, alarm, check_requests, config, issues, prepare};
use crate::harness::wait::eventually_within;

#[test]
fn f3_06_a_cluster_that_is_cut_in_two_ends_with_one_issue() {
    let network = Network::new(2);
    let gitlab = Gitlab::start_at(network.test(), prepare);
    let settings = config(&gitlab, "gitlab_token: glpat-watchbell", "24h", &[("team", "send_resolved: true")]);
    let mut cluster = Cluster::start_on(&network, 2, &settings, &[]);

    // Together they make one issue, and one of them makes it.
    let post =
        |cluster: &Cluster, name: &str, instance: &str| cluster.post(&vec![alarm("team", name, instance)].into());
    post(&cluster, "Fire", "a");
    let fire = open(&gitlab, "Fire", 1).remove(0);
    cluster.agrees();
    assert_eq!(made(&gitlab), 1);

    // Apart both make one, each before it can see the other's.
    network.cut(1);
    sees(&cluster.nodes[0], &["n1"]);
    sees(&cluster.nodes[1], &["n2"]);
    let (gate, held) = (Arc::new(Barrier::new(2)), AtomicUsize::new(0));
    gitlab.treat(move |call| {
        let hold = call.operation == Operation::CreateIssue && held.fetch_add(1, Ordering::Relaxed) < 2;
        Treatment { gate: hold.then(|| Arc::clone(&gate)), ..Treatment::default() }
    });
    post(&cluster, "Flood", "a");
    until("both have made one", || (made(&gitlab) == 3).then_some(()));
    let winner = open(&gitlab, "Flood", 1).remove(0);
    let loser = gitlab.look(|world| issues(world, PROJECT)).pop().expect("there are three");
    assert_eq!((loser.duplicate_of, loser.iid > winner.iid), (Some(winner.id), true));

    // Together again, they tell a change once, where the winner is.
    network.heal();
    cluster.nodes.iter().for_each(|node| sees(node, &["n1", "n2"]));
    cluster.agrees();
    post(&cluster, "Flood", "b");
    until("it is told", || describes(&gitlab, &winner, "b is in need").then_some(()));
    cluster.agrees();
    assert_eq!(comments(&gitlab, &winner), 1);

    // Either knows it without the other.
    cluster.nodes[0].kill();
    post(&cluster, "Flood", "c");
    post(&cluster, "Fire", "c");
    until("both are told", || {
        [&winner, &fire].iter().all(|issue| describes(&gitlab, issue, "c is in need")).then_some(())
    });
    assert_eq!((made(&gitlab), open(&gitlab, "F", 2).len()), (3, 2));
    check_requests(&gitlab);
}

fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(LONG, what, look)
}

/// Waits until so many issues with this word in their titles are open.
fn open(gitlab: &Gitlab, word: &str, count: usize) -> Vec<Issue> {
    until("as many are open as should be", || {
        let all = gitlab.look(|world| issues(world, PROJECT));
        let open: Vec<_> = all.into_iter().filter(|issue| issue.open && issue.title.contains(word)).collect();
        (open.len() == count).then_some(open)
    })
}

/// How many issues were ever made.
fn made(gitlab: &Gitlab) -> usize {
    gitlab.look(|world| world.issues.len())
}

fn describes(gitlab: &Gitlab, issue: &Issue, words: &str) -> bool {
    gitlab.look(|world| world.known(issue.id).description.contains(words))
}

fn comments(gitlab: &Gitlab, issue: &Issue) -> usize {
    gitlab.look(|world| {
        let comments = world.notes.iter().filter(|note| note.issue == issue.id && !note.system);
        comments.filter(|note| note.body.contains("<!-- watchbell:note")).count()
    })
}
