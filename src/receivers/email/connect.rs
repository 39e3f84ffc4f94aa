//! From an address to a conversation with a mail server (RFC 5321): TCP, TLS before SMTP or after STARTTLS (RFC 3207),
//! and what the server offers. Every step has a time limit of ours, because the library has none.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use watchbell_engine::notification::Failure;

use super::super::ReceiverError;
use super::super::outcome::{late, permanent, transient};
use super::super::tls::{self, Pem};
use super::reply::{failed, is_answer, refused};
use super::wire::{Preface, Wire};
use crate::settings::email::{EmailConfig, TlsMode};
use crate::settings::tls::TlsConfig;
use crate::settings::url::HostPort;

/// How long a connection to one address may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a server may take for one answer. Servers that look senders up are slow, but the next attempt waits too.
const STEP_LIMIT: Duration = Duration::from_secs(30);

/// The mail server, and how a conversation with it begins.
#[derive(Clone, PartialEq)]
pub(super) struct Server {
    pub(super) address: HostPort,
    port: u16,
    hello: String,
    security: Security,
    tls: TlsConfig,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS begins before SMTP does.
    Implicit,
    /// TLS begins with STARTTLS, before anything is said that matters.
    StartTls,
    /// The same if the server offers it. It keeps those out who only listen: who could hide the offer could also show
    /// any certificate, so none is looked at (RFC 7435).
    Opportunistic,
    /// None.
    Clear,
}

/// A conversation.
pub(super) struct Line {
    pub(super) connection: AsyncSmtpConnection,
    /// Whether nobody can listen, because of TLS or because it does not leave this machine.
    pub(super) private: bool,
    pub(super) offers: Offers,
}

/// What a server said it can do (RFC 5321 4.1.1.1).
pub(super) struct Offers(Vec<String>);

impl Server {
    pub(super) fn build(config: &EmailConfig) -> Result<Self, ReceiverError> {
        let mut tls = config.tls_config.clone().unwrap_or_default();
        tls::refuse_unsupported(&tls)?;
        let port = port(&config.smarthost.port)?;
        let security = security(config, port);
        tls.insecure_skip_verify |= security == Security::Opportunistic;
        let hello = if config.hello.is_empty() { "localhost" } else { &config.hello };
        if hello.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ReceiverError::Setting(format!("hello: {hello:?} is no name for a host")));
        }
        Ok(Self { address: config.smarthost.clone(), port, hello: hello.to_owned(), security, tls })
    }

    /// Begins a conversation. What the library would say first is said already, because it says it wrongly around
    /// STARTTLS and keeps too little of the answer; so it hears that again, and its own words go nowhere.
    pub(super) async fn connect(&self) -> Result<Line, Failure> {
        let stream = self.dial().await?;
        let Beginning { wire, greeting, offers } = match self.security {
            Security::Clear => self.begin(Wire::plain(stream)).await?,
            Security::Implicit => self.begin(self.encrypt(stream).await?).await?,
            Security::StartTls | Security::Opportunistic => self.start_tls(stream).await?,
        };
        let private = wire.is_encrypted() || self.is_local();
        let (wire, hello) = (wire.after(greeting + &offers), ClientId::Domain(self.hello.clone()));
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
        let connection = within(STEP_LIMIT, "greeting", connecting).await?;
        Ok(Line { connection, private, offers: Offers::of(&offers) })
    }

    /// Whether it runs on this machine.
    fn is_local(&self) -> bool {
        matches!(self.address.host.as_str(), "localhost" | "127.0.0.1" | "::1")
    }

    /// Tries its addresses one after the other.
    async fn dial(&self) -> Result<TcpStream, Failure> {
        let place = (self.address.host.as_str(), self.port);
        let looking_up = tokio::time::timeout(CONNECT_LIMIT, tokio::net::lookup_host(place));
        let addresses = looking_up.await.map_err(|_| late(format!("cannot look {} up in time", self.address)))?;
        let addresses = addresses.map_err(|error| transient(format!("cannot look {} up: {error}", self.address)))?;
        let mut failure = transient(format!("{} has no address", self.address));
        for address in addresses {
            match tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // A mail is sent in a few large pieces and each waits for an answer; a failure only makes it slower.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => failure = transient(format!("connect to {address}: {error}")),
                Err(_) => failure = late(format!("connect to {address}: no answer within {CONNECT_LIMIT:?}")),
            }
        }
        Err(failure)
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<Wire, Failure> {
        let pem = Pem::read(&self.tls).await.map_err(transient)?;
        let wrong = |error: String| permanent(format!("tls_config: {error}"));
        let settings = tls::client_config(&self.tls, &pem).map_err(wrong)?;
        let name = if self.tls.server_name.is_empty() { &self.address.host } else { &self.tls.server_name };
        let name = ServerName::try_from(name.clone()).map_err(|error| wrong(format!("{name:?}: {error}")))?;
        let handshake = TlsConnector::from(Arc::new(settings)).connect(name, stream);
        match tokio::time::timeout(STEP_LIMIT, handshake).await {
            Ok(Ok(stream)) => Ok(Wire::encrypted(stream)),
            Ok(Err(error)) => Err(transient(format!("TLS with {}: {error}", self.address))),
            Err(_) => Err(late(format!("TLS: no answer within {} s", STEP_LIMIT.as_secs()))),
        }
    }

    async fn begin(&self, wire: Wire) -> Result<Beginning, Failure> {
        let mut preface = Preface::new(wire);
        let greeting = positive("greeting", preface.answer()).await?;
        let offers = self.greet(&mut preface).await?;
        Ok(Beginning { wire: preface.into_inner(), greeting, offers })
    }

    /// Says what comes before TLS. All that the server says then is forgotten, but for its greeting: what somebody else
    /// put in after the answer to STARTTLS counts for nothing.
    async fn start_tls(&self, stream: TcpStream) -> Result<Beginning, Failure> {
        let mut preface = Preface::new(stream);
        let greeting = positive("greeting", preface.answer()).await?;
        let offers = self.greet(&mut preface).await?;
        match (Offers::of(&offers).has("STARTTLS"), self.security) {
            (true, _) => {
                positive("STARTTLS", preface.command("STARTTLS\r\n")).await?;
                let mut preface = Preface::new(self.encrypt(preface.into_inner()).await?);
                let offers = self.greet(&mut preface).await?;
                Ok(Beginning { wire: preface.into_inner(), greeting, offers })
            }
            (false, Security::Opportunistic) => {
                Ok(Beginning { wire: Wire::plain(preface.into_inner()), greeting, offers })
            }
            (false, _) => {
                let text = "'require_tls' is true (default) but \"{}\" does not advertise the STARTTLS extension";
                Err(transient(text.replace("{}", &self.address.to_string())))
            }
        }
    }

    /// Greets the server; gives its answer, which says what it offers. Servers of old know only the older greeting.
    async fn greet<S: AsyncRead + AsyncWrite + Unpin>(&self, preface: &mut Preface<S>) -> Result<String, Failure> {
        match positive("EHLO", preface.command(&format!("EHLO {}\r\n", self.hello))).await {
            Err(refusal) if is_answer(&refusal) && !refusal.retry => {
                let answer = positive("HELO", preface.command(&format!("HELO {}\r\n", self.hello))).await;
                answer.map_err(|_| refusal)
            }
            answer => answer,
        }
    }
}

/// What was said before the library takes over.
struct Beginning {
    wire: Wire,
    greeting: String,
    /// The answer to the last greeting of ours.
    offers: String,
}

fn security(config: &EmailConfig, port: u16) -> Security {
    match config.tls_mode.unwrap_or(TlsMode::Auto) {
        TlsMode::Implicit => Security::Implicit,
        TlsMode::StartTls => Security::StartTls,
        TlsMode::Opportunistic => Security::Opportunistic,
        TlsMode::None => Security::Clear,
        TlsMode::Auto => match (config.force_implicit_tls, config.require_tls) {
            (Some(true), _) => Security::Implicit,
            (None, _) if port == 465 => Security::Implicit,
            (_, Some(false)) => Security::Clear,
            _ => Security::StartTls,
        },
    }
}

/// A port's number; of services those that take mail have names.
fn port(text: &str) -> Result<u16, ReceiverError> {
    match text {
        "smtp" => Ok(25),
        "submissions" | "smtps" => Ok(465),
        "submission" => Ok(587),
        _ => text.parse().map_err(|_| ReceiverError::Setting(format!("smarthost: unknown port {text:?}"))),
    }
}

impl Line {
    /// Sends one line and waits for the answer.
    pub(super) async fn command(&mut self, step: &str, line: &str) -> Result<Response, Failure> {
        within(STEP_LIMIT, step, self.connection.command(line)).await
    }
}

impl Offers {
    fn of(answer: &str) -> Self {
        Self(answer.lines().skip(1).filter_map(|line| line.get(4..)).map(str::to_ascii_uppercase).collect())
    }

    /// Whether `extension` is among them.
    pub(super) fn has(&self, extension: &str) -> bool {
        self.0.iter().any(|offer| offer.split_whitespace().next() == Some(extension))
    }

    /// The ways to log in.
    pub(super) fn mechanisms(&self) -> Vec<&str> {
        self.0.iter().filter_map(|offer| offer.strip_prefix("AUTH ")).flat_map(str::split_whitespace).collect()
    }
}

/// Waits for the answer to `step`, but not for ever.
pub(super) async fn within<T>(
    limit: Duration,
    step: &str,
    answer: impl Future<Output = Result<T, smtp::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|error| failed(step, &error)),
        Err(_) => Err(no_answer(step, limit)),
    }
}

/// The answer to `step` before TLS, if it is not a refusal.
async fn positive(step: &str, answer: impl Future<Output = std::io::Result<String>>) -> Result<String, Failure> {
    let answer = tokio::time::timeout(STEP_LIMIT, answer).await.map_err(|_| no_answer(step, STEP_LIMIT))?;
    let answer = answer.map_err(|error| transient(format!("{step}: {error}")))?;
    let code = answer.get(..3).and_then(|code| code.parse().ok());
    match code {
        Some(200..400) => Ok(answer),
        Some(code) => Err(refused(step, code, answer.get(4..).unwrap_or_default())),
        None => Err(transient(format!("{step}: the answer is not SMTP"))),
    }
}

fn no_answer(step: &str, limit: Duration) -> Failure {
    late(format!("{step}: no answer within {} s", limit.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_never_answers_is_not_waited_for_for_ever() {
        let failure = within::<()>(Duration::from_millis(1), "MAIL", std::future::pending()).await.unwrap_err();
        assert_eq!((failure.retry, failure.text.as_str()), (true, "MAIL: no answer within 0 s"));
        let failure = positive("greeting", async { Ok("554 5.3.2 closed\r\n".to_owned()) }).await.unwrap_err();
        assert_eq!((failure.retry, failure.text.as_str()), (false, "greeting: 554 5.3.2 closed"));
        let failure = positive("greeting", async { Ok("SSH-2.0\r\n".to_owned()) }).await.unwrap_err();
        assert!(failure.retry);
    }
}
