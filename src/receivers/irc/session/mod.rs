//! One connection's conversation: what is received and what time it is come in, what is to be sent goes out. It waits
//! for nothing and does no I/O, so that every turn of it can be played in a test.

mod capabilities;
mod channels;
mod commands;
mod identity;
mod login;
mod nickserv;
mod order;
mod proof;
mod speech;
mod turn;
mod yielding;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use irc_proto::{Command, Message, Prefix};
use tokio::time::Instant;

use super::memory::Memory;
use super::plan::Plan;
use super::shared::Shared;
use super::wire::{numeric, same, sender};

pub(super) use order::{Confirm, Order, Style};

use capabilities::Capabilities;
use channels::Channels;
use commands::Commands;
use identity::Identity;
use login::Login;
use nickserv::Nickserv;
use speech::Speech;

/// How long the server may take from our first line to its welcome.
const REGISTRATION_LIMIT: Duration = Duration::from_secs(60);

/// What is read from files when a connection is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    pub(super) server: String,
    pub(super) sasl: String,
    pub(super) nickserv: String,
    /// Keys in the order of the plan's channels.
    pub(super) channels: Vec<String>,
}

/// A conversation with a server.
pub(super) struct Session {
    plan: Arc<Plan>,
    secrets: Secrets,
    shared: Arc<Shared>,
    memory: Memory,
    phase: Phase,
    out: VecDeque<Message>,
    identity: Identity,
    capabilities: Capabilities,
    login: Login,
    nickserv: Nickserv,
    channels: Channels,
    speech: Speech,
    commands: Commands,
    pulse: Pulse,
    end: Option<End>,
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The server has not welcomed us.
    Registering { until: Instant },
    /// It has; we wait until services know us.
    Settling { until: Instant },
    /// We are in our channels, or on the way there.
    Ready,
}

/// Why a connection is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) why: String,
    /// Whether coming back soon is pointless: banned, or not let in with our password.
    pub(super) hopeless: bool,
}

/// Whether the server still answers.
struct Pulse {
    /// When the next PING is due, or its answer overdue.
    next: Instant,
    asked: Option<(String, Instant)>,
}

impl Session {
    /// A conversation that begins at `now`.
    pub(super) fn new(plan: Arc<Plan>, secrets: Secrets, shared: Arc<Shared>, memory: Memory, now: Instant) -> Self {
        let mut session = Self {
            phase: Phase::Registering { until: now + REGISTRATION_LIMIT },
            out: VecDeque::new(),
            identity: Identity::new(&plan, now),
            capabilities: Capabilities::default(),
            login: Login::new(&plan, &secrets),
            nickserv: Nickserv::default(),
            channels: Channels::default(),
            speech: Speech::new(&plan, now),
            commands: Commands::default(),
            pulse: Pulse { next: now + plan.settings.ping_interval.0, asked: None },
            end: None,
            plan,
            secrets,
            shared,
            memory,
        };
        session.channels.follow(&session.plan, &session.secrets, now);
        session.register();
        session
    }

    /// The memory, for the next connection; whoever waits for an order is told that this one is over.
    pub(super) fn into_memory(mut self, why: &str, now: Instant) -> Memory {
        self.abandon_all(why, now);
        self.memory
    }

    /// What is to be sent now.
    pub(super) fn outgoing(&mut self) -> Option<Message> {
        self.out.pop_front()
    }

    /// Why the connection is to be closed, if it is.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Takes what the server sent.
    pub(super) fn receive(&mut self, message: &Message, now: Instant) {
        match numeric(&message.command) {
            Some((number, parameters)) => self.numeric(number, parameters, message, now),
            None => self.command(message, now),
        }
        self.pump(now);
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        match self.phase {
            Phase::Registering { until } if until <= now => self.close("the server does not welcome us"),
            Phase::Settling { until } if until <= now => self.become_ready(now),
            _ => {}
        }
        self.check_pulse(now);
        self.watch_nick(now);
        self.pump(now);
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(super) fn deadline(&self) -> Instant {
        let phase = match self.phase {
            Phase::Registering { until } => until,
            Phase::Settling { until } => until.min(self.pulse.next),
            Phase::Ready => self.pulse.next,
        };
        let others = [self.nick_deadline(), self.channels_deadline(), self.speech_deadline()];
        others.into_iter().flatten().fold(phase, Instant::min)
    }

    /// Follows another plan, which needs no other connection.
    pub(super) fn follow(&mut self, plan: Arc<Plan>, secrets: Secrets, now: Instant) {
        (self.plan, self.secrets) = (plan, secrets);
        let left = self.channels.follow(&self.plan, &self.secrets, now);
        self.out.extend(left.into_iter().map(|channel| Message::from(Command::PART(channel, None))));
        self.pulse.next = self.pulse.next.min(now + self.plan.settings.ping_interval.0);
        self.want_nick(now);
        self.show_channels();
        self.pump(now);
    }

    /// Says good-bye.
    pub(super) fn quit(&mut self) {
        self.out.push_back(Command::QUIT(Some(self.plan.settings.quit_message.clone())).into());
    }

    fn command(&mut self, message: &Message, now: Instant) {
        match &message.command {
            Command::PING(token, _) => self.out.push_back(Command::PONG(token.clone(), None).into()),
            Command::PONG(server, token) => self.answered(token.as_ref().unwrap_or(server), now),
            Command::ERROR(text) => self.closed_by_server(text),
            Command::CAP(_, sub, first, second) => self.capability(*sub, first.as_deref(), second.as_deref()),
            Command::AUTHENTICATE(data) => self.challenge(data),
            Command::BATCH(..) => self.batch(message),
            Command::CHGHOST(user, host) if self.is_me(message) => self.identity.is_at(user, host),
            Command::NICK(nick) => self.renamed(message, nick, now),
            Command::UserMODE(_, modes) => self.own_modes(modes, now),
            Command::PRIVMSG(target, text) => {
                self.heard(message, target, text, now);
                self.asked(message, target, text, now);
            }
            Command::NOTICE(target, text) => self.heard(message, target, text, now),
            Command::Raw(name, parameters) if name == "FAIL" => self.failed(parameters, message, now),
            Command::Raw(name, _) if name == "ACK" => self.acknowledged(message, now),
            _ => self.channel_command(message, now),
        }
    }

    fn numeric(&mut self, number: u16, parameters: &[String], message: &Message, now: Instant) {
        let parameter = |at: usize| parameters.get(at).map(String::as_str).unwrap_or_default();
        match number {
            1 => self.welcomed(parameter(0)),
            5 => self.identity.supports(parameters),
            376 | 422 => self.settle(now),
            396 => self.identity.hidden_behind(parameter(1)),
            303 => self.present(parameters.last().map(String::as_str).unwrap_or_default(), now),
            307 | 310..=313 | 318 | 330 => {
                self.whois(number, parameters, now);
                self.whois_of_asker(number, parameters, now);
            }
            354 => self.whox(parameters, now),
            324 | 353 => self.channel_reply(number, parameters),
            432 | 433 | 436 | 437 if !super::wire::is_channel(parameter(1)) => self.nick_refused(number, now),
            464..=466 => self.end_hopeless(parameters.last().map_or("refused", String::as_str)),
            900..=908 => self.login_numeric(number, parameters, now),
            400..=999 => self.refusal(number, parameters, message, now),
            _ => {}
        }
    }

    fn is_me(&self, message: &Message) -> bool {
        same(sender(message), self.identity.nick())
    }

    /// The server lets us in.
    fn welcomed(&mut self, nick: &str) {
        self.identity.is_called(nick);
        self.shared.figures().connected = true;
        tracing::info!(component = "irc", server = self.name(), nick, "Connected");
    }

    /// The welcome is over: what we are is told, and services are told who we are.
    fn settle(&mut self, now: Instant) {
        if !self.is_registering() {
            return;
        }
        self.set_user_modes();
        if self.wants_to_be_known() {
            self.phase = Phase::Settling { until: now + self.plan.settings.nickserv.wait.0 };
        } else {
            self.become_ready(now);
        }
    }

    /// Services know us.
    fn identified(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Settling { .. }) {
            self.become_ready(now);
        }
    }

    fn become_ready(&mut self, now: Instant) {
        self.phase = Phase::Ready;
        self.shared.figures().ready = true;
        self.show_channels();
        self.want_nick(now);
        tracing::info!(component = "irc", server = self.name(), nick = self.identity.nick(), "Ready");
    }

    fn is_registering(&self) -> bool {
        matches!(self.phase, Phase::Registering { .. })
    }

    /// Asks whether the server is there, and gives it up if it does not say so.
    fn check_pulse(&mut self, now: Instant) {
        // Before the welcome servers answer no PING, and registering has a limit of its own.
        if now < self.pulse.next || matches!(self.phase, Phase::Registering { .. }) {
            return;
        }
        if self.pulse.asked.is_some() {
            return self.close("the server does not answer our PING");
        }
        let token = self.ping();
        self.pulse = Pulse { next: now + self.plan.settings.ping_timeout.0, asked: Some((token, now)) };
    }

    /// Sends a PING; returns the token that its answer bears.
    fn ping(&mut self) -> String {
        let token = self.speech.next_token();
        self.out.push_back(Command::PING(token.clone(), None).into());
        token
    }

    /// The answer to a PING: everything that was sent before it has been dealt with.
    fn answered(&mut self, token: &str, now: Instant) {
        if let Some((_, asked)) = self.pulse.asked.take_if(|(asked, _)| asked == token) {
            self.shared.figures().lag = Some(now - asked);
            self.pulse.next = now + self.plan.settings.ping_interval.0;
        }
        self.barrier(token, now);
    }

    fn closed_by_server(&mut self, text: &str) {
        let banned = ["k-line", "k:line", "g-line", "g:line", "z:line", "banned"];
        let hopeless = banned.iter().any(|word| text.to_lowercase().contains(word));
        self.end.get_or_insert(End { why: format!("the server closes the connection: {text}"), hopeless });
    }

    fn close(&mut self, why: &str) {
        self.end.get_or_insert(End { why: why.to_owned(), hopeless: false });
    }

    fn end_hopeless(&mut self, why: &str) {
        self.end.get_or_insert(End { why: why.to_owned(), hopeless: true });
    }

    fn name(&self) -> &str {
        &self.plan.settings.name
    }
}

/// Nick, user and host of a sender.
fn full_prefix(message: &Message) -> Option<(&str, &str, &str)> {
    match &message.prefix {
        Some(Prefix::Nickname(nick, user, host)) => Some((nick, user, host)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
