//! The line between the two machines is cut while both run and reach everything else. Both tell what becomes due; where
//! that ends is one issue, one mail and one line for the same news.

use std::collections::BTreeSet;
use std::time::Instant;

use super::stage::{LONG, MON1, MON2, ROUND, Stage, WEB1, seconds, until};
use super::{clients, report};
use crate::cluster::nodes::sees;
use crate::harness::wait::{seen_within, wait_for_an_hour_of};

#[test]
fn s3_the_line_between_the_two_is_cut_while_alerts_fire() {
    let stage = Stage::start();
    let sinks = &stage.sinks;
    stage.network.deafen(MON1, MON2);
    stage.network.deafen(MON2, MON1);
    sees(&stage.machines[0].router, &["mon1"]);
    sees(&stage.machines[1].router, &["mon2"]);

    wait_for_an_hour_of(LONG);
    // Both see it, and neither knows that the other does.
    let cut = Instant::now();
    stage.network.cut(WEB1);
    let sent = |state: &str| {
        let subject = format!("[{state}] NodeDown (web1");
        sinks.sent().into_iter().filter(|mail| mail.subject().starts_with(&subject)).collect::<Vec<_>>()
    };
    until("both have sent a mail", || (sent("FIRING:1").len() == 2).then_some(()));
    let told = seconds(cut);
    let names: BTreeSet<_> = sent("FIRING:1").iter().map(crate::email::reader::Mail::id).collect();
    assert_eq!(names.len(), 1, "the same news have the same name");
    until("one issue is open", || {
        let open: Vec<_> = sinks.issues("web/site").into_iter().filter(|issue| issue.open).collect();
        (open.len() == 1).then_some(())
    });
    until("each has said that it does not see the other", || {
        let said = sinks.said("#ops");
        ["mon1", "mon2"]
            .iter()
            .all(|node| said.iter().any(|line| line.text.contains(&format!("NodeDown: {node}"))))
            .then_some(())
    });

    stage.network.heal();
    stage.see_each_other();
    clients::agree(&stage);
    until("all are told that it is over", || {
        let said = sinks.said("#web").iter().any(|line| line.text.starts_with("[RESOLVED]"));
        let open = ["web/site", "ops/alerts"]
            .iter()
            .any(|project| sinks.issues(project).iter().any(|issue| issue.open && issue.title.contains("NodeDown")));
        (said && !open && !sent("RESOLVED").is_empty()).then_some(())
    });
    seen_within(2 * ROUND, || None::<()>);
    let issues = sinks.issues("web/site");
    assert!(issues.iter().skip(1).all(|issue| issue.duplicate_of == Some(issues[0].id)), "{issues:#?}");
    // The mailbox and the channel have one of each.
    let subjects: Vec<_> = sinks.mailbox("web-oncall").iter().map(|mail| mail.subject()[..9].to_owned()).collect();
    assert_eq!(subjects, ["[FIRING:1", "[RESOLVED"], "{:#?}", report::everything(sinks));
    let said: Vec<_> = sinks.said("#web").into_iter().map(|line| line.text).collect();
    let line = |state: &str| format!("[{state}] critical NodeDown: web1.example.org — web1 does not answer a ping");
    assert_eq!(said, [line("FIRING:1"), line("RESOLVED")]);
    let remarks = format!("both had told after {told} s");
    report::write(
        3,
        "The line between the machines is cut, and a target fails meanwhile",
        report::everything(sinks),
        &remarks,
    );
}
