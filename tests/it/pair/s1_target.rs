//! A target goes down and comes back: each that is told is told once of either.

use std::time::Instant;

use super::stage::{Stage, WEB1, nothing_more, seconds, until};
use super::{clients, report};

#[test]
fn s1_a_target_goes_down_and_comes_back() {
    let stage = Stage::start();
    let sinks = &stage.sinks;
    remote_read_reaches_back(&stage);
    clients::check(&stage, 0);
    // What a slow start has raised is over, and told to be.
    let of_start = |state: &str| sinks.said("#ops").iter().filter(|line| line.text.starts_with(state)).count();
    until("the start is over", || (of_start("[FIRING") == of_start("[RESOLVED")).then_some(()));
    let counts = || {
        let (web, ops) = (sinks.said("#web").len(), sinks.said("#ops").len());
        [web, ops, sinks.sent().len(), sinks.issues("web/site").len() + sinks.issues("ops/alerts").len()]
    };
    let [_, ops, mails, issues] = counts();
    sinks.counter.wait_for("heartbeat", 3);

    let cut = Instant::now();
    stage.network.cut(WEB1);
    until("IRC is told", || sinks.said("#web").iter().any(|line| line.text.contains("NodeDown")).then_some(()));
    let told = seconds(cut);
    until("there are a mail and an issue", || {
        (sinks.mailbox("web-oncall").len() == 1 && sinks.issues("web/site").len() == 1).then_some(())
    });
    clients::check(&stage, 1);

    let healed = Instant::now();
    stage.network.heal();
    until("all are told that it is over", || {
        let said = sinks.said("#web").len() == 2;
        (said && sinks.mailbox("web-oncall").len() == 2 && !sinks.issues("web/site")[0].open).then_some(())
    });
    let over = seconds(healed);
    nothing_more(|| (counts() != [2, ops, mails + 2, issues + 1]).then(|| report::everything(sinks)));

    let said: Vec<_> = sinks.said("#web").into_iter().map(|line| line.text).collect();
    let line = |state: &str| format!("[{state}] critical NodeDown: web1.example.org — web1 does not answer a ping");
    assert_eq!(said, [line("FIRING:1"), line("RESOLVED")]);
    let mails = sinks.mailbox("web-oncall");
    assert!(mails[0].subject().starts_with("[FIRING:1] NodeDown"), "{}", mails[0].subject());
    assert!(mails[1].subject().starts_with("[RESOLVED] NodeDown"), "{}", mails[1].subject());
    let remarks = format!("told after {told} s, over after {over} s");
    report::write(1, "A target goes down and comes back", report::everything(sinks), &remarks);
}

/// The primary answers for a time at which only the secondary watched.
fn remote_read_reaches_back(stage: &Stage) {
    let [first, second] = &stage.machines;
    let query = "up{job='prometheus',node='mon2'}";
    assert_eq!(second.query_at(query, &stage.before_primary).len(), 1);
    until("remote read reaches back", || (first.query_at(query, &stage.before_primary).len() == 1).then_some(()));
}
