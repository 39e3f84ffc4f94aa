//! Stand-ins for the servers that receivers speak to, a notification to tell them, and what holds for all kinds.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use watchbell_engine::alert::Alert;
use watchbell_engine::label::Labels;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::notification::{NotifiedAlert, Reason};
use watchbell_engine::time::UtcOffset;

use super::*;

/// How long a test waits for what must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// 2026-01-02T03:04:05Z.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

pub(super) fn surroundings() -> Surroundings {
    Surroundings {
        external_url: "http://am:9093".to_owned(),
        cluster_label: String::new(),
        version: "1.2.3".to_owned(),
        now: || NOW,
        fallbacks: Arc::default(),
        gitlab: Arc::default(),
        route_labels: RouteLabels::parse([&route_labels()], &templates()),
        irc: IrcNetworks::default(),
        peer_name: "here".to_owned(),
        cluster_secret: None,
        mailroom: Mailroom::default(),
    }
}

fn route_labels() -> Labels {
    Labels::from_iter([("team", "a")])
}

pub(super) fn templates() -> Templates {
    Templates::parse(&[]).unwrap()
}

/// An alert of `instance` that fires, or not.
pub(super) fn alert(instance: &str, firing: bool) -> NotifiedAlert {
    let alert = Alert {
        labels: Labels::from_iter([("alertname", "Disk<full>"), ("instance", instance)]),
        annotations: Labels::from_iter([("summary", "it is\nfull")]),
        starts_at: Timestamp::from_micros(NOW.as_micros() + 120_000),
        starts_offset: UtcOffset(120),
        ends_at: Timestamp::from_secs(NOW.as_secs() + 60),
        ends_offset: UtcOffset(0),
        updated_at: NOW,
        generator_url: "http://prom/g?a=1&b=2".into(),
        timeout: false,
    };
    NotifiedAlert { alert: Arc::new(alert), firing }
}

/// A notification to the first integration of `kind` of receiver `team.a`.
pub(super) fn notification(kind: &str, alerts: Vec<NotifiedAlert>) -> Notification {
    Notification {
        key: NflogKey {
            group_key: "{}:{alertname=\"Disk<full>\"}".into(),
            receiver: "team.a".into(),
            integration: kind.into(),
            index: 0,
        },
        group_labels: Labels::from_iter([("alertname", "Disk<full>")]),
        route_labels: route_labels(),
        reason: Reason::FirstNotification,
        alerts,
        previous: None,
        flushed_at: NOW,
    }
}

/// The integrations of receiver `team.a`, as YAML has them.
pub(super) fn integrations(yaml: &str, surroundings: &Surroundings) -> Result<Integrations, ReceiverError> {
    let receiver = serde_saphyr::from_str(&format!("name: team.a\n{yaml}")).unwrap();
    Integrations::build(&[receiver], &templates(), surroundings)
}

/// A web server that hands out one answer to each request, the last one again and again.
pub(super) struct WebServer {
    pub(super) port: u16,
    requests: mpsc::UnboundedReceiver<String>,
}

impl WebServer {
    /// `answers` begin with the status code; what else they say comes between status line and end.
    pub(super) async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::unbounded_channel();
        let answers: Vec<String> = answers.iter().map(|answer| format!("HTTP/1.1 {answer}")).collect();
        tokio::spawn(async move {
            let mut answers = answers.iter().peekable();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if let Some(request) = read_request(&mut stream).await {
                    sender.send(request).ok();
                    let answer = answers.peek().unwrap();
                    stream.write_all(answer.as_bytes()).await.ok();
                    if answers.len() > 1 {
                        answers.next();
                    }
                }
            }
        });
        Self { port, requests }
    }

    /// The next request that came, head and body.
    pub(super) async fn request(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.requests.recv()).await.expect("a request comes").unwrap()
    }

    /// How many requests came that nobody asked for yet.
    pub(super) fn pending(&self) -> usize {
        self.requests.len()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
}

/// Where the key or certificate `name` is.
pub(super) fn fixture(name: &str) -> String {
    format!("{}/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// How a server with the certificate `name` speaks TLS; it may demand a certificate of the client's.
pub(super) fn tls_settings(name: &str, demands: bool) -> Arc<ServerConfig> {
    let certificates = |name: &str| CertificateDer::pem_file_iter(fixture(name)).unwrap().map(Result::unwrap);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates("ca.pem"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = if demands { builder.with_client_cert_verifier(verifier) } else { builder.with_no_client_auth() };
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    Arc::new(builder.with_single_cert(certificates(name).collect(), key).unwrap())
}

#[tokio::test]
async fn an_integration_that_is_gone_is_a_failure_for_good() {
    let integrations = integrations("terminal_configs: [{}]", &surroundings()).unwrap();
    let failure = integrations.send(&notification("webhook", vec![alert("a", true)])).await.unwrap_err();
    assert!(!failure.retry);
}

#[tokio::test]
async fn an_integration_keeps_what_it_told_under_its_identity() {
    let integrations = integrations("terminal_configs: [{}]", &surroundings()).unwrap();
    let told = notification("terminal", vec![alert("a", true)]);
    let kept = ReceiverDatum::Text(identity::identity(&told));
    assert_eq!(integrations.send(&told).await, Ok(ReceiverData::from([("identity".into(), kept)])));
}

#[test]
fn what_cannot_be_honoured_is_refused_with_its_place() {
    let refused = |yaml| integrations(yaml, &surroundings()).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        refused("webhook_configs: [{url: http://a}, {url: http://a, http_config: {tls_config: {ca_ref: x}}}]"),
        "receiver \"team.a\", webhook_configs[1]: tls_config: there is no secret store for ca_ref, cert_ref or key_ref"
    );
    assert!(
        refused("webhook_configs: [{url: 'http://a/{{'}]")
            .starts_with("receiver \"team.a\", webhook_configs[0]: url: ")
    );
    assert!(
        refused("webhook_configs: [{url: http://a, http_config: {proxy_url: 'ftp://x'}}]").contains("proxy scheme")
    );
    assert!(refused("email_configs: [{to: a@b.example, smarthost: 'x:imap'}]").contains("unknown port"));
}
