//! A stand-in for a mail server that answers as it is told and remembers what was said to it.

mod connections;
mod logins;
mod mails;
mod recipients;
mod tls;

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};

use super::super::tests::{PATIENCE, alert, integrations, notification, surroundings};
use super::super::{Integrations, Surroundings};

/// A mail server that takes everything, except where it has another answer to a line with that beginning.
pub(super) struct MailServer {
    host: &'static str,
    port: u16,
    answers: Answers,
    conversations: mpsc::UnboundedReceiver<Vec<String>>,
    surroundings: Surroundings,
}

type Answers = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

impl MailServer {
    pub(super) async fn start(answers: &[(&'static str, &'static str)]) -> Self {
        Self::start_at("127.0.0.1", answers).await
    }

    async fn start_at(host: &'static str, answers: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, conversations) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let known = Arc::clone(&answers);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (sender, known) = (sender.clone(), Arc::clone(&known));
                tokio::spawn(async move { sender.send(converse(stream, known).await).ok() });
            }
        });
        Self { host, port, answers, conversations, surroundings: surroundings() }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The values of the metric `watchbell_email_…`.
    fn figure(&self, name: &str) -> Vec<u64> {
        let figures = self.surroundings.mailroom.figures();
        let figure = figures.iter().find(|figure| figure.name.trim_start_matches("watchbell_email_") == name).unwrap();
        figure.series.iter().map(|(_, value)| *value as u64).collect()
    }

    /// Connections that are there now, and that were ever made.
    fn connections(&self) -> [u64; 2] {
        ["connections", "connections_opened_total"].map(|name| self.figure(name)[0])
    }

    /// Answers otherwise from now on.
    fn answer(&self, answers: &[(&'static str, &'static str)]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    /// What the next client said that left.
    pub(super) async fn conversation(&mut self) -> Vec<String> {
        tokio::time::timeout(PATIENCE, self.conversations.recv()).await.expect("a client comes").unwrap()
    }

    /// Integrations that speak to this server in the clear.
    fn integrations(&self, yaml: &str) -> Integrations {
        let smarthost = format!("smarthost: '{}:{}'", self.host, self.port);
        let yaml =
            format!("email_configs:\n- {{{smarthost}, from: 'Wächter <am@example.org>', tls_mode: none, {yaml}}}");
        integrations(&yaml, &self.surroundings).unwrap()
    }

    /// Sends one mail over a connection of its own.
    async fn send(&self, yaml: &str) -> Result<ReceiverData, Failure> {
        self.integrations(yaml).send(&told()).await
    }

    /// The mail that comes of these settings, with its long lines whole.
    async fn mail(&mut self, yaml: &str) -> String {
        self.send(yaml).await.unwrap();
        self.conversation().await.pop().expect("a mail is said last").replace("=\r\n", "")
    }
}

fn told() -> Notification {
    notification("email", vec![alert("a", true)])
}

/// Answers line by line until the client leaves; the lines of a mail are one entry.
async fn converse(stream: TcpStream, answers: Answers) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut said: Vec<String> = Vec::new();
    stream.write_all(b"220 hello\r\n").await.unwrap();
    let mut line = String::new();
    let mut is_mail = false;
    while stream.read_line(&mut line).await.is_ok_and(|count| count > 0) {
        if is_mail && !line.ends_with("\r\n.\r\n") {
            continue;
        }
        let text = std::mem::take(&mut line).trim_end().to_owned();
        let beginning = if is_mail { "." } else { text.as_str() };
        let known =
            answers.lock().unwrap().iter().find(|(known, _)| beginning.starts_with(known)).map(|(_, answer)| *answer);
        let answer = known.unwrap_or(match text.as_str() {
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        });
        said.push(text);
        is_mail = answer.starts_with("354");
        if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    said
}
