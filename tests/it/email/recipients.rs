//! Who gets a mail when a server takes some of it and not the rest: nobody is kept from hearing by another's refusal,
//! and nobody hears twice because of another's delay.

use std::net::SocketAddr;
use std::time::Duration;

use super::dovecot::Dovecot;
use super::policy::Policy;
use super::postfix::{ONE_COPY_AT_A_TIME, Postfix};
use super::proxy::{Fault, Proxy};
use super::{PATIENCE, alert, config, metric, post, router};
use crate::harness::server::{Program, Server};
use crate::harness::wait::{eventually_within, seen_within};

/// Longer than the first pauses between attempts, which are half a second or so.
const SOME_ATTEMPTS: Duration = Duration::from_secs(3);

/// As often as anybody asks.
const ALWAYS: usize = usize::MAX;

#[test]
fn f2_02_a_refused_recipient_is_not_asked_again_and_blocks_nobody() {
    let policy = Policy::start();
    policy.answer("RCPT", "refused", "550 5.1.1 no such person", ALWAYS);
    let postfix = Postfix::start_with(&policy.main_cf(), &[""]);
    let router = retrying(postfix.address(), "{to: 'good@example.org, refused@example.org'}");
    post(&router, &[alert("Fire", &[])]);
    assert_eq!(postfix.wait_for(1)[0].recipient(), "good@example.org");
    assert_eq!(seen_within(SOME_ATTEMPTS, || (postfix.count() > 1).then_some(())), None, "told twice");
    assert_eq!(policy.count("RCPT", "refused"), 1);
    assert_eq!(outcomes(&router), [1.0, 1.0, 0.0]);
}

#[test]
fn f2_03_a_deferred_recipient_is_told_later_and_the_others_once() {
    let policy = Policy::start();
    policy.answer("RCPT", "grey", "451 4.2.1 the mailbox is busy", 2);
    let postfix = Postfix::start_with(&policy.main_cf(), &[""]);
    let router = retrying(postfix.address(), "{to: 'good@example.org, grey@example.org'}");
    post(&router, &[alert("Fire", &[])]);
    let mails = postfix.wait_for(2);
    assert_eq!([mails[0].recipient(), mails[1].recipient()], ["good@example.org", "grey@example.org"]);
    assert_eq!(mails[0].id(), mails[1].id());
    assert_eq!(seen_within(SOME_ATTEMPTS, || (postfix.count() > 2).then_some(())), None, "told twice");
    assert_eq!((policy.count("RCPT", "good"), policy.count("RCPT", "grey")), (1, 3));
    assert_eq!(outcomes(&router), [2.0, 0.0, 2.0]);
}

#[test]
fn f2_03_if_they_are_to_hear_together_nobody_hears_before_all_can() {
    let policy = Policy::start();
    policy.answer("RCPT", "grey", "451 4.2.1 the mailbox is busy", 2);
    let postfix = Postfix::start_with(&policy.main_cf(), &[""]);
    let router =
        retrying(postfix.address(), "{to: 'good@example.org, grey@example.org', partial_delivery: all_or_nothing}");
    post(&router, &[alert("Fire", &[])]);
    postfix.wait_for(2);
    assert_eq!(policy.count("DATA", ""), 1, "the mail was given away before everybody could have it");
    assert_eq!(seen_within(SOME_ATTEMPTS, || (postfix.count() > 2).then_some(())), None, "told twice");
}

#[test]
fn f2_04_what_a_server_defers_at_any_step_is_tried_again() {
    let policy = Policy::start();
    for step in ["CONNECT", "MAIL", "DATA", "END-OF-MESSAGE"] {
        policy.answer(step, "", "450 4.3.2 not now", 1);
    }
    let postfix = Postfix::start_with(&policy.main_cf(), &[""]);
    let router = retrying(postfix.address(), "{to: ops@example.org}");
    post(&router, &[alert("Fire", &[])]);
    postfix.wait_for(1);
    assert_eq!(seen_within(SOME_ATTEMPTS, || (postfix.count() > 1).then_some(())), None, "told twice");
    // One attempt fails at each of the steps, the fifth does not.
    let times = ["MAIL", "DATA", "END-OF-MESSAGE"].map(|step| policy.count(step, ""));
    assert_eq!(times, [4, 3, 2], "{:?}", policy.asked());
}

#[test]
fn f2_04_what_a_server_refuses_at_any_step_is_not_tried_again() {
    const STEPS: [(&str, &str); 4] =
        [("CONNECT", "client"), ("MAIL", "sender"), ("DATA", "data"), ("END-OF-MESSAGE", "end_of_data")];
    let refusing = STEPS.map(|(_, step)| {
        format!("-o {{ smtpd_{step}_restrictions = check_client_access static:{{554 5.7.1 never}} }}")
    });
    let postfix = Postfix::start_with("smtpd_delay_reject = no\n", &refusing.each_ref().map(String::as_str));
    let routers: Vec<_> = (0..STEPS.len()).map(|door| retrying(postfix.door(door), "{to: ops@example.org}")).collect();
    for router in &routers {
        post(router, &[alert("Fire", &[])]);
    }
    for (router, (step, _)) in routers.iter().zip(STEPS) {
        postfix.wait_logged(&format!("reject: {step} from"), 1);
        let refused = r#"alertmanager_notifications_failed_total{integration="email",reason="clientError"}"#;
        eventually_within(PATIENCE, "the failure is counted", || (metric(router, refused) > 0.0).then_some(()));
    }
    let again = seen_within(SOME_ATTEMPTS, || (postfix.logged("reject: ").len() > STEPS.len()).then_some(()));
    assert_eq!((again, postfix.count()), (None, 0), "{}", postfix.log());
}

#[test]
fn f2_05_a_mail_whose_fate_is_unknown_is_sent_again_as_the_same_mail() {
    let dovecot = Dovecot::start(None);
    let transport = format!("{ONE_COPY_AT_A_TIME}virtual_transport = {}\n", dovecot.transport());
    let postfix = Postfix::start_with(&transport, &[""]);
    let proxy = Proxy::start(postfix.address(), Fault::CutAfterDot, 1);
    let router = retrying(proxy.address, "{to: ops@example.org}");
    post(&router, &[alert("Fire", &[])]);
    let ids = postfix.wait_logged("message-id=<", 2);
    let id = |line: &String| line.rsplit("message-id=").next().map(str::to_owned);
    assert_eq!(id(&ids[0]), id(&ids[1]));
    eventually_within(PATIENCE, "dovecot has dropped the second", || (dovecot.dropped() == 1).then_some(()));
    assert_eq!((dovecot.mailbox("ops").len(), proxy.connections()), (1, 2));
}

#[test]
fn f2_19_an_address_beyond_ascii_needs_a_server_that_can_and_blocks_nobody() {
    let postfix = Postfix::start_with("", &["", "-o smtputf8_enable=no"]);
    let able = router(postfix.address(), "{to: 'jörg@example.org, good@example.org'}");
    post(&able, &[alert("Fire", &[])]);
    postfix.wait_logged("to=<jörg@example.org>, relay=virtual, delay", 1);
    assert!(postfix.wait_for(2).iter().all(|mail| mail.header("Received").contains("with UTF8SMTP")));

    let unable = router(postfix.door(1), "{to: 'jörg@example.org, late@example.org'}");
    post(&unable, &[alert("Fire", &[])]);
    assert_eq!(postfix.wait_for(3)[2].recipient(), "late@example.org");
    eventually_within(PATIENCE, "the answer is read", || (outcomes(&unable)[0] >= 1.0).then_some(()));
    assert!(unable.log().contains("jörg@example.org"), "{}", unable.log());
    assert_eq!(outcomes(&unable), [1.0, 1.0, 0.0]);

    let plain = router(postfix.address(), "{to: plain@example.org}");
    post(&plain, &[alert("Fire", &[])]);
    assert!(postfix.wait_for(4)[3].header("Received").contains("with ESMTP"), "asked for without need");
}

/// A router whose next flush is far off, so that what is told again is told by another attempt.
fn retrying(server: SocketAddr, email: &str) -> Server {
    let config = config(server, email).replace("group_interval: 1s", "group_interval: 1m");
    Server::start(Program::Watchbell, &config)
}

/// How many recipients the router counts as accepted, refused and deferred.
fn outcomes(router: &Server) -> [f64; 3] {
    ["accepted", "refused", "deferred"]
        .map(|outcome| metric(router, &format!("watchbell_email_recipients_total{{outcome=\"{outcome}\"}}")))
}
