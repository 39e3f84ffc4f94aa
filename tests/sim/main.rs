//! The engine in a seeded world of nodes, clocks, disks, cuts, crashes and slow receivers, in virtual time, with an
//! observer that holds what happens against the laws. A failure names its seed; `WATCHBELL_SIM_SEED=n` plays that
//! history alone, `WATCHBELL_SIM_HISTORIES=n` plays so many.

mod law;
mod node;
mod plan;
mod rng;
mod world;

use std::thread;

use world::World;

/// Histories of one run: within a minute on two cores.
const HISTORIES: u64 = 10_000;

#[test]
fn every_history_keeps_the_laws() {
    if let Some(seed) = number("WATCHBELL_SIM_SEED") {
        World::play(seed);
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
    for seed in 0..100 {
        assert_eq!(World::play(seed).law.history(), World::play(seed).law.history(), "seed {seed}");
    }
}

fn heard_in(seed: u64) -> usize {
    World::play(seed).law.heard_count
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a whole number"))
}
