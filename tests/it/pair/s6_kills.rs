//! `kill -9` of either router at random moments, under load, for ten minutes (`tests/pair`) or less than one (each run of
//! the tests).

use std::collections::BTreeSet;
use std::env;
use std::time::{Duration, Instant};

use super::killed::{Cut, Kill, cut_off};
use super::laws::{EXCUSES, Tally};
use super::report;
use super::stage::{Stage, nothing_more, until};
use super::storm::Storm;
use crate::harness::random::Random;
use crate::harness::wait::seen_within;

const STORM: Storm = Storm { kinds: 8, each: 25 };

/// There are more kills than this, also where a start takes long.
const FEWEST: usize = 5;

/// How long the load lasts.
fn span() -> Duration {
    let whole = env::var_os("WATCHBELL_PAIR").is_some_and(|how| how == "whole");
    Duration::from_secs(if whole { 600 } else { 45 })
}

#[test]
fn s6_either_router_is_killed_again_and_again() {
    let mut stage = Stage::start_counting(&STORM.rules());
    let (kills, changes) = kill_under_load(&mut stage);
    let logs = stage.machines.each_ref().map(|machine| machine.router.log());
    let cuts: Vec<Cut> = logs.iter().zip(&kills).flat_map(|(log, kills)| cut_off(log, kills)).collect();
    let [counted, lines, mails] = ["counter/webhook", "web-critical/irc", "web-critical/email"].map(|receiver| {
        let those = cuts.iter().filter(|cut| cut.receiver.starts_with(receiver));
        those.cloned().collect::<Vec<_>>()
    });
    let kills = kills.concat().len();

    stage.show(&STORM.metrics(|_| true));
    let counter = &stage.sinks.counter;
    let all = |firing: usize| (Tally::of(counter, &counted).firing.len() == firing).then_some(());
    until("all that fire are told", || all(STORM.alerts()));
    stage.show(&STORM.metrics(|_| false));
    until("all that are over are told", || all(0));
    let sinks = &stage.sinks;
    until("all issues are closed", || sinks.issues("web/site").iter().all(|issue| !issue.open).then_some(()));
    let received = counter.at("counter").len();
    nothing_more(|| (counter.at("counter").len() > received).then(|| counter.at("counter").pop()));

    let tally = Tally::of(counter, &counted);
    let excused = tally.repeated.len() + tally.ends.len();
    assert!(tally.wrong.is_empty() && excused <= EXCUSES * counted.len(), "{counted:#?}\n{tally:#?}");
    assert!(kills > FEWEST && tally.notifications > kills * 3, "hardly any load: {kills} kills, {tally:#?}");
    // A mailbox drops a copy that comes after the first, and not one that comes in the same moment.
    let said = sinks.said("#web");
    let [sent, kept] = [sinks.sent(), sinks.mailbox("web-oncall")];
    let said_twice = doubles(said.iter().map(|line| line.id.clone()));
    let [sent_twice, kept_twice] = [&sent, &kept].map(|mails| doubles(mails.iter().map(|mail| mail.id())));
    assert!(said_twice <= lines.len(), "{said_twice} lines came twice: {lines:#?}");
    assert!(sent_twice <= mails.len() && kept_twice <= sent_twice, "{sent_twice} and {kept_twice} mails came twice");
    let issues = sinks.issues("web/site");
    let own = issues.iter().filter(|issue| issue.duplicate_of.is_none()).count();
    assert_eq!(own, STORM.kinds, "one issue a group: {issues:#?}");
    let cells = [
        format!("{} lines, {said_twice} of them twice; {} sendings were cut off", said.len(), lines.len()),
        format!(
            "{} mails sent, {sent_twice} of them twice; {kept_twice} twice in the mailbox; {} sendings were cut off",
            sent.len(),
            mails.len()
        ),
        format!("{own} issues, one a group, all closed; {} closed as duplicates", issues.len() - own),
    ];
    let remarks = format!(
        "{kills} kills, {changes} changes, {} notifications to the webhook: 0 lost, 0 wrong; {} sendings were cut off, for which {} notifications came twice and {} told an end that had not to be told",
        tally.notifications,
        counted.len(),
        tally.repeated.len(),
        tally.ends.len()
    );
    let what = format!("`kill -9` of either router at random moments for {} s under load", span().as_secs());
    report::write(6, &what, cells, &remarks);
}

/// The kills of each router, and how often an alert has begun or ended meanwhile.
fn kill_under_load(stage: &mut Stage) -> ([Vec<Kill>; 2], usize) {
    let mut random = Random::new(0x5eed_0006);
    let mut firing = vec![false; STORM.alerts()];
    let (mut kills, mut changes) = ([Vec::new(), Vec::new()], 0);
    let end = Instant::now() + span();
    while Instant::now() < end || kills.iter().flatten().count() <= FEWEST {
        // A tenth of all alerts begin or end at once.
        for _ in 0..STORM.alerts() / 10 {
            let number = usize::try_from(random.next() % STORM.alerts() as u64).expect("it is small");
            firing[number] = !firing[number];
            changes += 1;
        }
        stage.show(&STORM.metrics(|number| firing[number]));
        let pause = random.between(Duration::from_millis(500), Duration::from_secs(6));
        let index = usize::from(random.percent(50));
        let router = &mut stage.machines[index].router;
        let ended = seen_within(pause, || router.process().ended());
        assert_eq!(ended, None, "it has ended by itself:\n{}", router.log());
        kills[index].push(Kill::of(router));
        router.launch();
    }
    (kills, changes)
}

/// How many of these stand there more than once, each time but the first.
fn doubles(names: impl Iterator<Item = String>) -> usize {
    let names: Vec<_> = names.collect();
    names.len() - names.iter().collect::<BTreeSet<_>>().len()
}
