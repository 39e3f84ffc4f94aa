//! The primary machine is cut off as a whole. The other one says so by itself, and goes on for both.

use std::time::Instant;

use super::stage::{MON1, ROUND, Stage, WEB1, nothing_more, seconds, until};
use super::{clients, report};
use crate::cluster::nodes::sees;
use crate::harness::wait::seen_within;

#[test]
fn s2_the_primary_machine_is_cut_off() {
    let stage = Stage::start();
    let sinks = &stage.sinks;
    let cut = Instant::now();
    stage.network.isolate(MON1);
    let says = |channel: &str, what: &str| sinks.said(channel).iter().any(|line| line.text.contains(what));
    until("the secondary says so", || says("#ops", "NodeDown: mon1.example.org").then_some(()));
    let told = seconds(cut);
    until("there are a mail and an issue", || {
        (!sinks.mailbox("ops-oncall").is_empty() && !sinks.issues("ops/alerts").is_empty()).then_some(())
    });
    sees(&stage.machines[1].router, &["mon2"]);

    // It goes on for both.
    stage.network.cut(WEB1);
    until("the secondary tells what happens meanwhile", || says("#web", "[FIRING:1] critical NodeDown").then_some(()));
    stage.network.restore(WEB1);
    until("and that it is over", || says("#web", "[RESOLVED] critical NodeDown").then_some(()));

    let healed = Instant::now();
    stage.network.heal();
    stage.see_each_other();
    until("all are told that it is back", || {
        let said = says("#ops", "[RESOLVED] critical NodeDown: mon1");
        let mails = sinks.mailbox("ops-oncall").iter().any(|mail| mail.subject().starts_with("[RESOLVED] NodeDown"));
        let node_down = sinks.issues("ops/alerts").into_iter().filter(|issue| issue.title.contains("NodeDown"));
        (said && mails && node_down.into_iter().all(|issue| !issue.open)).then_some(())
    });
    let over = seconds(healed);
    // What the one that was cut off had to say is said by now, or never.
    seen_within(2 * ROUND, || None::<()>);
    sinks.nothing_twice();
    for (channel, node) in [("#ops", "mon1"), ("#web", "web1")] {
        let said = sinks.said(channel).into_iter().map(|line| line.text);
        let said: Vec<_> = said.filter(|text| text.contains("NodeDown")).collect();
        let line = |state| format!("[{state}] critical NodeDown: {node}.example.org — {node} does not answer a ping");
        assert_eq!(said, [line("FIRING:1"), line("RESOLVED")], "{:#?}", report::everything(sinks));
    }
    nothing_more(|| sinks.said("#web").get(2).cloned());
    clients::agree(&stage);
    let remarks = format!("told after {told} s by mon2 alone, over {over} s after the cut was healed");
    report::write(
        2,
        "The primary machine is cut off as a whole, and a target fails meanwhile",
        report::everything(sinks),
        &remarks,
    );
}
