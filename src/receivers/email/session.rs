//! One conversation with a mail server (RFC 5321): every step has a time limit of ours, because the library has none.

use std::future::Future;
use std::time::Duration;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, Identity, TlsParameters, TlsVersion,
};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::ReceiverError;
use super::super::outcome::{late, permanent, transient};
use super::super::tls::{self, Pem};
use super::login::{self, Credentials};
use crate::settings::email::EmailConfig;
use crate::settings::tls::{TlsConfig, TlsVersion as Version};
use crate::settings::url::HostPort;

/// How long a server may take for one answer. Servers that look senders up are slow, but the next attempt waits too.
const STEP_LIMIT: Duration = Duration::from_secs(30);

/// How long a server may take to accept a mail, which it may examine first.
const DELIVERY_LIMIT: Duration = Duration::from_secs(120);

/// How long we wait for the server's good-bye; the mail is delivered by then.
const QUIT_LIMIT: Duration = Duration::from_secs(2);

/// The mail server, and how we speak with it.
pub(super) struct Server {
    address: HostPort,
    port: u16,
    hello: ClientId,
    security: Security,
    tls: TlsConfig,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS begins before SMTP does.
    Implicit,
    /// TLS begins with STARTTLS, before anything is said that matters.
    StartTls,
    /// None.
    Clear,
}

impl Server {
    pub(super) fn build(config: &EmailConfig) -> Result<Self, ReceiverError> {
        let tls = config.tls_config.clone().unwrap_or_default();
        tls::refuse_unsupported(&tls)?;
        if tls.max_version.is_some_and(|version| version < Version::Tls13) {
            return Err(ReceiverError::Setting("tls_config: max_version is not supported for email".to_owned()));
        }
        let port = port(&config.smarthost.port)?;
        let security = match (config.force_implicit_tls, config.require_tls) {
            (Some(true), _) => Security::Implicit,
            (None, _) if port == 465 => Security::Implicit,
            (_, Some(false)) => Security::Clear,
            _ => Security::StartTls,
        };
        let hello = if config.hello.is_empty() { "localhost" } else { &config.hello };
        if hello.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ReceiverError::Setting(format!("hello: {hello:?} is no name for a host")));
        }
        Ok(Self { address: config.smarthost.clone(), port, hello: ClientId::Domain(hello.to_owned()), security, tls })
    }

    /// Whether it runs on this machine, so that nobody can listen.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.address.host.as_str(), "localhost" | "127.0.0.1" | "::1")
    }

    async fn tls_parameters(&self) -> Result<TlsParameters, Failure> {
        let pem = Pem::read(&self.tls).await.map_err(transient)?;
        tls_parameters(&self.tls, &pem, &self.address.host).map_err(|error| permanent(format!("tls_config: {error}")))
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

fn tls_parameters(config: &TlsConfig, pem: &Pem, host: &str) -> Result<TlsParameters, smtp::Error> {
    let name = if config.server_name.is_empty() { host } else { &config.server_name };
    let mut builder = TlsParameters::builder(name.to_owned())
        .dangerous_accept_invalid_certs(config.insecure_skip_verify)
        .set_min_tls_version(match config.min_version {
            Some(Version::Tls13) => TlsVersion::Tlsv13,
            _ => TlsVersion::Tlsv12,
        });
    if !pem.ca.is_empty() {
        let authorities = Certificate::from_pem(&pem.ca)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authorities);
    }
    if !pem.cert.is_empty() {
        builder = builder.identify_with(Identity::from_pem(&pem.cert, &pem.key)?);
    }
    builder.build_rustls()
}

/// Delivers `mail` to everybody in `envelope` whom the server takes.
pub(super) async fn deliver(
    server: &Server,
    credentials: Option<&Credentials>,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<(), Failure> {
    let mut connection = connect(server).await?;
    if let Some(credentials) = credentials {
        let greeting = command(&mut connection, "EHLO", Ehlo::new(server.hello.clone()).to_string()).await?;
        login::log_in(&mut connection, server, credentials, &greeting).await?;
    }
    address(&mut connection, envelope).await?;
    command(&mut connection, "DATA", Data.to_string()).await?;
    within(DELIVERY_LIMIT, "delivery", connection.message(mail)).await?;
    // The mail is accepted: how the server takes its leave changes nothing.
    let _ = tokio::time::timeout(QUIT_LIMIT, connection.quit()).await;
    Ok(())
}

async fn connect(server: &Server) -> Result<AsyncSmtpConnection, Failure> {
    let implicit = match server.security {
        Security::Implicit => Some(server.tls_parameters().await?),
        Security::StartTls | Security::Clear => None,
    };
    let place = (server.address.host.as_str(), server.port);
    let connecting = AsyncSmtpConnection::connect_tokio1(place, Some(STEP_LIMIT), &server.hello, implicit, None);
    let mut connection = within(STEP_LIMIT, "connect", connecting).await?;
    if server.security == Security::StartTls {
        if !connection.can_starttls() {
            let text = "'require_tls' is true (default) but \"{}\" does not advertise the STARTTLS extension";
            return Err(transient(text.replace("{}", &server.address.to_string())));
        }
        let parameters = server.tls_parameters().await?;
        within(STEP_LIMIT, "STARTTLS", connection.starttls(parameters, &server.hello)).await?;
    }
    Ok(connection)
}

/// Says from whom and to whom. A recipient refused for good does not keep the others from being told; one refused for
/// now does, so that nobody is told twice.
async fn address(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Result<(), Failure> {
    let international = envelope.from().into_iter().chain(envelope.to()).any(|a| !AsRef::<str>::as_ref(a).is_ascii());
    let mut parameters = Vec::new();
    if international {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(permanent("an address is not ASCII, and the server does not offer SMTPUTF8"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    command(connection, "MAIL", Mail::new(envelope.from().cloned(), parameters).to_string()).await?;
    let mut refusals = Vec::new();
    for recipient in envelope.to() {
        match command(connection, "RCPT", Rcpt::new(recipient.clone(), Vec::new()).to_string()).await {
            Ok(_) => {}
            Err(failure) if failure.retry => return Err(failure),
            Err(failure) => refusals.push((recipient, failure)),
        }
    }
    settle(&refusals, envelope.to().len())
}

fn settle(refusals: &[(&Address, Failure)], recipients: usize) -> Result<(), Failure> {
    match refusals.first() {
        Some((_, failure)) if refusals.len() == recipients => Err(failure.clone()),
        _ => {
            for (recipient, failure) in refusals {
                tracing::warn!(%recipient, err = failure.text, "A recipient is refused, telling the others");
            }
            Ok(())
        }
    }
}

/// Sends one line and waits for the answer.
pub(super) async fn command(
    connection: &mut AsyncSmtpConnection,
    step: &str,
    line: String,
) -> Result<Response, Failure> {
    within(STEP_LIMIT, step, connection.command(line)).await
}

async fn within<T>(
    limit: Duration,
    step: &str,
    answer: impl Future<Output = Result<T, smtp::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|error| failed(step, &error)),
        Err(_) => Err(late(format!("{step}: no answer within {} s", limit.as_secs()))),
    }
}

/// 5xx is final, except where it speaks of our login, which an operator may be mending.
fn failed(step: &str, error: &smtp::Error) -> Failure {
    let text = format!("{step}: {error}");
    match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => Failure { kind: FailureKind::AuthError, ..transient(text) },
        Some(500..) => Failure { kind: FailureKind::ClientError, ..permanent(text) },
        Some(400..) => Failure { kind: FailureKind::ServerError, ..transient(text) },
        _ => transient(text),
    }
}
