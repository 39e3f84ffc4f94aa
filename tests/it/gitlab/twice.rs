//! Two routers that know nothing of each other, and one that dies at the worst moment: there is never a second open issue
//! for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Barrier;

use super::fake::{Gitlab, Operation, Treatment, World};
use super::lab::{PATIENCE, PROJECT, alarm, check_requests, config, gitlab, issues, over, post};
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

const RECEIVERS: &[(&str, &str)] = &[("team", "send_resolved: true")];

/// The second router's token, for the same user.
const OTHER_TOKEN: &str = "glpat-watchbell-2";

fn routers(gitlab: &Gitlab) -> [Server; 2] {
    gitlab.change(|world| world.add_token("watchbell", OTHER_TOKEN, &["api"]));
    ["glpat-watchbell", OTHER_TOKEN].map(|token| {
        let config = config(gitlab, &format!("gitlab_token: {token}"), "24h", RECEIVERS);
        Server::start(Program::Watchbell, &config)
    })
}

fn until<T>(gitlab: &Gitlab, what: &str, look: impl Fn(&World) -> Option<T>) -> T {
    eventually_within(PATIENCE, what, || gitlab.look(&look))
}

fn open(world: &World) -> Vec<u64> {
    issues(world, PROJECT).iter().filter(|issue| issue.open).map(|issue| issue.iid).collect()
}

/// Both look before either makes its issue, so that both make one.
#[test]
fn f3_06_two_routers_that_make_an_issue_at_once_end_with_one() {
    let gitlab = gitlab();
    let (gate, made) = (Arc::new(Barrier::new(2)), AtomicUsize::new(0));
    gitlab.treat(move |call| {
        let first = call.operation == Operation::CreateIssue && made.fetch_add(1, Ordering::Relaxed) < 2;
        Treatment { gate: first.then(|| Arc::clone(&gate)), ..Treatment::default() }
    });
    let routers = routers(&gitlab);
    for router in &routers {
        post(router, &[alarm("team", "Fire", "a")]);
    }
    until(&gitlab, "one of two is left", |world| (world.issues.len() == 2 && open(world) == [1]).then_some(()));
    let [winner, loser] = gitlab.look(|world| [world.issues[0].clone(), world.issues[1].clone()]);
    assert_eq!(loser.duplicate_of, Some(winner.id));
    assert!(gitlab.look(|world| world.links.iter().any(|link| link.source == loser.id && link.target == winner.id)));

    // Both know the winner: what they say next they say there.
    for router in &routers {
        post(router, &[alarm("team", "Fire", "b")]);
    }
    for token in ["glpat-watchbell", OTHER_TOKEN] {
        eventually_within(PATIENCE, "it has looked at the winner", || {
            let looked = gitlab.journal().into_iter().any(|entry| {
                let call = entry.call;
                call.token() == Some(token) && call.operation == Operation::GetIssue && call.target.number == winner.iid
            });
            looked.then_some(())
        });
    }
    until(&gitlab, "the winner says it", |world| {
        world.known(winner.id).description.contains("b is in need").then_some(())
    });
    assert_eq!(gitlab.look(|world| world.known(loser.id).description.clone()), loser.description);

    for router in &routers {
        post(router, &[over(alarm("team", "Fire", "a")), over(alarm("team", "Fire", "b"))]);
    }
    until(&gitlab, "it is closed", |world| open(world).is_empty().then_some(()));
    assert_eq!(gitlab.look(|world| world.issues.len()), 2);
    check_requests(&gitlab);
}

/// A router that makes its issue and dies before it hears of it.
fn killed_after_the_post(gitlab: &Gitlab) -> Server {
    gitlab.treat(|call| {
        let late = call.operation == Operation::CreateIssue;
        Treatment { after: if late { PATIENCE } else { Duration::ZERO }, ..Treatment::default() }
    });
    let config = config(gitlab, "gitlab_token: glpat-watchbell", "24h", RECEIVERS);
    let mut router = Server::start(Program::Watchbell, &config);
    post(&router, &[alarm("team", "Fire", "a")]);
    until(gitlab, "the issue is made", |world| (world.issues.len() == 1).then_some(()));
    router.kill();
    gitlab.treat(|_| Treatment::default());
    router
}

#[test]
fn f3_08_a_router_that_died_after_making_an_issue_finds_it_again() {
    let gitlab = gitlab();
    let mut router = killed_after_the_post(&gitlab);
    router.launch();
    post(&router, &[alarm("team", "Fire", "a"), alarm("team", "Fire", "b")]);
    until(&gitlab, "it says b", |world| world.issues[0].description.contains("b is in need").then_some(()));
    post(&router, &[over(alarm("team", "Fire", "a")), over(alarm("team", "Fire", "b"))]);
    until(&gitlab, "it is closed", |world| open(world).is_empty().then_some(()));
    assert_eq!(gitlab.look(|world| world.issues.len()), 1);
    check_requests(&gitlab);
}

#[test]
fn f3_08_another_router_takes_over_the_issue_of_one_that_died() {
    let gitlab = gitlab();
    let _dead = killed_after_the_post(&gitlab);
    let config = config(&gitlab, "gitlab_token: glpat-watchbell", "24h", RECEIVERS);
    let other = Server::start(Program::Watchbell, &config);
    post(&other, &[alarm("team", "Fire", "a"), alarm("team", "Fire", "b")]);
    until(&gitlab, "it says b", |world| world.issues[0].description.contains("b is in need").then_some(()));
    assert_eq!(gitlab.look(|world| (world.issues.len(), open(world))), (1, vec![1]));
    check_requests(&gitlab);
}
