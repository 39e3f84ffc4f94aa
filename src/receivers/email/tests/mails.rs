//! What a mail says.

use proptest::prelude::*;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::NotifiedAlert;

use super::super::super::data;
use super::super::super::tests::{NOW, alert, notification, templates};
use super::super::message::Composer;
use super::*;

#[tokio::test]
async fn a_mail_has_both_parts_and_its_headers() {
    let mut server = MailServer::start(&[]).await;
    let yaml = "to: 'b@example.org, \"C, D\" <c@example.org>', html: '<b>Ü</b>', text: \"plain\\rtext\", \
                headers: {subject: 'Größe', x-team: \"a\\nb\", reply-to: 'Ä <r@example.org>', from: nobody, \
                mime-version: '2', content-type: text/x-odd, bcc: x@example.org}";
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    assert_eq!(
        said[1..5],
        ["MAIL FROM:<am@example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>", "DATA"]
    );
    let mail = &said[5];
    for expected in [
        "From: =?utf-8?b?V8OkY2h0ZXI=?= <am@example.org>\r\n",
        "To: b@example.org, \"C, D\" <c@example.org>\r\n",
        "Subject: =?utf-8?b?R3LDtsOfZQ==?=\r\n",
        "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n",
        "X-Team: a b\r\n",
        "Reply-To: =?utf-8?b?w4Q=?= <r@example.org>\r\n",
        "MIME-Version: 1.0\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nplain\r\ntext\r\n",
        "<b>=C3=9C</b>\r\n",
    ] {
        assert!(mail.contains(expected), "{expected} is not in\n{mail}");
    }
    assert!(mail.find("text/plain") < mail.find("text/html"));
    assert!(!mail.contains("x@example.org") && !mail.contains("x-odd"), "{mail}");
    assert!(mail.ends_with("--\r\n."), "the mail ends with its last line:\n{mail}");
}

#[tokio::test]
async fn by_default_there_are_alertmanagers_subject_and_two_parts_of_the_same_alerts() {
    let mut server = MailServer::start(&[]).await;
    let mail = server.mail("to: b@example.org").await;
    assert!(mail.contains("Subject: [FIRING:1] Disk<full> (a)\r\n"), "{mail}");
    assert!(mail.contains("text/html") && mail.contains("Disk&lt;full&gt;"), "{mail}");
    assert!(mail.contains("text/plain") && mail.contains("Disk<full>"), "{mail}");
}

#[tokio::test]
async fn a_failing_template_does_not_eat_the_mail() {
    let mut server = MailServer::start(&[]).await;
    let mail = server.mail("to: b@example.org, html: '{{ .Nope }}', headers: {Subject: '{{ .Nope }}'}").await;
    assert!(mail.contains("Subject: [FIRING:1] team.a: alertname=Disk<full>\r\n"), "{mail}");
    assert!(mail.contains("instance=3Da") && mail.contains("template failed"), "{mail}");
    assert!(!mail.contains("text/html"), "{mail}");
}

#[tokio::test]
async fn a_failing_template_of_an_address_or_header_costs_no_more_than_that() {
    let mut server = MailServer::start(&[]).await;
    let nope = "'{{ .Nope }}'";
    let yaml = format!(
        "to: b@example.org, cc: {nope}, bcc: {nope}, envelope_from: {nope}, list_id: {nope}, headers: {{X-Own: {nope}}}"
    );
    let mail = server.mail(&yaml).await;
    assert!(!mail.contains("List-Id") && !mail.contains("X-Own") && mail.contains("template failed"), "{mail}");
    let failure = server.send("to: '{{ .Nope }}'").await.unwrap_err();
    assert!(!failure.retry && failure.text.contains("Nope"), "{failure:?}");
}

#[tokio::test]
async fn copies_the_envelopes_sender_and_the_list_are_where_they_belong() {
    let mut server = MailServer::start(&[]).await;
    let yaml = "to: b@example.org, cc: 'Ç <c@example.org>', bcc: 'd@example.org, b@example.org', \
                envelope_from: bounce@example.org, list_id: '<{{ .Receiver }}.example.org>', auto_submitted: false, \
                message_id_domain: alerts.example";
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    let recipients = ["b", "c", "d"].map(|name| format!("RCPT TO:<{name}@example.org>"));
    assert_eq!((said[1].as_str(), &said[2..5]), ("MAIL FROM:<bounce@example.org>", &recipients[..]));
    let mail = &said[6];
    assert!(mail.contains("Cc: =?utf-8?b?w4c=?= <c@example.org>\r\n") && !mail.contains("d@example.org"), "{mail}");
    assert!(mail.contains("List-Id: <team\\.a.example.org>\r\n"), "{mail}");
    assert!(mail.contains("@alerts.example>\r\n") && !mail.contains("Auto-Submitted"), "{mail}");
}

#[tokio::test]
async fn the_log_keeps_the_thread() {
    let server = MailServer::start(&[]).await;
    let kept = server.send("to: b@example.org, threading: {enabled: true}").await.unwrap();
    assert_eq!(kept.get("thread_root"), kept.get("message_id"));
    assert!(kept.contains_key("identity") && kept.contains_key("message_id"));
    assert_eq!(server.send("to: b@example.org").await.unwrap().len(), 1);
}

/// The mail about an alert with these labels, as every server takes it.
fn composed(labels: &[(&str, &str)], settings: &str) -> String {
    let config = format!("{{to: b@example.org, from: a@example.org, smarthost: 'h:25', {settings}}}");
    let composer = Composer::build(&serde_saphyr::from_str(&config).unwrap(), &templates()).unwrap();
    let told = alert("a", true);
    let mut changed = watchbell_engine::alert::Alert::clone(&told.alert);
    changed.labels = labels.iter().copied().chain([("alertname", "A")]).collect();
    changed.annotations = labels.iter().copied().collect();
    let alerts = vec![NotifiedAlert { alert: Arc::new(changed), firing: true }];
    let told =
        Notification { group_labels: Labels::from_iter(labels.iter().copied()), ..notification("email", alerts) };
    let clock = data::template_clock(NOW);
    let data = data::data(&told, &told.alerts, "http://am", &super::super::super::RouteLabels::default(), &clock);
    let mail = composer.compose(&told, "1f".repeat(16).into(), &data, &clock).unwrap();
    String::from_utf8(mail.content(false).unwrap().to_vec()).unwrap()
}

const HEADERS: &str = "headers: {X-Label: '{{ .CommonLabels.hostile }}', Cc: '{{ .CommonLabels.hostile }}'}, \
                       list_id: '<{{ .CommonLabels.hostile }}>'";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_label_adds_a_header_or_a_part_or_makes_a_long_line(
        value in "([\r\n:. -]|--|=_1f|Bcc: x@example.org|Content-Type: text/x|\u{2028}|ü|[a-z]{1,30}|\\PC){0,60}",
        many in 1..30_usize,
    ) {
        let mail = composed(&[("hostile", &value.repeat(many))], HEADERS);
        prop_assert!(mail.is_ascii());
        prop_assert!(mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head.split("\r\n").filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap()).collect();
        let expected = [
            "Date", "From", "To", "Subject", "Message-ID", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress", "Cc",
            "X-Label", "MIME-Version", "Content-Type",
        ];
        prop_assert_eq!(names, expected);
        prop_assert_eq!(body.matches(&format!("--=_{}", "1f".repeat(16))).count(), 3);
    }
}
