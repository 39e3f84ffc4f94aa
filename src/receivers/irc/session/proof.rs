//! What proves that a line arrived, and what says that it did not.

use irc_proto::{Command, Message};
use tokio::time::Instant;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::super::outcome::{late, transient};
use super::super::formatting::plain;
use super::super::memory::Progress;
use super::super::wire::{fold, is_channel, same, sender, tag};
use super::Session;
use super::order::Confirm;
use super::speech::{Flight, Job, Work};

/// Batches that a server may have open; it has one or two.
const MAX_BATCHES: usize = 16;

/// How a line's arrival is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    /// Its echo comes back with our label.
    Label,
    /// Its echo comes back.
    Echo,
    /// The server answers a PING sent after it, and did not refuse it before.
    Ping,
    /// It was written to the connection.
    Nothing,
}

impl Rung {
    fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Echo => "echo",
            Self::Ping => "ping",
            Self::Nothing => "none",
        }
    }
}

impl Session {
    pub(super) fn rung(&self, wanted: Confirm) -> Rung {
        let echo = self.capabilities.has("echo-message");
        match wanted {
            Confirm::Nothing => Rung::Nothing,
            Confirm::Ping => Rung::Ping,
            Confirm::Auto | Confirm::Echo if echo && self.capabilities.has("labeled-response") => Rung::Label,
            Confirm::Echo => Rung::Echo,
            Confirm::Auto if echo => Rung::Echo,
            Confirm::Auto => Rung::Ping,
        }
    }

    /// A line has arrived: the next one follows, or the message is told.
    pub(super) fn arrived(&mut self, at: usize, now: Instant) {
        let job = &mut self.speech.jobs[at];
        let Some(flight) = job.flight.take() else { return };
        job.told += 1;
        *self.shared.figures().confirmed.entry(flight.rung.name()).or_default() += 1;
        if let Work::Order(order) = &job.work {
            let key = (order.identity.clone(), fold(&job.target));
            let progress = Progress { lines: job.lines.clone(), told: job.told };
            self.memory.progress.insert(key, progress, now);
        }
    }

    /// The answer to a PING.
    pub(super) fn barrier(&mut self, token: &str, now: Instant) {
        let is_it = |flight: &Flight| flight.rung == Rung::Ping && flight.token == token;
        if let Some(at) = self.speech.jobs.iter().position(|job| job.flight.as_ref().is_some_and(is_it)) {
            self.arrived(at, now);
        }
    }

    /// A line that is heard: our own as an echo, a service's, or somebody's.
    pub(super) fn heard(&mut self, message: &Message, target: &str, text: &str, now: Instant) {
        if self.is_me(message) {
            self.saw_myself(message);
            return self.echoed(message, target, text, now);
        }
        self.heard_service(message);
        if matches!(message.command, Command::PRIVMSG(..)) {
            self.asked_by_client(sender(message), text, now);
        }
        if is_channel(target) {
            self.heard_id(sender(message), target, text, now);
            self.note_speaker(sender(message), target, now);
        }
        if sender(message).is_empty() && text.to_lowercase().contains("throttled") {
            self.throttled(text, now);
        }
    }

    fn echoed(&mut self, message: &Message, target: &str, text: &str, now: Instant) {
        let label = self.label(message).map(str::to_owned);
        let is_it = |job: &Job| match &job.flight {
            Some(flight) if flight.rung == Rung::Label => label.as_ref() == Some(&flight.token),
            // A server may take the formatting off.
            Some(flight) => {
                flight.rung == Rung::Echo && same(&job.target, target) && plain(&flight.text) == plain(text)
            }
            None => false,
        };
        if let Some(at) = self.speech.jobs.iter().position(is_it) {
            self.arrived(at, now);
        }
    }

    /// `ACK` with a label: the server has taken a line, and has nothing to say of it.
    pub(super) fn acknowledged(&mut self, message: &Message, now: Instant) {
        let label = self.label(message).map(str::to_owned);
        let is_it = |flight: &Flight| flight.rung == Rung::Label && label.as_ref() == Some(&flight.token);
        if let Some(at) = self.speech.jobs.iter().position(|job| job.flight.as_ref().is_some_and(is_it)) {
            self.arrived(at, now);
        }
    }

    /// The label that `message` bears, or the batch it is in.
    fn label<'a>(&'a self, message: &'a Message) -> Option<&'a str> {
        tag(message, "label").or_else(|| self.speech.batches.get(tag(message, "batch")?).map(String::as_str))
    }

    /// The beginning or end of a batch; that of a labelled answer bears the label.
    pub(super) fn batch(&mut self, message: &Message) {
        let Command::BATCH(reference, ..) = &message.command else { return };
        if let Some(name) = reference.strip_prefix('-') {
            self.speech.batches.remove(name);
        } else if let (Some(name), Some(label)) = (reference.strip_prefix('+'), tag(message, "label"))
            && self.speech.batches.len() < MAX_BATCHES
        {
            self.speech.batches.insert(name.to_owned(), label.to_owned());
        }
    }

    /// Remembers the id of a message of another node's bot.
    fn heard_id(&mut self, nick: &str, target: &str, text: &str, now: Instant) {
        let peers = &self.plan.settings.peer_nicks;
        let counts = peers.is_empty() || self.is_peer(&fold(nick));
        if let Some(id) = ending_id(text).filter(|_| counts) {
            self.memory.seen.insert((fold(target), id.to_owned()), nick.to_owned(), now);
        }
    }

    /// A numeric that refuses something: a channel that we want to join, or a line.
    pub(super) fn refusal(&mut self, number: u16, parameters: &[String], message: &Message, now: Instant) {
        if self.join_refused(number, parameters, now) {
            return;
        }
        let target = parameters.get(1).map(String::as_str).unwrap_or_default();
        let why = format!("{number} {}", parameters.last().map_or("", String::as_str));
        let label = self.label(message).map(str::to_owned);
        if let Some(at) = self.refused_job(number, target, label.as_deref()) {
            self.refuse(at, &number.to_string(), &why, now);
        }
        if number == 442 {
            self.not_in(target, now);
        }
    }

    /// The job whose line is refused: the one with the label, or to the target; or, as some numerics name none, the
    /// first one.
    fn refused_job(&self, number: u16, target: &str, label: Option<&str>) -> Option<usize> {
        let flying = |job: &Job| job.flight.is_some();
        let labelled =
            |job: &Job| label.is_some() && job.flight.as_ref().is_some_and(|flight| label == Some(&flight.token));
        let jobs = &self.speech.jobs;
        let named = || jobs.iter().position(|job| flying(job) && same(&job.target, target));
        let first = || jobs.iter().position(flying).filter(|_| matches!(number, 411 | 412 | 417));
        jobs.iter().position(labelled).or_else(named).or_else(first)
    }

    /// `FAIL <command> <code> [<context>...] <description>` (IRCv3 standard-replies).
    pub(super) fn failed(&mut self, parameters: &[String], message: &Message, now: Instant) {
        let [command, code, .., text] = parameters else { return };
        let label = self.label(message).map(str::to_owned);
        let target = parameters.get(2).map(String::as_str).unwrap_or_default();
        if let Some(at) =
            self.refused_job(417, target, label.as_deref()).filter(|_| label.is_some() || command != "JOIN")
        {
            self.refuse(at, "FAIL", &format!("{code} {text}"), now);
        }
    }

    /// A server's notice that a message was not passed on.
    fn throttled(&mut self, text: &str, now: Instant) {
        let named = |job: &Job| job.flight.is_some() && text.to_lowercase().contains(&job.target.to_lowercase());
        if let Some(at) = self.speech.jobs.iter().position(named) {
            self.refuse(at, "throttled", text, now);
        }
    }

    fn refuse(&mut self, at: usize, reason: &str, why: &str, now: Instant) {
        *self.shared.figures().refused.entry(reason.to_owned()).or_default() += 1;
        let text = format!("{}: {why}", self.speech.jobs[at].target);
        self.take_off(at, Err(Failure { kind: FailureKind::ClientError, ..transient(text) }), now);
    }

    /// A line that is not proved to have arrived makes the whole connection doubtful.
    pub(super) fn check_flights(&mut self, now: Instant) {
        let overdue = |job: &Job| job.flight.as_ref().is_some_and(|flight| flight.until <= now);
        if let Some(at) = self.speech.jobs.iter().position(overdue) {
            let text = format!("{}: nothing proves that the line arrived", self.speech.jobs[at].target);
            *self.shared.figures().refused.entry("timeout".to_owned()).or_default() += 1;
            self.close(&text);
            self.take_off(at, Err(late(text)), now);
        }
    }
}

/// The id with which a message of a node ends: `⟨` eight hex digits `⟩`.
fn ending_id(text: &str) -> Option<&str> {
    let id = text.strip_suffix('⟩')?.rsplit_once('⟨')?.1;
    (id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}
