//! Scripted histories, played to Debian's Alertmanager and to Watchbell step by step: the same posts, silences, reloads
//! and restarts, then the same answers and the same notifications, but for the differences that are meant.

mod grouping;
mod inhibition;
mod intended;
mod intervals;
mod play;
mod reads;
mod restarts;
mod routing;
mod script;
mod silencing;

use std::sync::{Arc, Barrier};
use std::thread;

use crate::harness::server::Program;
use script::History;

#[test]
fn grouping_is_told_alike() {
    play_all(grouping::histories());
}

#[test]
fn routing_is_told_alike() {
    play_all(routing::histories());
}

#[test]
fn silences_are_told_alike() {
    play_all(silencing::histories());
}

#[test]
fn inhibition_is_told_alike() {
    play_all(inhibition::histories());
}

#[test]
fn time_intervals_are_told_alike() {
    play_all(intervals::histories());
}

#[test]
fn reloads_and_restarts_are_told_alike() {
    play_all(restarts::histories());
}

#[test]
fn reads_are_answered_alike() {
    play_all(reads::histories());
}

#[test]
fn there_are_at_least_forty_histories_and_no_name_twice() {
    let mut names: Vec<_> = all().iter().map(|history| history.name).collect();
    assert!(names.len() >= 40, "{} histories", names.len());
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Shows that the histories are fair: the measure, played against itself, tells and answers the same.
#[test]
fn alertmanager_is_like_itself() {
    play_all_with(all(), [Program::Alertmanager, Program::Alertmanager]);
}

fn all() -> Vec<History> {
    let topics = [
        grouping::histories(),
        routing::histories(),
        silencing::histories(),
        inhibition::histories(),
        intervals::histories(),
        restarts::histories(),
        reads::histories(),
    ];
    topics.into_iter().flatten().collect()
}

fn play_all(histories: Vec<History>) {
    play_all_with(histories, [Program::Alertmanager, Program::Watchbell]);
}

/// Plays all histories side by side, as each spends its time waiting, and fails with everything found in any of them. None
/// begins while programs are started for others: what is to happen within seconds would be late.
fn play_all_with(histories: Vec<History>, programs: [Program; 2]) {
    let all_run = Arc::new(Barrier::new(histories.len()));
    let players: Vec<_> = histories
        .into_iter()
        .map(|history| {
            let all_run = Arc::clone(&all_run);
            (history.name, thread::spawn(move || play::compare(&history, programs, &all_run)))
        })
        .collect();
    let mut failures = Vec::new();
    for (name, player) in players {
        match player.join() {
            Ok(unexpected) if unexpected.is_empty() => {}
            Ok(unexpected) => failures.push(format!("{name}:\n  {}", unexpected.join("\n  "))),
            Err(_) => failures.push(format!("{name}: not played to its end (see above)")),
        }
    }
    assert!(failures.is_empty(), "{} histories differ\n\n{}", failures.len(), failures.join("\n\n"));
}
