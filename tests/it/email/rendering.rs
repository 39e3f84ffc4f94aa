//! What a mail says: all of it or nothing, the same as text and as HTML, within a size that mail programs show.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::postfix::Postfix;
use super::reader::Mail;
use super::{PATIENCE, STARTED, alert, config, metric, post, router, told};
use crate::harness::process::cannot_start;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

#[test]
fn f2_01_a_template_that_fails_sends_nothing_half_made() {
    let failing = "{to: html@example.org, html: 'begun {{ .Nope }}'}, \
                   {to: text@example.org, text: 'begun {{ .Nope }}'}, \
                   {to: subject@example.org, headers: {Subject: 'begun {{ .Nope }}'}}, \
                   {to: header@example.org, headers: {X-Own: 'begun {{ .Nope }}'}}, \
                   {to: 'begun{{ .Nope }}@example.org'}, \
                   {to: sender@example.org, from: '{{ .Nope }}@example.org'}";
    let postfix = Postfix::start();
    let router = router(postfix.address(), failing);
    post(&router, &[alert("Fire", &[("instance", "host-a")])]);
    // Those whose addresses fail are told to nobody.
    let failed = r#"alertmanager_notifications_failed_total{integration="email",reason="other"}"#;
    eventually_within(PATIENCE, "two have failed", || (metric(&router, failed) >= 2.0).then_some(()));
    for mail in postfix.wait_for(4) {
        let (recipient, text) = (mail.recipient(), mail.text());
        assert_eq!(mail.defects(), [""; 0], "{recipient}");
        assert!(text.contains("Fire") && text.contains("host-a"), "{recipient}: {text}");
        assert!(text.contains("Nope"), "{recipient} is not told that a template is wrong: {text}");
        assert!(!mail.original().contains("begun"), "{}", mail.original());
    }
    drop(router);
    assert_eq!(postfix.settled().len(), 4);
}

#[test]
fn f2_12_text_and_html_tell_of_the_same_alerts() {
    let postfix = Postfix::start();
    let router = router(
        postfix.address(),
        "{to: ops@example.org, send_resolved: true}, {to: few@example.org, send_resolved: true, max_alerts_html: 3}",
    );
    post(&router, &hosts(0..9, None));
    let first = postfix.wait_for(2);
    post(&router, &hosts(0..3, Some("2026-01-02T04:04:05Z")));
    let all = postfix.wait_for(4);
    for mail in first.iter().chain(&all) {
        let (text, html) = (listed(&mail.text()), listed(&mail.html()));
        assert_eq!(text, html);
        let expected = if mail.recipient().starts_with("few") { 3 } else { 9 };
        assert_eq!(text.len(), expected, "{}", mail.text());
    }
}

#[test]
fn f2_13_every_header_is_there_once() {
    let postfix = Postfix::start();
    let mail = told(&postfix, "{to: ops@example.org, list_id: 'Team alerts <team.alerts.example.org>'}", 1).remove(0);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("X-Auto-Response-Suppress"), "All");
    assert_eq!(mail.header("List-Id"), "Team alerts <team.alerts.example.org>");
    assert_eq!(mail.header("MIME-Version"), "1.0");
    let age = now() - mail.date().expect("a date");
    assert!((-60..600).contains(&age), "the mail is {age} s old");
    assert_each_once(&mail);
}

#[test]
fn f2_13_an_operators_header_takes_the_place_of_ours() {
    let own = "{to: ops@example.org, auto_submitted: true, headers: {subject: own, \
               DATE: 'Fri, 02 Jan 2026 03:04:05 +0000', message-id: '<own@example.org>', auto-submitted: 'no', \
               List-ID: '<own.example.org>', mime-version: '1.0', to: 'Somebody <else@example.org>', \
               reply-to: back@example.org, x-auto-response-suppress: OOF}}, \
               {to: ops@example.org, auto_submitted: false}";
    let postfix = Postfix::start();
    let mut mails = told(&postfix, own, 2);
    mails.sort_by_key(|mail| mail.subject() != "own");
    for (name, value) in [
        ("Date", "Fri, 02 Jan 2026 03:04:05 +0000"),
        ("Message-ID", "<own@example.org>"),
        ("Auto-Submitted", "no"),
        ("List-ID", "<own.example.org>"),
        ("To", "Somebody <else@example.org>"),
        ("X-Auto-Response-Suppress", "OOF"),
    ] {
        assert_eq!(mails[0].header(name), value);
    }
    assert_eq!(mails[1].headers("Auto-Submitted").len() + mails[1].headers("X-Auto-Response-Suppress").len(), 0);
    mails.iter().for_each(assert_each_once);
}

/// No header twice, whatever its spelling, and all that a mail must have.
fn assert_each_once(mail: &Mail) {
    let mut names: Vec<_> = mail.header_names().iter().map(|name| name.to_ascii_lowercase()).collect();
    for name in ["from", "to", "subject", "date", "message-id", "mime-version", "content-type"] {
        assert!(names.iter().any(|given| given == name), "no {name}: {names:?}");
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{}", mail.original());
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is not that late")
}

#[test]
fn f2_17_a_large_group_is_told_in_a_mail_of_bounded_size() {
    const ALERTS: usize = 500;
    const LIMIT: usize = 30_000;
    let postfix = Postfix::start();
    let email = "{to: usual@example.org}, {to: more@example.org, max_alerts_html: 400}, \
                 {to: small@example.org, max_alerts_html: 0, max_size: 30kB}";
    let router = Server::start(Program::Watchbell, &config(postfix.address(), email));
    post(&router, &hosts(0..ALERTS, None));
    for mail in postfix.wait_for(3) {
        let (html, text) = (mail.html(), mail.text());
        let shown = listed(&html).len();
        assert_eq!(shown, listed(&text).len());
        let limit = if mail.recipient().starts_with("small") { LIMIT } else { 90_000 };
        assert!(html.len() <= limit && text.len() <= limit, "{} and {} bytes", html.len(), text.len());
        assert!(shown > 0 && shown < ALERTS, "{shown} are shown");
        let hidden = (ALERTS - shown).to_string();
        assert!(
            html.contains(&hidden) && text.contains(&hidden),
            "{hidden} are left out and it does not say so:\n{text}"
        );
        assert!(html.contains("name=\"color-scheme\"") && html.contains("light dark"), "{html}");
        assert_eq!(tidy(&html), "", "{html}");
    }
}

#[test]
fn f2_17_the_usual_mail_is_valid_html_too() {
    let postfix = Postfix::start();
    let router = router(postfix.address(), "{to: ops@example.org, send_resolved: true}");
    post(&router, &hosts(0..3, None));
    postfix.wait_for(1);
    post(&router, &hosts(0..1, Some("2026-01-02T04:04:05Z")));
    for mail in postfix.wait_for(2) {
        assert_eq!(tidy(&mail.html()), "", "{}", mail.html());
    }
}

/// Alerts of a group, with what alerts usually have; over if they have an end.
fn hosts(numbers: std::ops::Range<usize>, end: Option<&str>) -> Vec<Value> {
    let host = |number: usize| {
        let mut alert = json!({
            "labels": {"alertname": "Disk", "instance": format!("host-{number:03}"), "severity": "critical", "job": "node",
                       "mountpoint": "/srv/<data> & more", "cluster": "harbour", "team": "storage"},
            "annotations": {"summary": format!("The disk is full in {number} hours"), "runbook_url": "https://example.org/disk",
                            "description": "Less than 5 % are free, and it is getting less with every hour that passes."},
            "startsAt": STARTED, "generatorURL": "http://prometheus.example.org/graph?g0.expr=disk&g0.tab=1",
        });
        end.into_iter().for_each(|end| alert["endsAt"] = json!(end));
        alert
    };
    numbers.map(host).collect()
}

/// The hosts that a text speaks of.
fn listed(text: &str) -> std::collections::BTreeSet<String> {
    text.split("host-").skip(1).filter_map(|rest| rest.get(..3)).map(str::to_owned).collect()
}

/// What tidy has to say against a page; nothing if all is well.
fn tidy(html: &str) -> String {
    let mut command = Command::new("/usr/bin/tidy");
    command.args(["-utf8", "-errors", "-quiet"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}", cannot_start(&command, "tidy", &error)));
    child.stdin.take().expect("stdin is piped").write_all(html.as_bytes()).expect("tidy reads");
    let output = child.wait_with_output().expect("tidy ends");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
