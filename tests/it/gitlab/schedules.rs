//! A thousand histories of two nodes that do not hear of each other, told to a GitLab whose answers come late, wrong, out of
//! order, from a lagging copy or not at all. Time is virtual, so each lasts minutes and takes milliseconds. On a machine
//! that has nothing else to do a seed gives the same history again. On a busy one time may pass while a packet is still
//! between its sockets; that makes another history, and what must hold holds of all. So a failure shows its journal.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use watchbell_engine::time::Timestamp;

use super::fake::{Answer, Call, Clock, Deed, End, Entry, Gitlab, Issue, Operation, Treatment, World};
use super::lab::{PROJECT, check_requests, issues, prepare};
use super::node::{Node, notification};
use crate::harness::random::Random;

/// Histories, and threads that play them.
const SEEDS: u64 = 1000;
const THREADS: u64 = 4;

/// The longest that a request or an answer is on its way, that a number is taken before its issue is seen, and that a
/// copy lags.
const DELAY: Duration = Duration::from_secs(3);

/// A node's next attempt comes after this.
const BACKOFF: Duration = Duration::from_secs(2);

/// An attempt is given up after this, though what it asked for may still be done.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Longer than anything is on its way.
const REST: Duration = Duration::from_secs(30);

/// Longer than anything that an integration remembers by itself.
const LONG: Duration = Duration::from_secs(26 * 3600);

const SETTINGS: &str = "duplicate_check_delay: 5s";

#[test]
fn f3_07_a_thousand_histories_end_with_one_open_issue() {
    let part = SEEDS / THREADS;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || play_all(thread * part..(thread + 1) * part))).collect();
        for thread in threads {
            thread.join().expect("no history goes wrong");
        }
    });
}

thread_local! {
    static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// The time of this thread's GitLab.
fn virtual_now() -> Timestamp {
    let clock = CLOCK.get().expect("a history is being played");
    Timestamp::from_micros(clock.now().as_microsecond())
}

fn play_all(seeds: std::ops::Range<u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(async {
        let gitlab = Gitlab::start_here(prepare);
        CLOCK.set(Some(gitlab.look(|world| world.clock)));
        let mut nodes = [(); 2].map(|()| Node::with_clock(&gitlab, SETTINGS, virtual_now));
        for seed in seeds {
            gitlab.restart(prepare);
            History { seed, random: Random::new(seed + 1), gitlab: &gitlab }.play(&mut nodes).await;
            check_requests(&gitlab);
            sleep(LONG).await;
        }
    });
}

/// What was asked for when, counted from the first request, and what came of it.
fn journal(gitlab: &Gitlab) -> String {
    let entries = gitlab.journal();
    let began = entries[0].call.arrived;
    let line = |entry: &Entry| {
        let Call { method, path, arrived, .. } = &entry.call;
        format!("{:?} {method} {path} {:?}\n", *arrived - began, entry.fate)
    };
    entries.iter().map(line).collect()
}

struct History<'a> {
    seed: u64,
    random: Random,
    gitlab: &'a Gitlab,
}

/// What a node goes through while it tells.
#[derive(Clone, Copy)]
struct Lot {
    begins: Duration,
    /// When it dies, if it does.
    dies: Option<Duration>,
}

impl History<'_> {
    async fn play(mut self, nodes: &mut [Node; 2]) {
        for node in nodes.iter_mut() {
            node.told = None;
        }
        self.gitlab.remember();
        self.disturb();

        // It fires, and both tell it.
        let dies = self.random.percent(25);
        self.both(nodes, &[("a", true)], dies).await;
        if !dies {
            self.expect_one("two nodes told");
        }
        let ann = self.somebody_writes();
        sleep(REST).await;

        // It changes. A node that died tells it as if it had never told anything.
        self.both(nodes, &[("a", true), ("b", true)], false).await;
        self.expect_one("it was told again");
        self.expect_kept(ann);

        // All is over.
        self.both(nodes, &[("a", false), ("b", false)], false).await;
        let open = self.open();
        assert!(open.is_empty(), "seed {}: all is over, and these are open: {open:#?}", self.seed);

        // It comes back.
        let before = self.gitlab.look(|world| world.issues.len());
        self.gitlab.treat(|_| Treatment::default());
        self.both(nodes, &[("a", true)], false).await;
        self.expect_one("it came back");
        assert_eq!(self.gitlab.look(|world| world.issues.len()), before, "seed {}: it was not opened again", self.seed);
        self.expect_kept(ann);
        self.expect_order();
    }

    /// From now on requests fare ill, as the seed says, until some have gone by.
    fn disturb(&mut self) {
        let mut random = Random::new(self.random.next());
        let mut left = 60;
        self.gitlab.treat(move |call| {
            left -= 1;
            if left < 0 { Treatment::default() } else { ill(&mut random, call) }
        });
    }

    /// Both nodes tell at about the same time, each until it has succeeded or died.
    async fn both(&mut self, nodes: &mut [Node; 2], alerts: &[(&str, bool)], dies: bool) {
        let begins = [(); 2].map(|()| self.random.between(Duration::ZERO, 2 * DELAY));
        let death = self.random.between(Duration::ZERO, Duration::from_secs(20));
        let [first, second] = nodes;
        let seed = self.seed;
        let one = Lot { begins: begins[0], dies: dies.then_some(death) };
        let other = Lot { begins: begins[1], dies: None };
        tokio::join!(tell(seed, first, alerts, one), tell(seed, second, alerts, other));
        sleep(REST).await;
    }

    /// Somebody adds to an issue, and labels it. The issue's id.
    fn somebody_writes(&mut self) -> u64 {
        self.gitlab.change(|world| {
            let issue = &mut world.issues[0];
            issue.description = format!("{WORDS}{}", issue.description);
            issue.labels.push("ann's".to_owned());
            issue.id
        })
    }

    fn open(&self) -> Vec<Issue> {
        self.gitlab.look(|world| issues(world, PROJECT)).into_iter().filter(|issue| issue.open).collect()
    }

    fn expect_one(&self, when: &str) {
        let all = self.gitlab.look(|world| issues(world, PROJECT));
        let open: Vec<_> = all.iter().filter(|issue| issue.open).collect();
        assert!(open.len() == 1, "seed {}: {when}, open: {open:#?}\n{}", self.seed, journal(self.gitlab));
        let marked = |issue: &Issue| issue.description.contains("<!-- watchbell:v1 key=");
        assert!(all.iter().all(marked), "seed {}: an issue without a marker", self.seed);
    }

    /// Of several issues all but one were closed as duplicates of it.
    fn expect_order(&self) {
        let (all, deeds) = self.gitlab.look(|world: &World| (issues(world, PROJECT), world.deeds.clone()));
        let winner = all.iter().find(|issue| issue.open).expect("one is open");
        for loser in all.iter().filter(|issue| !issue.open) {
            assert!(loser.duplicate_of.is_some() && loser.iid > winner.iid, "seed {}: {loser:#?}", self.seed);
        }
        let strange = deeds.iter().find(|deed| {
            !matches!(deed, Deed::Command { name, .. } if name == "duplicate") && !matches!(deed, Deed::Reference(_))
        });
        assert_eq!(strange, None, "seed {}", self.seed);
    }

    fn expect_kept(&self, id: u64) {
        self.gitlab.look(|world| {
            let issue = world.known(id);
            assert!(issue.description.starts_with(WORDS), "seed {}: {}", self.seed, issue.description);
            assert!(issue.labels.contains(&"ann's".to_owned()), "seed {}", self.seed);
        });
    }
}

const WORDS: &str = "The rope is in the shed.  \n\n";

/// How a request fares in bad times.
fn ill(random: &mut Random, call: &Call) -> Treatment {
    let mut now_and_then =
        |percent| if random.percent(percent) { random.between(Duration::ZERO, DELAY) } else { Duration::ZERO };
    let (before, after) = (now_and_then(40), now_and_then(40));
    let commit = if call.operation == Operation::CreateIssue { now_and_then(60) } else { Duration::ZERO };
    let lag = if call.reads() { now_and_then(50) } else { Duration::ZERO };
    let end = match random.next() % 100 {
        0..10 => End::Fail,
        10..20 => End::Cut,
        _ => End::Answer,
    };
    let instead = random.percent(5).then(|| Answer::message(502, "502 Bad Gateway"));
    Treatment { before, commit, lag, after, end, instead, gate: None }
}

/// A node tells until it has succeeded or died.
async fn tell(seed: u64, node: &mut Node, alerts: &[(&str, bool)], lot: Lot) {
    sleep(lot.begins).await;
    let telling = async {
        loop {
            match timeout(ATTEMPT, node.tell(notification("Fire", alerts))).await {
                Ok(Ok(())) => return,
                Ok(Err(failure)) => assert!(failure.retry, "seed {seed}: {failure:?}"),
                Err(_) => {}
            }
            sleep(BACKOFF).await;
        }
    };
    match lot.dies {
        Some(after) => drop(timeout(after, telling).await),
        None => telling.await,
    }
}
