//! NickServ: logging in after the welcome, where SASL did not do it, and getting our nick back from our own ghost. A
//! password goes only to whom the server itself vouches for.

use irc_proto::{Command, Message};
use tokio::time::Instant;

use super::super::plan::fill;
use super::super::wire::{raw, same, sender};
use super::{Phase, Session};

/// What was found out about the service.
#[derive(Default)]
pub(super) struct Nickserv {
    step: Step,
    /// The server that the service is on, as WHOIS says.
    server: String,
    /// Whether WHOIS says that it is an operator or a network service.
    vouched_for: bool,
    /// User and host of who has our nick.
    holder: Option<(String, String)>,
    ghosted: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// WHOIS was asked of the service.
    Asking,
    /// It was told who we are; WHOIS of ourselves tells whether it believed us.
    Told,
}

impl Session {
    /// Begins to make us known to services, if there is a way left; else there is nothing to wait for.
    pub(super) fn wants_to_be_known(&mut self) -> bool {
        if self.login.account().is_some() || self.is_marked() {
            return false;
        }
        let enabled = match self.plan.settings.nickserv.enabled.as_str() {
            "auto" => !self.nickserv_password().is_empty(),
            enabled => enabled == "true",
        };
        if enabled {
            self.nickserv = Nickserv { step: Step::Asking, ..Nickserv::default() };
            self.out.push_back(raw("WHOIS", &[self.service_nick()]));
        }
        let tls = &self.plan.settings.tls_config;
        // A certificate makes us known by itself, a moment after the welcome.
        enabled || !(tls.cert.is_empty() && tls.cert_file.is_empty())
    }

    /// NickServ's own password, or else the one for SASL.
    fn nickserv_password(&self) -> &str {
        if self.secrets.nickserv.is_empty() { &self.secrets.sasl } else { &self.secrets.nickserv }
    }

    fn service_nick(&self) -> &str {
        let service = &self.plan.settings.nickserv.service;
        service.split_once('@').map_or(service, |(nick, _)| nick)
    }

    /// A line of the answer to a WHOIS: of the service, of ourselves, or of who has our nick.
    pub(super) fn whois(&mut self, number: u16, parameters: &[String], now: Instant) {
        let parameter = |at: usize| parameters.get(at).map(String::as_str).unwrap_or_default();
        let nick = parameter(1);
        if same(nick, self.service_nick()) && self.nickserv.step == Step::Asking {
            match number {
                312 => parameter(2).clone_into(&mut self.nickserv.server),
                310 | 313 => self.nickserv.vouched_for = true,
                318 => self.introduce_ourselves(),
                _ => {}
            }
        }
        if same(nick, self.identity.nick()) {
            match number {
                330 | 307 => self.identified(now),
                311 => self.identity.is_at(parameter(2), parameter(3)),
                _ => {}
            }
        } else if same(nick, &self.plan.nicks[0]) {
            match number {
                311 => self.nickserv.holder = Some((parameter(2).to_owned(), parameter(3).to_owned())),
                318 => self.drive_out_ghost(),
                _ => {}
            }
        }
    }

    /// Tells the service who we are, if it is the service.
    fn introduce_ourselves(&mut self) {
        self.nickserv.step = Step::Told;
        let service = self.plan.settings.nickserv.service.clone();
        let vouched_for = match service.split_once('@') {
            Some((_, server)) => server.eq_ignore_ascii_case(&self.nickserv.server),
            None => self.nickserv.vouched_for,
        };
        if !vouched_for {
            tracing::warn!(component = "irc", server = self.name(), %service, on = self.nickserv.server, "Not logging in: this is not the network's service, as far as the server says");
            return;
        }
        let settings = &self.plan.settings.nickserv;
        let account = if settings.account.is_empty() { self.sasl_account() } else { &settings.account };
        let values = [("Account", account), ("Password", self.nickserv_password())];
        let command = fill(&settings.identify_command, &values).unwrap_or_default();
        self.out.push_back(Command::PRIVMSG(service, command).into());
    }

    /// Whatever the service says, it may mean that we are known now.
    pub(super) fn heard_service(&mut self, message: &Message) {
        let waits = matches!(self.phase, Phase::Settling { .. }) && self.nickserv.step == Step::Told;
        if waits && same(sender(message), self.service_nick()) {
            self.out.push_back(raw("WHOIS", &[self.identity.nick()]));
        }
    }

    /// Looks at who has our nick: only a ghost of our own is driven out, and only once a connection.
    pub(super) fn reclaim_nick(&mut self) {
        if !self.nickserv.ghosted && (self.login.account().is_some() || self.is_marked()) {
            self.nickserv.ghosted = true;
            self.out.push_back(raw("WHOIS", &[&self.plan.nicks[0]]));
        }
    }

    fn drive_out_ghost(&mut self) {
        let ours = self.identity.place();
        if self.nickserv.holder.take().is_some_and(|holder| Some(&holder) == ours) {
            let (service, nick) = (self.plan.settings.nickserv.service.clone(), &self.plan.nicks[0]);
            self.out.push_back(Command::PRIVMSG(service, format!("GHOST {nick}")).into());
        }
    }
}
