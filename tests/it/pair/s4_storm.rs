//! Both routers are restarted, and then replaced by another program file, one after the other, while 2,000 alerts begin and
//! end. There is no older version to upgrade from: the new file is the same program.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::laws::Tally;
use super::report;
use super::stage::{Stage, nothing_more, seconds, until};
use super::storm::Storm;

/// So few kinds that a line for each goes out before the time of an attempt is over: IRC takes one a second.
const STORM: Storm = Storm { kinds: 8, each: 250 };

#[test]
fn s4_routers_are_restarted_and_upgraded_in_a_storm() {
    let mut stage = Stage::start_counting(&STORM.rules());
    let began = Instant::now();
    stage.show(&STORM.metrics(|_| true));
    until("the storm is being told", || (!stage.sinks.counter.at("counter").is_empty()).then_some(()));
    for router in 0..2 {
        replace(&mut stage, router, None);
    }
    until("all 2,000 are told", || (Tally::of(&stage.sinks.counter, &[]).firing.len() == STORM.alerts()).then_some(()));
    let told = seconds(began);
    issues_name_all(&stage);

    let before = stage.sinks.counter.at("counter").len();
    stage.show(&STORM.metrics(|_| false));
    until("ends are being told", || (stage.sinks.counter.at("counter").len() > before).then_some(()));
    let new = stage.upgrade("watchbell-new");
    for router in 0..2 {
        replace(&mut stage, router, Some(new.clone()));
    }
    let sinks = &stage.sinks;
    until("all are told to be over", || {
        let counted = Tally::of(&sinks.counter, &[]).firing.is_empty();
        let closed = sinks.issues("web/site").iter().all(|issue| !issue.open);
        (counted && closed && ends(&stage).len() == STORM.kinds).then_some(())
    });
    let over = seconds(began);
    let received = sinks.counter.at("counter").len();
    nothing_more(|| (sinks.counter.at("counter").len() > received).then(|| sinks.counter.at("counter").pop()));

    let tally = Tally::of(&sinks.counter, &[]);
    assert_eq!((tally.told.len(), tally.wrong), (STORM.alerts(), vec![]));
    sinks.nothing_twice();
    assert_eq!(sinks.issues("web/site").len(), STORM.kinds);
    let channel = sinks.said("#web").len();
    let cells = [
        format!("{channel} lines, no id twice"),
        format!("{} mails, no name twice", sinks.sent().len()),
        format!("{} issues, one a group, all closed", STORM.kinds),
    ];
    let remarks = format!(
        "webhook: {} notifications, each of the 2,000 alerts told once and ended once; all told after {told} s, all over after {over} s",
        tally.notifications
    );
    report::write(4, "Rolling restart, then rolling upgrade, while 2,000 alerts begin and end", cells, &remarks);
}

/// Stops a router in order and starts it again, from another file if one is given.
fn replace(stage: &mut Stage, index: usize, executable: Option<PathBuf>) {
    let router = &mut stage.machines[index].router;
    assert!(router.stop().success());
    router.executable = executable;
    router.launch();
    stage.see_each_other();
}

/// Every alert stands in one open issue.
fn issues_name_all(stage: &Stage) {
    until("all stand in issues", || {
        let issues = stage.sinks.issues("web/site");
        let named = (0..STORM.alerts()).all(|number| {
            let line = format!("number = {number}\n");
            issues.iter().filter(|issue| issue.open && issue.description.contains(&line)).count() == 1
        });
        named.then_some(())
    });
}

/// The groups whose end the person on call has read in a mail.
fn ends(stage: &Stage) -> BTreeSet<String> {
    let mails = stage.sinks.mailbox("web-oncall").into_iter().map(|mail| mail.subject());
    mails.filter(|subject| subject.starts_with("[RESOLVED]")).collect()
}
