use std::io::{BufRead, Write};
use std::thread::{self, JoinHandle};

use rustls::{ServerConnection, StreamOwned};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use watchbell_engine::notification::FailureKind;

use super::super::tests::{
    NOW, PATIENCE, alert, fixture, integrations, notification, surroundings, templates, tls_settings,
};
use super::*;

/// A mail server that takes everything, except where `answers` has another answer to a line with that beginning.
struct MailServer {
    port: u16,
    conversations: mpsc::UnboundedReceiver<Vec<String>>,
}

type Answers = &'static [(&'static str, &'static str)];

impl MailServer {
    async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, conversations) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                sender.send(converse(stream, answers).await).ok();
            }
        });
        Self { port, conversations }
    }

    /// What the next client said.
    async fn conversation(&mut self) -> Vec<String> {
        tokio::time::timeout(PATIENCE, self.conversations.recv()).await.expect("a client comes").unwrap()
    }

    async fn send(&self, yaml: &str) -> Result<(), Failure> {
        let smarthost = format!("smarthost: '127.0.0.1:{}'", self.port);
        let yaml = format!("email_configs:\n- {{{smarthost}, from: 'Wächter <am@example.org>', {yaml}}}");
        let integrations = integrations(&yaml, &surroundings()).unwrap();
        integrations.send(&notification("email", vec![alert("a", true)])).await.map(drop)
    }
}

/// Answers line by line until the client leaves; the lines of a mail are one entry.
async fn converse(stream: TcpStream, answers: Answers) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut said: Vec<String> = Vec::new();
    stream.write_all(b"220 hello\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|count| count > 0) {
        if said.last().is_some_and(|last| last == "DATA") && !line.ends_with("\r\n.\r\n") {
            continue;
        }
        let text = std::mem::take(&mut line).trim_end().to_owned();
        let known = answers.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, answer)| *answer);
        let answer = known.unwrap_or(match text.as_str() {
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        });
        said.push(text);
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
    said
}

#[tokio::test]
async fn a_mail_has_both_parts_and_its_headers() {
    let mut server = MailServer::start(&[]).await;
    let yaml = "to: 'b@example.org, \"C, D\" <c@example.org>', require_tls: false, \
                html: '<b>Ü</b>', text: 'plain', headers: {subject: 'Größe', x-team: \"a\\nb\", reply-to: 'Ä <r@example.org>', from: nobody}";
    server.send(yaml).await.unwrap();
    let said = server.conversation().await;
    assert_eq!(
        said[..5],
        ["EHLO localhost", "MAIL FROM:<am@example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>", "DATA"]
    );
    let mail = &said[5];
    for expected in [
        "From: =?utf-8?b?V8OkY2h0ZXI=?= <am@example.org>\r\n",
        "To: b@example.org, =?utf-8?b?QywgRA==?= <c@example.org>\r\n",
        "Subject: =?utf-8?b?R3LDtsOfZQ==?=\r\n",
        "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n",
        "X-Team: a b\r\n",
        "Reply-To: =?utf-8?b?w4Q=?= <r@example.org>\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nplain\r\n",
        "<b>=C3=9C</b>\r\n",
    ] {
        assert!(mail.contains(expected), "{expected} is not in\n{mail}");
    }
    assert!(mail.find("text/plain") < mail.find("text/html"));
}

#[tokio::test]
async fn a_failing_template_does_not_eat_the_mail() {
    let mut server = MailServer::start(&[]).await;
    server
        .send("to: b@example.org, require_tls: false, html: '{{ .Nope }}', headers: {Subject: '{{ .Nope }}'}")
        .await
        .unwrap();
    let mail = &server.conversation().await[4];
    assert!(mail.contains("Subject: [FIRING:1] team.a: alertname=Disk<full>\r\n"), "{mail}");
    assert!(mail.contains("instance=3Da") && mail.contains("template failed"), "{mail}");
    assert!(!mail.contains("text/html"), "{mail}");
}

#[tokio::test]
async fn a_mail_is_the_same_at_the_next_attempt_only() {
    let composer = |text: &str| {
        let yaml = format!("{{to: b@example.org, from: a@example.org, smarthost: 'h:25', text: {text}}}");
        Composer::build(&serde_saphyr::from_str(&yaml).unwrap(), &templates()).unwrap()
    };
    let id = |notification: &Notification| {
        let clock = data::template_clock(NOW);
        let data = data::data(notification, &notification.alerts, "", &super::super::RouteLabels::default(), &clock);
        let (mail, _) = composer("x").compose(notification, &data, &clock).unwrap();
        mail.headers().get_raw("Message-ID").unwrap().to_owned()
    };
    let told = notification("email", vec![alert("a", true)]);
    assert_eq!(id(&told), id(&told.clone()));
    assert!(id(&told).ends_with("@example.org>"));
    assert_ne!(id(&told), id(&notification("email", vec![alert("a", false)])));
}

#[tokio::test]
async fn without_tls_nothing_is_said_that_matters() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250 AUTH PLAIN")]).await;
    let failure = server.send("to: b@example.org, auth_username: u, auth_password: p").await.unwrap_err();
    let expected = format!(
        "'require_tls' is true (default) but \"127.0.0.1:{}\" does not advertise the STARTTLS extension",
        server.port
    );
    assert_eq!((failure.text, failure.retry), (expected, true));
    assert_eq!(server.conversation().await, ["EHLO localhost"]);
}

#[tokio::test]
async fn the_servers_first_mechanism_that_we_can_is_taken() {
    const LOGIN: Answers = &[
        ("EHLO", "250-me\r\n250 AUTH CRAM-MD5 LOGIN PLAIN"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ("dQ==", "334 UGFzc3dvcmQ6"),
        ("cHc=", "235 ok"),
        ("AUTH CRAM-MD5", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"),
    ];
    let mut server = MailServer::start(LOGIN).await;
    server.send("to: b@example.org, require_tls: false, auth_username: u, auth_password: pw").await.unwrap();
    assert_eq!(server.conversation().await[2..5], ["AUTH LOGIN", "dQ==", "cHc="]);
    server
        .send("to: b@example.org, require_tls: false, auth_username: tim, auth_secret: tanstaaftanstaaf")
        .await
        .unwrap();
    let answer = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"; // RFC 2195
    assert_eq!(server.conversation().await[2..4], ["AUTH CRAM-MD5", answer]);
    let failure = server.send("to: b@example.org, require_tls: false, auth_username: u").await.unwrap_err();
    assert!(failure.retry && failure.text.contains("find auth mechanism"), "{failure:?}");
}

#[tokio::test]
async fn plain_names_whom_we_act_for() {
    let mut server = MailServer::start(&[("EHLO", "250-me\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "535 no")]).await;
    let yaml = "to: b@example.org, require_tls: false, auth_username: u, auth_password: pw, auth_identity: id";
    let failure = server.send(yaml).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (FailureKind::AuthError, true));
    assert_eq!(server.conversation().await[2], "AUTH PLAIN aWQAdQBwdw==");
}

#[tokio::test]
async fn one_refused_recipient_does_not_silence_the_others() {
    let mut server = MailServer::start(&[("RCPT TO:<bad", "550 5.1.1 who?"), ("RCPT TO:<grey", "451 later")]).await;
    server.send("to: 'bad@example.org, good@example.org', require_tls: false").await.unwrap();
    assert_eq!(server.conversation().await.last().unwrap(), "QUIT");
    let failure = server.send("to: bad@example.org, require_tls: false").await.unwrap_err();
    assert!(!failure.retry && failure.text.contains("550"), "{failure:?}");
    server.conversation().await;
    let failure = server.send("to: 'good@example.org, grey@example.org', require_tls: false").await.unwrap_err();
    assert!(failure.retry && failure.text.contains("451"), "{failure:?}");
    assert!(!server.conversation().await.contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn addresses_that_are_none_are_a_failure_for_good() {
    let server = MailServer::start(&[]).await;
    for to in ["root", "' , '", "a b c"] {
        let failure = server.send(&format!("to: {to}, require_tls: false")).await.unwrap_err();
        assert!(!failure.retry && failure.text.contains("'to'"), "{failure:?}");
    }
}

/// Serves one client with TLS, from the start or after STARTTLS; gives what was said under TLS.
fn tls_mail_server(implicit: bool) -> (u16, JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let (mut socket, _) = listener.accept().unwrap();
        if !implicit {
            socket.write_all(b"220 hello\r\n").unwrap();
            let mut lines = std::io::BufReader::new(socket.try_clone().unwrap()).lines();
            for (line, answer) in [("EHLO me", "250-me\r\n250 STARTTLS"), ("STARTTLS", "220 go on")] {
                assert_eq!(lines.next().unwrap().unwrap(), line);
                socket.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
            }
        }
        let connection = ServerConnection::new(tls_settings("server.pem", false)).unwrap();
        let mut stream = std::io::BufReader::new(StreamOwned::new(connection, socket));
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

/// What was said under TLS until the server's unsuitable answer to DATA, and whether there was TLS.
async fn under_tls(implicit: bool, settings: &str) -> (Vec<String>, String) {
    let (port, server) = tls_mail_server(implicit);
    let yaml = format!(
        "email_configs:\n- {{smarthost: '127.0.0.1:{port}', from: a@example.org, to: b@example.org, hello: me, text: x, \
         html: '', force_implicit_tls: {implicit}, auth_username: u, auth_password: p, tls_config: {{{settings}}}}}"
    );
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let outcome = integrations.send(&notification("email", vec![alert("a", true)])).await;
    drop(integrations);
    (server.join().unwrap(), outcome.map_or_else(|failure| failure.text, |_| "sent".to_owned()))
}

#[tokio::test]
async fn what_matters_is_said_under_tls() {
    let ca = format!("ca_file: {}", fixture("ca.pem"));
    let named = format!("{ca}, server_name: receiver.example");
    for (implicit, settings) in
        [(true, ca.as_str()), (false, &ca), (false, &named), (true, "insecure_skip_verify: true")]
    {
        let (said, outcome) = under_tls(implicit, settings).await;
        assert!(said.contains(&"AUTH PLAIN AHUAcA==".to_owned()), "{said:?} {outcome}");
    }
    let wrong = format!("{ca}, server_name: other.example");
    for (implicit, settings) in [(true, ""), (false, ""), (false, wrong.as_str())] {
        let (said, outcome) = under_tls(implicit, settings).await;
        assert!(said.is_empty() && outcome != "sent", "{said:?} {outcome}");
    }
}

#[tokio::test]
async fn a_mail_says_by_default_what_alertmanagers_says() {
    let mut server = MailServer::start(&[]).await;
    server.send("to: b@example.org, require_tls: false").await.unwrap();
    let mail = &server.conversation().await[4];
    assert!(mail.contains("Subject: [FIRING:1] Disk<full> (a)\r\n"), "{mail}");
    assert!(mail.contains("text/html") && mail.contains("Disk&lt;full&gt;"), "{mail}");
    assert!(mail.contains("text/plain") && mail.contains("alertname =3D Disk<full>"), "{mail}");
}
