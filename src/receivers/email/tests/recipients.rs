//! What becomes of recipients.

use std::time::Duration;

use watchbell_engine::notification::FailureKind;
use watchbell_engine::time::Timestamp;

use super::super::super::tests::NOW;
use super::*;

const THREE: &str = "to: 'bad@example.org, good@example.org, grey@example.org'";

fn counts(server: &MailServer) -> [u64; 3] {
    server.figure("recipients_total").try_into().unwrap()
}

fn named(said: &[String]) -> Vec<&str> {
    let rest = said.iter().filter_map(|line| line.strip_prefix("RCPT TO:<"));
    rest.map(|rest| rest.split('@').next().unwrap()).collect()
}

#[tokio::test]
async fn one_refused_recipient_does_not_silence_the_others() {
    let mut server = MailServer::start(&[("RCPT TO:<bad", "550 5.1.1 who?")]).await;
    server.send("to: 'bad@example.org, good@example.org'").await.unwrap();
    assert_eq!(server.conversation().await[4], "DATA");
    assert_eq!(counts(&server), [1, 1, 0]);
    let failure = server.send("to: bad@example.org").await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (FailureKind::ClientError, false));
    assert_eq!(failure.text, "RCPT: 550 5.1.1 who?");
    assert!(!server.conversation().await.contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn whoever_is_settled_is_not_asked_for_again() {
    let mut server =
        MailServer::start(&[("RCPT TO:<bad", "550 5.1.1 who?"), ("RCPT TO:<grey", "451 4.7.1 later")]).await;
    let failure = server.send(THREE).await.unwrap_err();
    assert_eq!((failure.retry, failure.in_part, failure.retry_after), (true, true, Some(Duration::from_secs(60))));
    assert_eq!(failure.text, "1 of 3 recipients are told; RCPT: 451 4.7.1 later");
    assert_eq!(named(&server.conversation().await), ["bad", "good", "grey"]);
    assert_eq!(server.figure("partial_deliveries")[0], 1);

    server.answer(&[]);
    server.send(THREE).await.unwrap();
    assert_eq!(named(&server.conversation().await), ["grey"]);
    assert_eq!((counts(&server), server.figure("partial_deliveries")[0]), ([2, 1, 1], 0));
}

#[tokio::test]
async fn another_notification_is_told_to_everybody() {
    let mut server = MailServer::start(&[("RCPT TO:<grey", "451 later")]).await;
    server.send(THREE).await.unwrap_err();
    server.conversation().await;
    let other = notification("email", vec![alert("b", true)]);
    server.integrations(THREE).send(&other).await.unwrap_err();
    assert_eq!(named(&server.conversation().await), ["bad", "good", "grey"]);
}

#[tokio::test]
async fn a_recipient_is_not_waited_for_for_ever() {
    let mut server = MailServer::start(&[("RCPT TO:<grey", "451 later")]).await;
    server.send(THREE).await.unwrap_err();
    server.conversation().await;
    server.surroundings.now = || Timestamp::from_secs(NOW.as_secs() + 3600);
    server.send(THREE).await.unwrap();
    assert_eq!((named(&server.conversation().await), counts(&server)), (vec!["grey"], [2, 1, 1]));
}

#[tokio::test]
async fn a_refused_mail_is_refused_for_all_it_was_meant_for() {
    let mut server = MailServer::start(&[(".", "554 5.6.0 spam")]).await;
    let failure = server.send(THREE).await.unwrap_err();
    assert_eq!((failure.retry, failure.text.as_str()), (false, "delivery: 554 5.6.0 spam"));
    assert_eq!(counts(&server), [0, 3, 0]);
    server.conversation().await;
    for (step, answer) in
        [(".", "451 4.3.0 full"), ("DATA", "452 4.3.1 full"), ("MAIL", "450 later"), ("EHLO", "421 busy")]
    {
        server.answer(&[(step, answer)]);
        let failure = server.send(THREE).await.unwrap_err();
        assert!(failure.retry && failure.kind == FailureKind::ServerError, "{step}: {failure:?}");
        server.conversation().await;
    }
    server.answer(&[("MAIL", "550 5.7.1 not you")]);
    assert!(!server.send(THREE).await.unwrap_err().retry);
}

#[tokio::test]
async fn all_or_nothing_tells_nobody_before_all_are_taken() {
    let mut server = MailServer::start(&[("RCPT TO:<grey", "451 later")]).await;
    let yaml = format!("{THREE}, partial_delivery: all_or_nothing");
    assert!(server.send(&yaml).await.unwrap_err().retry);
    assert!(!server.conversation().await.contains(&"DATA".to_owned()));
    server.answer(&[("RCPT TO:<bad", "550 who?"), ("RCPT TO:<grey", "451 later")]);
    assert!(!server.send(&yaml).await.unwrap_err().retry);
    assert!(!server.conversation().await.contains(&"DATA".to_owned()));
    server.answer(&[]);
    server.send(&yaml).await.unwrap();
    assert_eq!(named(&server.conversation().await).len(), 3);
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_does_not_spoil_the_others() {
    let mut server = MailServer::start(&[]).await;
    server.send("to: 'root, good@example.org'").await.unwrap();
    assert_eq!((named(&server.conversation().await), counts(&server)), (vec!["good"], [1, 1, 0]));
    for to in ["root", "' , '", "a b c"] {
        let failure = server.send(&format!("to: {to}")).await.unwrap_err();
        assert!(!failure.retry && failure.text.contains("'to'"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_ascii_needs_smtputf8() {
    let mut server = MailServer::start(&[]).await;
    let yaml = "to: 'ü@example.org, good@example.org'";
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    assert_eq!((named(&said), said[1].as_str()), (vec!["good"], "MAIL FROM:<am@example.org>"));
    assert!(said[4].contains("To: good@example.org\r\n"), "{}", said[4]);
    let failure = server.send("to: ü@example.org").await.unwrap_err();
    assert!(!failure.retry && failure.text.contains("ü@example.org"), "{failure:?}");

    server.conversation().await;
    server.answer(&[("EHLO", "250-me\r\n250 SMTPUTF8")]);
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    assert_eq!((named(&said), said[1].as_str()), (vec!["ü", "good"], "MAIL FROM:<am@example.org> SMTPUTF8"));
    assert!(said[5].contains("To: ü@example.org, good@example.org\r\n"), "{}", said[5]);
    server.send("to: good@example.org").await.unwrap();
    assert_eq!(server.conversation().await[1], "MAIL FROM:<am@example.org>");
}

#[tokio::test]
async fn reports_are_asked_for_where_the_server_knows_how() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250-SIZE 1000000\r\n250 DSN")]).await;
    let yaml = "to: b@example.org, dsn: {notify: [failure, delay]}";
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    assert!(said[1].contains(" SIZE=") && said[1].contains(" RET=HDRS ENVID="), "{}", said[1]);
    assert_eq!(said[2], "RCPT TO:<b@example.org> NOTIFY=FAILURE,DELAY");
    server.answer(&[]);
    server.send(yaml).await.unwrap();
    assert_eq!(server.conversation().await[1..3], ["MAIL FROM:<am@example.org>", "RCPT TO:<b@example.org>"]);
}
