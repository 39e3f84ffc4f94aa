//! The engine in a seeded world of nodes, clocks, disks, cuts, crashes and slow receivers, in virtual time, with an
//! observer that holds what happens against the laws. A failure names the seeds and the smallest part of the first of
//! those histories that still breaks a law. `WATCHBELL_SIM_SEED=n` plays one history alone, `WATCHBELL_SIM_HISTORIES=n` so
//! many, `WATCHBELL_SIM_FROM=n` those from that seed on.

mod law;
mod node;
mod plan;
mod rng;
mod shrink;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use plan::Plan;
use shrink::shrink;
use world::World;

/// Histories of one run: three minutes on two idle cores.
const HISTORIES: u64 = 100_000;

/// What came of some histories.
#[derive(Default)]
struct Played {
    /// How many notifications were heard.
    heard: usize,
    /// The seeds of those that broke a law.
    broken: Vec<u64>,
}

#[test]
fn every_history_keeps_the_laws() {
    let (first, histories) = match number("WATCHBELL_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => {
            let histories = number("WATCHBELL_SIM_HISTORIES").unwrap_or(HISTORIES);
            (number("WATCHBELL_SIM_FROM").unwrap_or(0), histories)
        }
    };
    let Played { heard, mut broken } = play_all(first, first + histories);
    broken.sort_unstable();
    if let Some(seed) = broken.first() {
        panic!("seeds {broken:?}: {}", story_of(*seed));
    }
    let enough = histories == 1 || heard as u64 > histories;
    assert!(enough, "histories in which hardly anything is heard prove nothing: {heard}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| World::play(seed, &Plan::from_seed(seed)).law.history();
    for seed in 0..100 {
        assert_eq!(history(seed), history(seed), "seed {seed}");
    }
}

/// Plays the histories from `first` to before `end` on all processors.
fn play_all(first: u64, end: u64) -> Played {
    let (next, threads) = (AtomicU64::new(first), thread::available_parallelism().map_or(2, usize::from));
    let play = || {
        let mut played = Played::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return played;
            }
            let law = World::play(seed, &Plan::from_seed(seed)).law;
            played.heard += law.heard_count;
            played.broken.extend(law.broken.is_some().then_some(seed));
        }
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        running.into_iter().map(|thread| thread.join().expect("a history is played to its end")).sum()
    })
}

/// The smallest part of a seed's history that breaks a law.
fn story_of(seed: u64) -> String {
    let plan = Plan::from_seed(seed);
    let broken = World::play(seed, &plan).law.broken.unwrap_or_default();
    let (small, broken_then) = shrink(seed, plan);
    let story = World::recorded(seed, &small).law.story.unwrap_or_default().join("\n");
    format!("seed {seed}: {broken}\nin the smallest part of it {broken_then}\n{small}{story}")
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a whole number"))
}

impl std::iter::Sum for Played {
    fn sum<I: Iterator<Item = Self>>(some: I) -> Self {
        some.fold(Self::default(), |all, one| {
            let broken = [all.broken, one.broken].concat();
            Self { heard: all.heard + one.heard, broken }
        })
    }
}
