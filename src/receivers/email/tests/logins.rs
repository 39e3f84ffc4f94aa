//! Logging in.

use watchbell_engine::notification::FailureKind;

use super::super::super::tests::WebServer;
use super::*;

const PASSWORD: &str = "to: b@example.org, auth_username: u, auth_password: pw";

#[tokio::test]
async fn the_most_wanted_way_that_is_offered_is_taken() {
    let answers = &[
        ("EHLO", "250-me\r\n250 AUTH CRAM-MD5 LOGIN PLAIN"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ("dQ==", "334 UGFzc3dvcmQ6"),
        ("cHc=", "235 ok"),
        ("AUTH PLAIN", "235 ok"),
        ("AUTH CRAM-MD5", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"),
    ];
    let mut server = MailServer::start(answers).await;
    server.send(PASSWORD).await.unwrap();
    assert_eq!(server.conversation().await[1], "AUTH PLAIN AHUAcHc=");
    server.send(&format!("{PASSWORD}, auth_mechanisms: [login, plain]")).await.unwrap();
    assert_eq!(server.conversation().await[1..4], ["AUTH LOGIN", "dQ==", "cHc="]);
    server.send("to: b@example.org, auth_username: tim, auth_secret: tanstaaftanstaaf").await.unwrap();
    let answer = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"; // RFC 2195
    assert_eq!(server.conversation().await[1..3], ["AUTH CRAM-MD5", answer]);
    let failure = server.send("to: b@example.org, auth_username: u").await.unwrap_err();
    assert!(failure.retry && failure.text.contains("find auth mechanism"), "{failure:?}");
}

#[tokio::test]
async fn plain_names_whom_we_act_for_and_a_refusal_is_tried_again_slowly() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "535 no")]).await;
    let failure = server.send(&format!("{PASSWORD}, auth_identity: id")).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (FailureKind::AuthError, true));
    assert_eq!(failure.retry_after.map(|pause| pause.as_secs()), Some(60));
    // The same password by LOGIN would be refused as well.
    assert_eq!(server.conversation().await[1..], ["AUTH PLAIN aWQAdQBwdw=="]);
}

#[tokio::test]
async fn a_refused_proof_gives_way_to_the_next_one() {
    let answers = &[
        ("EHLO", "250-me\r\n250 AUTH PLAIN SCRAM-SHA-256"),
        ("AUTH SCRAM", "535 5.7.8 no such proof is kept of you"),
        ("AUTH PLAIN", "235 ok"),
    ];
    let mut server = MailServer::start(answers).await;
    server.send(PASSWORD).await.unwrap();
    let said = server.conversation().await;
    assert!(said[1].starts_with("AUTH SCRAM-SHA-256 ") && said[2] == "AUTH PLAIN AHUAcHc=", "{said:?}");
}

#[tokio::test]
async fn a_password_is_not_shown_where_others_can_listen() {
    let mut server = MailServer::start_at("127.0.0.2", &[("EHLO", "250-me\r\n250 AUTH PLAIN")]).await;
    let failure = server.send(PASSWORD).await.unwrap_err();
    assert_eq!((failure.retry, failure.text.as_str()), (false, "AUTH PLAIN: the connection is not encrypted"));
    assert_eq!(server.conversation().await, ["EHLO localhost"]);
}

#[tokio::test]
async fn a_server_that_does_not_ask_is_told_nothing() {
    let mut server = MailServer::start(&[]).await;
    server.send(PASSWORD).await.unwrap();
    assert_eq!(server.conversation().await[1], "MAIL FROM:<am@example.org>");
}

#[tokio::test]
async fn a_refused_token_gives_way_to_a_new_one() {
    let token = |text: &str| format!("200 OK\r\n\r\n{{\"access_token\": \"{text}\", \"expires_in\": 3600}}");
    let tokens = WebServer::start(&[&token("old"), &token("new")]).await;
    let mut server = MailServer::start(&[
        ("EHLO", "250-me\r\n250 AUTH XOAUTH2"),
        // user=u, auth=Bearer old
        ("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIG9sZAEB", "334 eyJzdGF0dXMiOiI0MDEifQ=="),
        ("AUTH XOAUTH2", "235 ok"),
        ("MAIL", "250 ok"),
        ("RCPT", "250 ok"),
        ("DATA", "354 go on"),
        (".", "250 ok"),
        ("", "535 5.7.8 expired"),
    ])
    .await;
    let oauth2 = format!("{{client_id: c, client_secret: s, token_url: 'http://127.0.0.1:{}'}}", tokens.port);
    server.send(&format!("to: b@example.org, auth_username: u, auth_oauth2: {oauth2}")).await.unwrap();
    let said = server.conversation().await;
    assert_eq!(said[2], "", "the challenge is answered");
    assert_eq!(said[3], "AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIG5ldwEB");
}
