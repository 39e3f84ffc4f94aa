//! TLS before SMTP, after STARTTLS, or not.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};

use rustls::{ServerConnection, StreamOwned};

use super::super::super::tests::{fixture, tls_settings};
use super::*;

/// Serves one client with TLS, from the start or after STARTTLS, to which it answers with `answer`; gives what was said
/// under TLS.
fn tls_mail_server(implicit: bool, answer: &'static str) -> (u16, JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let (mut socket, _) = listener.accept().unwrap();
        if !implicit && !before_tls(&mut socket, answer) {
            return Vec::new();
        }
        let connection = ServerConnection::new(tls_settings("server.pem", false)).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, socket));
        if implicit {
            stream.get_mut().write_all(b"220 hello\r\n").ok();
        }
        let (mut said, mut line) = (Vec::new(), String::new());
        while stream.read_line(&mut line).is_ok_and(|count| count > 0) {
            said.push(std::mem::take(&mut line).trim_end().to_owned());
            stream.get_mut().write_all(b"250-me\r\n250 AUTH PLAIN\r\n").ok();
        }
        said
    };
    (port, thread::spawn(serve))
}

fn before_tls(socket: &mut TcpStream, answer: &str) -> bool {
    socket.write_all(b"220 hello\r\n").unwrap();
    let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
    [("EHLO me", "250-me\r\n250 STARTTLS"), ("STARTTLS", answer)].into_iter().all(|(line, answer)| {
        assert_eq!(lines.next().unwrap().unwrap(), line);
        socket.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
        !answer.starts_with('4')
    })
}

/// What was said under TLS until the server's unsuitable answer to DATA, and what became of the mail.
async fn under_tls(implicit: bool, settings: &str, answer: &'static str) -> (Vec<String>, String) {
    let (port, server) = tls_mail_server(implicit, answer);
    let yaml = format!(
        "email_configs:\n- {{smarthost: '127.0.0.1:{port}', from: a@example.org, to: b@example.org, hello: me, text: x, \
         html: '', auth_username: u, auth_password: p, {settings}}}"
    );
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let outcome = integrations.send(&told()).await;
    drop(integrations);
    (server.join().unwrap(), outcome.map_or_else(|failure| failure.text, |_| "sent".to_owned()))
}

fn authority() -> String {
    format!("ca_file: {}", fixture("ca.pem"))
}

#[tokio::test]
async fn what_matters_is_said_under_tls() {
    let (ca, named) = (authority(), format!("{}, server_name: receiver.example", authority()));
    for (implicit, settings) in [
        (true, format!("force_implicit_tls: true, tls_config: {{{ca}}}")),
        (true, format!("tls_mode: implicit, tls_config: {{{ca}}}")),
        (false, format!("tls_config: {{{ca}}}")),
        (false, format!("tls_mode: starttls, require_tls: false, tls_config: {{{named}}}")),
        (false, format!("tls_config: {{{ca}, max_version: TLS12}}")),
        (true, "tls_mode: implicit, tls_config: {insecure_skip_verify: true}".to_owned()),
        (false, "tls_mode: opportunistic".to_owned()),
    ] {
        let (said, outcome) = under_tls(implicit, &settings, "220 go on").await;
        assert!(said.contains(&"AUTH PLAIN AHUAcA==".to_owned()), "{settings}: {said:?} {outcome}");
    }
}

#[tokio::test]
async fn a_wrong_certificate_or_a_refused_starttls_is_a_failure() {
    let wrong = format!("{}, server_name: other.example", authority());
    for (implicit, settings, answer) in [
        (true, "tls_mode: implicit".to_owned(), "220 go on"),
        (false, "tls_mode: starttls".to_owned(), "220 go on"),
        (false, format!("tls_config: {{{wrong}}}"), "220 go on"),
        (false, format!("tls_config: {{{}}}", authority()), "454 4.7.0 no TLS today"),
    ] {
        let (said, outcome) = under_tls(implicit, &settings, answer).await;
        assert!(said.is_empty() && outcome != "sent", "{settings}: {said:?} {outcome}");
    }
}

#[tokio::test]
async fn what_is_slipped_in_before_tls_counts_for_nothing() {
    let slipped = "220 go on\r\n250-me\r\n250 AUTH LOGIN\r\n250 ok";
    let (said, _) = under_tls(false, &format!("tls_config: {{{}}}", authority()), slipped).await;
    assert_eq!(said[..2], ["EHLO me", "AUTH PLAIN AHUAcA=="]);
}

#[tokio::test]
async fn without_tls_nothing_is_said_that_matters() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250 AUTH PLAIN")]).await;
    let yaml = |mode: &str| {
        let to = "to: b@example.org, auth_username: u, auth_password: p";
        format!("email_configs: [{{smarthost: '127.0.0.1:{}', from: a@example.org, {mode}, {to}}}]", server.port)
    };
    for mode in ["require_tls: true", "tls_mode: starttls, require_tls: false"] {
        let failure = integrations(&yaml(mode), &server.surroundings).unwrap().send(&told()).await.unwrap_err();
        let expected = format!(
            "'require_tls' is true (default) but \"127.0.0.1:{}\" does not advertise the STARTTLS extension",
            server.port
        );
        assert_eq!((failure.text, failure.retry), (expected, true));
    }
    integrations(&yaml("tls_mode: opportunistic"), &server.surroundings).unwrap().send(&told()).await.unwrap();
    let said = [server.conversation().await, server.conversation().await, server.conversation().await];
    assert_eq!(said[0], ["EHLO localhost"]);
    assert_eq!(said[1], ["EHLO localhost"]);
    assert_eq!(said[2][1], "AUTH PLAIN AHUAcA==");
}
