//! What a mail is called: the same on every node that tells the same, so that mailboxes drop the second copy, and never
//! the same for anything else.

use serde_json::json;

use super::cyrus::Cyrus;
use super::dovecot::Dovecot;
use super::postfix::{ONE_COPY_AT_A_TIME, Postfix};
use super::reader::Mail;
use super::{PATIENCE, alert, config, post};
use crate::harness::server::{Program, Server};
use crate::harness::wait::{eventually_within, wait_for_an_hour_of};

/// How long an alert fires the second time after the first.
const LATER: &str = "2026-01-02T04:04:05Z";

#[test]
fn f2_06_two_nodes_that_both_tell_send_one_mail_which_dovecot_and_cyrus_keep_once() {
    let (dovecot, cyrus) = (Dovecot::start(None), Cyrus::start());
    let transports = format!(
        "{ONE_COPY_AT_A_TIME}\
         transport_maps = inline:{{ {{ dovecot@example.org = {} }}, {{ keeper@example.org = {} }} }}\n",
        dovecot.transport(),
        cyrus.transport()
    );
    let postfix = Postfix::start_with(&transports, &[""]);
    let email = "{to: 'plain@example.org, dovecot@example.org, keeper@example.org'}";
    let nodes = pair(&config(postfix.address(), email));
    for node in &nodes {
        post(node, &[alert("Fire", &[("instance", "a")]), alert("Fire", &[("instance", "b")])]);
    }
    let copies = postfix.wait_for(2);
    assert_eq!(copies[0].id(), copies[1].id());
    assert_eq!(copies[0].subject(), copies[1].subject());
    assert_eq!((copies[0].text(), copies[0].html()), (copies[1].text(), copies[1].html()));

    eventually_within(PATIENCE, "dovecot has dropped a copy", || (dovecot.dropped() == 1).then_some(()));
    assert_eq!(dovecot.mailbox("dovecot").len(), 1);
    eventually_within(PATIENCE, "cyrus has taken both", || {
        let sent = |line: &&String| line.contains("status=sent");
        (postfix.logged("to=<keeper@example.org>").iter().filter(sent).count() == 2).then_some(())
    });
    assert_eq!(cyrus.count(), 1);
}

#[test]
fn f2_07_an_alert_that_comes_back_is_another_mail_on_every_node() {
    let postfix = Postfix::start();
    let nodes = pair(&config(postfix.address(), "{to: ops@example.org, send_resolved: true}"));
    let end = json!({"labels": {"alertname": "Fire"}, "startsAt": super::STARTED, "endsAt": LATER});
    let again = json!({"labels": {"alertname": "Fire"}, "startsAt": LATER});
    for (turn, alert) in [alert("Fire", &[]), end, again].into_iter().enumerate() {
        for node in &nodes {
            post(node, std::slice::from_ref(&alert));
        }
        postfix.wait_for(2 * (turn + 1));
    }
    let [ours, theirs] = by_node(&postfix.wait_for(6));
    assert_eq!(ours, theirs);
    assert!(ours.len() == 3 && all_differ(&ours), "{ours:?}");
}

#[test]
fn f2_07_each_repeat_is_another_mail_on_every_node() {
    let postfix = Postfix::start();
    let repeating =
        config(postfix.address(), "{to: ops@example.org}").replace("repeat_interval: 1h", "repeat_interval: 2s");
    let nodes = pair(&repeating);
    for node in &nodes {
        post(node, &[alert("Fire", &[])]);
    }
    let [ours, theirs] = eventually_within(PATIENCE, "both nodes have repeated it twice", || {
        let told = by_node(&postfix.wait_for(1));
        told.iter().all(|ids| ids.len() > 2).then_some(told)
    });
    assert!(all_differ(&ours) && all_differ(&theirs), "{ours:?} {theirs:?}");
    assert_eq!(ours[..3], theirs[..3]);
}

/// Two nodes that cannot hear each other and differ in how they greet the mail server.
fn pair(config: &str) -> [Server; 2] {
    wait_for_an_hour_of(PATIENCE);
    ["ours", "theirs"].map(|name| {
        let config = config.replace("global: {", &format!("global: {{smtp_hello: {name}.example.org, "));
        Server::start_with(Program::Watchbell, &config, &["--web.external-url=http://watch.example.org/"])
    })
}

/// The names of the mails of each node, in the order of their coming.
fn by_node(mails: &[Mail]) -> [Vec<String>; 2] {
    ["from ours.example.org", "from theirs.example.org"].map(|greeting| {
        mails.iter().filter(|mail| mail.header("Received").starts_with(greeting)).map(Mail::id).collect()
    })
}

fn all_differ(ids: &[String]) -> bool {
    ids.iter().collect::<std::collections::BTreeSet<_>>().len() == ids.len()
}
