//! What is said in the clear and to whom: TLS before anything that matters, and every way of logging in against a server
//! that checks it.

use std::fs;
use std::path::PathBuf;

use super::dovecot::{Dovecot, PASSWORD, USER};
use super::postfix::Postfix;
use super::proxy::{Fault, Proxy};
use super::tokens::Tokens;
use super::{PATIENCE, alert, metric, post, router};
use crate::harness::server::Server;
use crate::harness::wait::eventually_within;

/// A door with STARTTLS, and one at which TLS begins first.
const STARTTLS: &str = "-o smtpd_tls_security_level=may -o smtpd_tls_received_header=yes";
const IMPLICIT: &str = "-o smtpd_tls_wrappermode=yes -o smtpd_tls_received_header=yes";

#[test]
fn f2_14_without_tls_there_is_no_password_and_no_mail() {
    let postfix = Postfix::start();
    let login = "auth_username: u, auth_password: p";
    let routers = ["require_tls: true", "tls_mode: starttls"]
        .map(|mode| router(postfix.address(), &format!("{{to: ops@example.org, {mode}, {login}}}")));
    for router in &routers {
        post(router, &[alert("Fire", &[])]);
        wait_until_it_has_failed(router);
    }
    let ends = postfix.wait_logged("disconnect from", 2);
    assert!(ends.iter().all(|line| !line.contains("auth=") && !line.contains("mail=")), "{ends:?}");
    assert_eq!(postfix.count(), 0);
}

#[test]
fn f2_14_tls_begins_as_it_is_told_at_any_port() {
    let postfix = Postfix::start_with("", &[IMPLICIT, STARTTLS, ""]);
    let routers = [
        (0, "force_implicit_tls: true"),
        (0, "tls_mode: implicit"),
        (1, "require_tls: true"),
        (1, "tls_mode: starttls"),
    ]
    .map(|(door, mode)| {
        router(postfix.door(door), &format!("{{to: ops@example.org, {mode}, {}}}", trusting("ca.pem")))
    });
    // Whoever makes do without TLS makes do with anybody's certificate (RFC 7435).
    let any = router(postfix.door(1), "{to: ops@example.org, tls_mode: opportunistic}");
    let routers: Vec<_> = routers.into_iter().chain([any]).collect();
    routers.iter().for_each(|router| post(router, &[alert("Fire", &[])]));
    for mail in postfix.wait_for(routers.len()) {
        assert!(mail.header("Received").contains("using TLSv1.3"), "{}", mail.header("Received"));
    }
    let clear = [(1, "tls_mode: none"), (2, "tls_mode: opportunistic")]
        .map(|(door, mode)| router(postfix.door(door), &format!("{{to: clear@example.org, {mode}}}")));
    clear.iter().for_each(|router| post(router, &[alert("Fire", &[])]));
    for mail in postfix.wait_for(routers.len() + clear.len()).split_off(routers.len()) {
        assert!(!mail.header("Received").contains("using TLS"), "{}", mail.header("Received"));
    }
}

#[test]
fn f2_14_a_certificate_that_is_wrong_ends_it() {
    let postfix = Postfix::start_with("", &[IMPLICIT, STARTTLS]);
    let mistrust = [
        String::new(),
        format!("tls_config: {{ca_file: '{}'}}", fixture("ca.pem")),
        format!("tls_config: {{ca_file: '{}', server_name: other.example}}", fixture("ca.pem")),
        trusting("client.pem"),
    ];
    for (door, mode) in [(0, "tls_mode: implicit"), (1, "tls_mode: starttls")] {
        let routers = mistrust
            .each_ref()
            .map(|tls| router(postfix.door(door), &format!("{{to: ops@example.org, {mode}, {tls}}}")));
        routers.iter().for_each(|router| post(router, &[alert("Fire", &[])]));
        routers.iter().for_each(wait_until_it_has_failed);
    }
    assert!(!postfix.log().contains("mail="), "{}", postfix.log());
    assert_eq!(postfix.count(), 0);
}

#[test]
fn f2_14_what_was_said_before_tls_is_forgotten() {
    let postfix = Postfix::start_with("", &[STARTTLS]);
    // One for each time that a sender may ask what the server can do.
    let injected =
        Fault::Inject("250-me\r\n250 AUTH PLAIN\r\n250-me\r\n250 AUTH PLAIN\r\n250-me\r\n250 AUTH PLAIN\r\n");
    let proxy = Proxy::start(postfix.address(), injected, usize::MAX);
    let login = "auth_username: u, auth_password: p";
    let router =
        router(proxy.address, &format!("{{to: ops@example.org, tls_mode: starttls, {login}, {}}}", trusting("ca.pem")));
    post(&router, &[alert("Fire", &[])]);
    postfix.wait_for(1);
    assert_eq!(failures(&router), 0.0);
    drop(router);
    let ends = postfix.wait_logged("disconnect from", 1);
    // Under TLS this server offers no login, so whoever tries one believes the stranger.
    assert!(ends.iter().all(|line| !line.contains("auth=")), "{ends:?}");
}

#[test]
fn f2_15_every_way_of_logging_in_is_understood() {
    const WAYS: [&str; 4] = ["plain", "login", "cram-md5", "scram-sha-256"];
    let dovecot = Dovecot::start(None);
    let doors = WAYS.map(|way| format!("{STARTTLS} -o smtpd_sasl_mechanism_filter={way}"));
    let postfix = Postfix::start_with(&dovecot.sasl(), &doors.each_ref().map(String::as_str));
    let login = format!("auth_username: {USER}, auth_password: {PASSWORD}, auth_secret: {PASSWORD}");
    let emails = (0..WAYS.len()).map(|door| email(&postfix, door, &login)).collect::<Vec<_>>().join(", ");
    let right = router(postfix.address(), &emails);
    post(&right, &[alert("Fire", &[])]);
    postfix.wait_for(WAYS.len());
    for way in WAYS {
        let used = format!("sasl_method={}, sasl_username={USER}", way.to_uppercase());
        assert_eq!(postfix.wait_logged(&used, 1).len(), 1, "{}", postfix.log());
    }
    for door in 0..WAYS.len() {
        let wrong = router(postfix.address(), &email(&postfix, door, &login.replace(PASSWORD, "wrong")));
        post(&wrong, &[alert("Fire", &[])]);
        wait_until_it_has_failed(&wrong);
    }
    assert_eq!(postfix.count(), WAYS.len());
}

#[test]
fn f2_15_the_operator_says_which_way_of_logging_in_comes_first() {
    let dovecot = Dovecot::start(None);
    let postfix = Postfix::start_with(&dovecot.sasl(), &[STARTTLS]);
    let login = format!("auth_username: {USER}, auth_password: {PASSWORD}, auth_secret: {PASSWORD}");
    let orders = ["", ", auth_mechanisms: [login, plain]", ", auth_mechanisms: [xoauth2, cram-md5]"];
    let routers = orders.map(|order| router(postfix.address(), &email(&postfix, 0, &format!("{login}{order}"))));
    routers.iter().for_each(|router| post(router, &[alert("Fire", &[])]));
    postfix.wait_for(orders.len());
    for way in ["SCRAM-SHA-256", "LOGIN", "CRAM-MD5"] {
        assert_eq!(postfix.wait_logged(&format!("sasl_method={way},"), 1).len(), 1, "{}", postfix.log());
    }
}

#[test]
fn f2_15_a_password_that_changes_in_its_file_is_used() {
    let dovecot = Dovecot::start(None);
    let postfix = Postfix::start_with(&dovecot.sasl(), &[STARTTLS]);
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let file = dir.path().join("password");
    let write = |password: &str| fs::write(&file, format!("{password}\n")).expect("a password can be written");
    write(PASSWORD);
    let login = format!("auth_username: {USER}, auth_password_file: '{}'", file.display());
    let router = router(postfix.address(), &email(&postfix, 0, &login));
    post(&router, &[alert("Before", &[])]);
    postfix.wait_for(1);
    dovecot.change_password("battery staple");
    write("battery staple");
    post(&router, &[alert("After", &[])]);
    assert!(postfix.wait_for(2)[1].subject().contains("After"));
    assert_eq!(postfix.wait_logged("sasl_method=", 2).len(), 2, "{}", postfix.log());
    assert_eq!(postfix.logged("]: connect from").len(), 2, "the changed password was not used");
}

#[test]
fn f2_15_tokens_are_fetched_and_renewed() {
    for way in ["xoauth2", "oauthbearer"] {
        let tokens = Tokens::start();
        let dovecot = Dovecot::start(Some(tokens.address));
        // A session ends by itself, so that the next mail has to log in again.
        let door = format!("{STARTTLS} -o smtpd_sasl_mechanism_filter={way} -o smtpd_timeout=5s");
        let postfix = Postfix::start_with(&dovecot.sasl(), &[&door]);
        let oauth2 = format!("{{client_id: id, client_secret: secret, token_url: 'http://{}/token'}}", tokens.address);
        let login = format!("auth_username: {USER}, auth_oauth2: {oauth2}, auth_mechanisms: [xoauth2, oauthbearer]");
        let router = router(postfix.address(), &email(&postfix, 0, &login));
        post(&router, &[alert("First", &[])]);
        postfix.wait_for(1);
        let used = format!("sasl_method={}", way.to_uppercase());
        assert_eq!(postfix.wait_logged(&used, 1).len(), 1, "{}", postfix.log());
        assert_eq!(tokens.handed_out(), 1);
        postfix.wait_logged("disconnect from", 1);
        post(&router, &[alert("Second", &[])]);
        postfix.wait_for(2);
        assert_eq!(tokens.handed_out(), 1, "a token that is good was not used again");
        tokens.revoke();
        postfix.wait_logged("disconnect from", 2);
        post(&router, &[alert("Third", &[])]);
        assert!(postfix.wait_for(3)[2].subject().contains("Third"));
        assert_eq!(tokens.handed_out(), 2);
    }
}

/// An integration that speaks TLS with a door and logs in.
fn email(postfix: &Postfix, door: usize, login: &str) -> String {
    let server = postfix.door(door);
    format!("{{to: ops@example.org, smarthost: '{server}', require_tls: true, {login}, {}}}", trusting("ca.pem"))
}

/// Trusts this authority, and expects the name in the server's certificate.
fn trusting(authority: &str) -> String {
    format!("tls_config: {{ca_file: '{}', server_name: receiver.example}}", fixture(authority))
}

fn fixture(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name).display().to_string()
}

fn failures(router: &Server) -> f64 {
    metric(router, r#"alertmanager_notification_requests_failed_total{integration="email"}"#)
}

fn wait_until_it_has_failed(router: &Server) {
    eventually_within(PATIENCE, "an attempt has failed", || (failures(router) > 0.0).then_some(()));
}
