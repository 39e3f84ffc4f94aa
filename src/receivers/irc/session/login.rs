//! SASL (IRCv3 sasl-3.2): logging in before the server welcomes us, or when services come back.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use irc_proto::Command;
use tokio::time::Instant;

use super::super::super::scram::Scram;
use super::super::plan::Plan;
use super::{Secrets, Session};

/// A payload is sent in chunks of so many characters; a shorter one ends it.
const CHUNK: usize = 400;

/// More than any mechanism of ours has to read.
const MAX_CHALLENGE: usize = 16 << 10;

/// Where the login stands.
pub(super) struct Login {
    /// What is left to try.
    mechanisms: Vec<Mechanism>,
    running: Option<Exchange>,
    /// The chunks of the server's message so far.
    incoming: String,
    /// As whom services know us.
    account: Option<String>,
}

/// A mechanism that we have what it takes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    External,
    ScramSha256,
    Plain,
}

/// A login under way.
enum Exchange {
    External,
    Plain,
    Scram { scram: Box<Scram>, step: Step },
}

enum Step {
    First,
    Proof,
    Verified,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
        }
    }
}

impl Login {
    pub(super) fn new(plan: &Plan, secrets: &Secrets) -> Self {
        let mut mechanisms = mechanisms(plan, secrets);
        mechanisms.reverse();
        Self { mechanisms, running: None, incoming: String::new(), account: None }
    }

    /// Whether there is something left to try, and a reason to.
    pub(super) fn is_open(&self) -> bool {
        self.account.is_none() && self.running.is_none() && !self.mechanisms.is_empty()
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// As whom services know us.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

/// The mechanisms to try, best first.
fn mechanisms(plan: &Plan, secrets: &Secrets) -> Vec<Mechanism> {
    let tls = &plan.settings.tls_config;
    let has_certificate = plan.settings.tls && !(tls.cert.is_empty() && tls.cert_file.is_empty());
    let has_password = !secrets.sasl.is_empty();
    match plan.settings.sasl.mechanism.as_str() {
        "external" => vec![Mechanism::External],
        "plain" => vec![Mechanism::Plain],
        "scram-sha-256" => vec![Mechanism::ScramSha256],
        "auto" => {
            let external = has_certificate.then_some(Mechanism::External);
            external.into_iter().chain(has_password.then_some(Mechanism::Plain)).collect()
        }
        _ => Vec::new(),
    }
}

impl Session {
    /// Whether the server offers a mechanism that is left to try. A server that names none may have any.
    pub(super) fn can_log_in(&self) -> bool {
        let offered = self.capabilities.offer("sasl");
        offered.is_some_and(|offered| self.login.mechanisms.iter().any(|mechanism| is_offered(*mechanism, offered)))
    }

    /// Tries the next mechanism that the server has.
    pub(super) fn log_in(&mut self) {
        let offered = self.capabilities.offer("sasl").unwrap_or_default().to_owned();
        while let Some(mechanism) = self.login.mechanisms.pop() {
            if !is_offered(mechanism, &offered) {
                continue;
            }
            self.login.running = Some(self.exchange(mechanism));
            self.out.push_back(Command::AUTHENTICATE(mechanism.name().to_owned()).into());
            return;
        }
        self.login_failed("no mechanism is left to try");
    }

    fn exchange(&self, mechanism: Mechanism) -> Exchange {
        match mechanism {
            Mechanism::External => Exchange::External,
            Mechanism::Plain => Exchange::Plain,
            Mechanism::ScramSha256 => {
                let nonce = uuid::Uuid::new_v4().simple().to_string();
                let scram = Box::new(Scram::new(self.sasl_account(), &self.secrets.sasl, &nonce));
                Exchange::Scram { scram, step: Step::First }
            }
        }
    }

    /// The account, which is called as we are unless another is configured.
    pub(super) fn sasl_account(&self) -> &str {
        let configured = &self.plan.settings.sasl.username;
        if configured.is_empty() { &self.plan.nicks[0] } else { configured }
    }

    /// Takes a chunk of what the server says within a login.
    pub(super) fn challenge(&mut self, chunk: &str) {
        if self.login.running.is_none() || self.login.incoming.len() > MAX_CHALLENGE {
            return;
        }
        if chunk != "+" {
            self.login.incoming.push_str(chunk);
        }
        if chunk.len() == CHUNK {
            return;
        }
        let text = BASE64_STANDARD.decode(std::mem::take(&mut self.login.incoming)).unwrap_or_default();
        match self.response(&String::from_utf8_lossy(&text)) {
            Ok(response) => self.authenticate(&response),
            Err(error) => {
                tracing::warn!(component = "irc", server = self.name(), err = error, "Aborting a SASL login");
                self.out.push_back(Command::AUTHENTICATE("*".to_owned()).into());
            }
        }
    }

    fn response(&mut self, challenge: &str) -> Result<String, String> {
        let plain = format!("{0}\0{0}\0{1}", self.sasl_account(), self.secrets.sasl);
        match &mut self.login.running {
            Some(Exchange::Plain) => Ok(plain),
            Some(Exchange::Scram { scram, step }) => match step {
                Step::First => {
                    *step = Step::Proof;
                    Ok(scram.first())
                }
                Step::Proof => {
                    *step = Step::Verified;
                    scram.answer(challenge)
                }
                Step::Verified => scram.verify(challenge).map(|()| String::new()),
            },
            Some(Exchange::External) | None => Ok(String::new()),
        }
    }

    /// Sends a payload in chunks; one that ends with a full chunk, or is empty, ends with `+`.
    fn authenticate(&mut self, payload: &str) {
        let encoded = BASE64_STANDARD.encode(payload);
        let mut chunks: Vec<&str> =
            encoded.as_bytes().chunks(CHUNK).map(|chunk| std::str::from_utf8(chunk).unwrap_or_default()).collect();
        if chunks.last().is_none_or(|last| last.len() == CHUNK) {
            chunks.push("+");
        }
        self.out.extend(chunks.into_iter().map(|chunk| Command::AUTHENTICATE(chunk.to_owned()).into()));
    }

    pub(super) fn login_numeric(&mut self, number: u16, parameters: &[String], now: Instant) {
        match number {
            900 => {
                let account = parameters.get(2).cloned().unwrap_or_default();
                tracing::info!(component = "irc", server = self.name(), %account, "Logged in");
                self.login.account = Some(account);
                self.identified(now);
            }
            901 => self.login.account = None,
            903 | 907 => {
                self.login.running = None;
                self.login.account.get_or_insert_default();
                self.identified(now);
                self.end_negotiation();
            }
            902 | 904..=906 if self.login.is_running() => self.mechanism_refused(number, parameters),
            _ => {}
        }
    }

    fn mechanism_refused(&mut self, number: u16, parameters: &[String]) {
        self.login.running = None;
        let why = format!("{number} {}", parameters.last().map_or("", String::as_str));
        if self.can_log_in() {
            tracing::warn!(
                component = "irc",
                server = self.name(),
                err = why,
                "A SASL mechanism is refused, trying the next"
            );
            self.log_in();
        } else {
            self.login_failed(&why);
        }
    }

    /// No mechanism is left: without a login there is no session if it is required; else NickServ may help.
    pub(super) fn login_failed(&mut self, why: &str) {
        self.shared.figures().sasl_failures += 1;
        tracing::warn!(component = "irc", server = self.name(), err = why, "SASL login failed");
        if self.plan.settings.sasl.required {
            return self.end_hopeless(&format!("SASL login failed: {why}"));
        }
        self.end_negotiation();
    }
}

fn is_offered(mechanism: Mechanism, offered: &str) -> bool {
    offered.is_empty() || offered.split(',').any(|name| name.eq_ignore_ascii_case(mechanism.name()))
}
