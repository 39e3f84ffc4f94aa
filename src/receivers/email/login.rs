//! Logging in at a mail server (RFC 4954): the most wanted of the ways that the server offers and for which we have
//! what it needs, and the next one if that is refused.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::transport::smtp::response::Response;
use uuid::Uuid;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::http::{TokenSource, read_trimmed};
use super::super::outcome::{permanent, transient};
use super::super::scram::Scram;
use super::super::{ReceiverError, Surroundings};
use super::connect::{Line, Server};
use super::cram::hmac_md5;
use crate::settings::email::{AuthMechanism, EmailConfig};
use crate::settings::http::OAuth2;
use crate::settings::secret::Secret;

/// The most wanted first: a token or proof that is good for nothing else, a password that only TLS hides, an old proof.
const PREFERENCE: [AuthMechanism; 6] = [
    AuthMechanism::OauthBearer,
    AuthMechanism::Xoauth2,
    AuthMechanism::ScramSha256,
    AuthMechanism::Plain,
    AuthMechanism::Login,
    AuthMechanism::CramMd5,
];

/// As whom we log in, and where what shows it is found.
pub(super) struct Credentials {
    settings: Settings,
    tokens: Option<TokenSource>,
}

/// What decides whether two mails may share a connection.
#[derive(Clone, PartialEq)]
pub(super) struct Settings {
    username: String,
    identity: String,
    password: Secret,
    password_file: String,
    secret: Secret,
    secret_file: String,
    mechanisms: Vec<AuthMechanism>,
    oauth2: Option<OAuth2>,
}

/// The secrets as they are now.
#[derive(PartialEq, Eq)]
pub(super) struct Secrets {
    password: String,
    secret: String,
}

impl Credentials {
    pub(super) fn build(settings: Settings, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        let tokens = settings.oauth2.as_ref().map(|oauth2| TokenSource::build(oauth2, surroundings)).transpose()?;
        Ok(Self { settings, tokens })
    }

    /// Reads the files again: what they hold may have changed.
    pub(super) async fn secrets(&self) -> Result<Arc<Secrets>, Failure> {
        let Settings { password, password_file, secret, secret_file, .. } = &self.settings;
        let password = match password_file.as_str() {
            "" => password.reveal().to_owned(),
            path => read_trimmed(path).await.map_err(transient)?,
        };
        // What this file holds counts to the last byte, as in Alertmanager.
        let secret = match secret_file.as_str() {
            "" => secret.reveal().to_owned(),
            path => tokio::fs::read_to_string(path)
                .await
                .map_err(|error| transient(format!("cannot read {path}: {error}")))?,
        };
        Ok(Arc::new(Secrets { password, secret }))
    }

    /// Logs in, if we are somebody and the server offers it.
    pub(super) async fn log_in(&self, line: &mut Line, server: &Server, secrets: &Secrets) -> Result<(), Failure> {
        let offered: Vec<String> = line.offers.mechanisms().into_iter().map(str::to_owned).collect();
        if self.settings.is_nobody() || offered.is_empty() {
            return Ok(());
        }
        let mut failure = self.no_way(&offered, secrets, line.private);
        let mut sent_password = false;
        for mechanism in self.settings.mechanisms() {
            let sends_password = matches!(mechanism, AuthMechanism::Plain | AuthMechanism::Login);
            if !self.can(*mechanism, secrets, line.private, &offered) || (sends_password && sent_password) {
                continue;
            }
            sent_password |= sends_password;
            match self.log_in_by(*mechanism, line, server, secrets).await {
                Err(refused) if refused.kind == FailureKind::AuthError => failure = refused,
                outcome => return outcome,
            }
        }
        Err(failure)
    }

    /// Whether the server offers `mechanism` and we have what it needs. Tokens, and passwords by PLAIN, are not sent
    /// where others can listen; LOGIN is, as in Alertmanager, because old servers in a house of their own need it.
    fn can(&self, mechanism: AuthMechanism, secrets: &Secrets, private: bool, offered: &[String]) -> bool {
        let has_needs = match mechanism {
            AuthMechanism::OauthBearer | AuthMechanism::Xoauth2 => self.tokens.is_some() && private,
            AuthMechanism::Plain => !secrets.password.is_empty() && private,
            AuthMechanism::ScramSha256 | AuthMechanism::Login => !secrets.password.is_empty(),
            AuthMechanism::CramMd5 => !secrets.secret.is_empty(),
        };
        has_needs && offered.iter().any(|name| name == keyword(mechanism))
    }

    /// Why there is no way to log in.
    fn no_way(&self, offered: &[String], secrets: &Secrets, private: bool) -> Failure {
        let mut mechanisms = self.settings.mechanisms().iter();
        match mechanisms.find(|mechanism| !private && self.can(**mechanism, secrets, true, offered)) {
            Some(mechanism) => permanent(format!("AUTH {}: the connection is not encrypted", keyword(*mechanism))),
            None => transient(format!("find auth mechanism: no credentials for any of {}", offered.join(" "))),
        }
    }

    async fn log_in_by(
        &self,
        mechanism: AuthMechanism,
        line: &mut Line,
        server: &Server,
        secrets: &Secrets,
    ) -> Result<(), Failure> {
        let Settings { username, identity, .. } = &self.settings;
        match mechanism {
            AuthMechanism::Plain => {
                let response = format!("{identity}\0{username}\0{}", secrets.password);
                say(line, "AUTH PLAIN", &format!("AUTH PLAIN {}", BASE64_STANDARD.encode(response))).await.map(drop)
            }
            AuthMechanism::Login => {
                say(line, "AUTH LOGIN", "AUTH LOGIN").await?;
                answer(line, "AUTH LOGIN", username).await?;
                answer(line, "AUTH LOGIN", &secrets.password).await.map(drop)
            }
            AuthMechanism::CramMd5 => cram_md5(line, username, &secrets.secret).await,
            AuthMechanism::ScramSha256 => scram_sha_256(line, username, &secrets.password).await,
            AuthMechanism::OauthBearer | AuthMechanism::Xoauth2 => self.show_token(mechanism, line, server).await,
        }
    }

    /// Shows a token; if it is refused, a new one: it may have been withdrawn before its time.
    async fn show_token(&self, mechanism: AuthMechanism, line: &mut Line, server: &Server) -> Result<(), Failure> {
        let Some(tokens) = &self.tokens else { return Err(permanent("there is no source of tokens")) };
        let token = tokens.token().await.map_err(transient)?;
        match self.show(mechanism, &token, line, server).await {
            Err(refused) if refused.kind == FailureKind::AuthError => {
                tokens.forget(&token).await;
                let another = tokens.token().await.map_err(transient)?;
                if another == token { Err(refused) } else { self.show(mechanism, &another, line, server).await }
            }
            outcome => outcome,
        }
    }

    async fn show(
        &self,
        mechanism: AuthMechanism,
        token: &str,
        line: &mut Line,
        server: &Server,
    ) -> Result<(), Failure> {
        let (user, step) = (&self.settings.username, format!("AUTH {}", keyword(mechanism)));
        let (response, end) = match mechanism {
            AuthMechanism::Xoauth2 => (format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}"), ""),
            _ => {
                let user = user.replace('=', "=3D").replace(',', "=2C");
                let address = &server.address;
                let place = format!("host={}\u{1}port={}", address.host, address.port);
                (format!("n,a={user},\u{1}{place}\u{1}auth=Bearer {token}\u{1}\u{1}"), "\u{1}")
            }
        };
        let reply = say(line, &step, &format!("{step} {}", BASE64_STANDARD.encode(response))).await?;
        if !reply.has_code(334) {
            return Ok(());
        }
        // A challenge says why the token is refused, and must be answered for the refusal itself to come.
        let why = decoded(&reply).unwrap_or_default();
        let failure = answer(line, &step, end).await.err();
        Err(failure.map_or_else(
            || permanent(format!("{step}: the token is refused and taken: {why}")),
            |failure| Failure { text: format!("{} ({})", failure.text, why.trim()), ..failure },
        ))
    }
}

impl Settings {
    pub(super) fn of(config: &EmailConfig) -> Self {
        Self {
            username: config.auth_username.clone(),
            identity: config.auth_identity.clone(),
            password: config.auth_password.clone(),
            password_file: config.auth_password_file.clone(),
            secret: config.auth_secret.clone(),
            secret_file: config.auth_secret_file.clone(),
            mechanisms: config.auth_mechanisms.clone(),
            oauth2: config.auth_oauth2.clone(),
        }
    }

    fn is_nobody(&self) -> bool {
        self.username.is_empty() && self.oauth2.is_none()
    }

    fn mechanisms(&self) -> &[AuthMechanism] {
        if self.mechanisms.is_empty() { &PREFERENCE } else { &self.mechanisms }
    }
}

fn keyword(mechanism: AuthMechanism) -> &'static str {
    match mechanism {
        AuthMechanism::ScramSha256 => "SCRAM-SHA-256",
        AuthMechanism::Plain => "PLAIN",
        AuthMechanism::Login => "LOGIN",
        AuthMechanism::CramMd5 => "CRAM-MD5",
        AuthMechanism::OauthBearer => "OAUTHBEARER",
        AuthMechanism::Xoauth2 => "XOAUTH2",
    }
}

async fn say(line: &mut Line, step: &str, text: &str) -> Result<Response, Failure> {
    line.command(step, &format!("{text}\r\n")).await
}

async fn answer(line: &mut Line, step: &str, text: &str) -> Result<Response, Failure> {
    say(line, step, &BASE64_STANDARD.encode(text)).await
}

/// The challenge in a 334.
fn decoded(reply: &Response) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(reply.first_word()?).ok()?).ok()
}

/// Answers the server's challenge with a keyed digest of it (RFC 2195).
async fn cram_md5(line: &mut Line, username: &str, secret: &str) -> Result<(), Failure> {
    const STEP: &str = "AUTH CRAM-MD5";
    let reply = say(line, STEP, STEP).await?;
    let challenge = decoded(&reply).ok_or_else(|| transient(format!("{STEP}: the challenge is not base 64")))?;
    let digest = hmac_md5(secret.as_bytes(), challenge.as_bytes());
    answer(line, STEP, &format!("{username} {digest}")).await.map(drop)
}

async fn scram_sha_256(line: &mut Line, username: &str, password: &str) -> Result<(), Failure> {
    const STEP: &str = "AUTH SCRAM-SHA-256";
    let wrong = |error: String| transient(format!("{STEP}: {error}"));
    let challenge = |reply: &Response| decoded(reply).ok_or_else(|| wrong("the challenge is not base 64".to_owned()));
    let mut scram = Scram::new(username, password, &Uuid::new_v4().simple().to_string());
    let reply = say(line, STEP, &format!("{STEP} {}", BASE64_STANDARD.encode(scram.first()))).await?;
    let proof = scram.answer(&challenge(&reply)?).map_err(wrong)?;
    let reply = answer(line, STEP, &proof).await?;
    scram.verify(&challenge(&reply)?).map_err(wrong)?;
    if reply.has_code(334) { say(line, STEP, "").await.map(drop) } else { Ok(()) }
}
