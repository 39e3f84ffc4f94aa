//! The engine in a seeded world of nodes, clocks, disks, cuts, crashes and slow receivers, in virtual time, with an
//! observer that holds what happens against the laws. A failure names its seed and the smallest part of that history
//! that still breaks a law; `WATCHBELL_SIM_SEED=n` plays one history alone, `WATCHBELL_SIM_HISTORIES=n` so many.

mod law;
mod node;
mod plan;
mod rng;
mod shrink;
mod world;

use std::thread;

use plan::Plan;
use shrink::shrink;
use world::World;

/// Histories of one run: within a minute on two idle cores.
const HISTORIES: u64 = 20_000;

#[test]
fn every_history_keeps_the_laws() {
    if let Some(seed) = number("WATCHBELL_SIM_SEED") {
        heard_in(seed);
        return;
    }
    let histories = number("WATCHBELL_SIM_HISTORIES").unwrap_or(HISTORIES);
    let threads = thread::available_parallelism().map_or(2, usize::from) as u64;
    let heard: usize = thread::scope(|scope| {
        let play = |from: u64| move || (from..histories).step_by(threads as usize).map(heard_in).sum::<usize>();
        let running: Vec<_> = (0..threads).map(|from| scope.spawn(play(from))).collect();
        running.into_iter().map(|thread| thread.join().expect("the laws hold")).sum()
    });
    assert!(heard as u64 > histories, "histories in which hardly anything is heard prove nothing: {heard}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| World::play(seed, &Plan::from_seed(seed)).law.history();
    for seed in 0..100 {
        assert_eq!(history(seed), history(seed), "seed {seed}");
    }
}

/// Plays the history of a seed; returns how many notifications were heard in it.
fn heard_in(seed: u64) -> usize {
    let plan = Plan::from_seed(seed);
    let law = World::play(seed, &plan).law;
    if let Some(broken) = law.broken {
        let (small, broken_then) = shrink(seed, plan);
        let story = World::recorded(seed, &small).law.story.unwrap_or_default().join("\n");
        panic!("seed {seed}: {broken}\nin the smallest part of it {broken_then}\n{small}{story}");
    }
    law.heard_count
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a whole number"))
}
