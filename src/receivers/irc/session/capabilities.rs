//! Capabilities (IRCv3 capability-negotiation, 302): what the server offers, and what of it we use.

use std::collections::{BTreeMap, BTreeSet};

use irc_proto::{CapSubCommand, Command};

use super::super::wire::raw;
use super::Session;

/// What we can use, login apart.
const USEFUL: [&str; 9] = [
    "account-notify",
    "account-tag",
    "batch",
    "chghost",
    "echo-message",
    "extended-join",
    "labeled-response",
    "message-tags",
    "multi-prefix",
];

/// Names that are remembered of an offer; a server has a few dozen.
const MAX_OFFERED: usize = 500;

/// The state of the negotiation.
#[derive(Default)]
pub(super) struct Capabilities {
    /// With their values.
    offered: BTreeMap<String, String>,
    enabled: BTreeSet<String>,
    /// Asked for and not answered.
    pending: BTreeSet<String>,
}

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.enabled.contains(name)
    }

    /// The value under which something is offered; for `sasl`, mechanisms with commas.
    pub(super) fn offer(&self, name: &str) -> Option<&str> {
        self.offered.get(name).map(String::as_str)
    }

    fn offer_more(&mut self, list: &str) {
        for word in list.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if self.offered.len() < MAX_OFFERED {
                self.offered.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Session {
    /// Opens the conversation: capabilities first, which holds the welcome back until `CAP END`.
    pub(super) fn register(&mut self) {
        self.out.push_back(raw("CAP", &["LS", "302"]));
        if !self.secrets.server.is_empty() {
            self.out.push_back(Command::PASS(self.secrets.server.clone()).into());
        }
        self.out.push_back(Command::NICK(self.identity.nick().to_owned()).into());
        let (user, realname) = (&self.plan.settings.username, &self.plan.realname);
        self.out.push_back(Command::USER(user.clone(), "0".to_owned(), realname.clone()).into());
    }

    /// `first` is `*` if more lines of the same list follow; the list is in what comes last.
    pub(super) fn capability(&mut self, sub: CapSubCommand, first: Option<&str>, second: Option<&str>) {
        let list = second.or(first).unwrap_or_default();
        match sub {
            CapSubCommand::LS => {
                self.capabilities.offer_more(list);
                if second.is_none() {
                    self.ask_for_useful();
                }
            }
            CapSubCommand::NEW => {
                self.capabilities.offer_more(list);
                self.ask_for_useful();
            }
            CapSubCommand::DEL => {
                for name in list.split_whitespace() {
                    self.capabilities.offered.remove(name);
                    self.capabilities.enabled.remove(name);
                }
            }
            CapSubCommand::ACK => self.granted(list),
            CapSubCommand::NAK => self.denied(list),
            _ => {}
        }
    }

    fn ask_for_useful(&mut self) {
        if self.is_registering() && self.plan.settings.sasl.required && !self.can_log_in() {
            return self.login_failed("the server offers no SASL mechanism that we have what it takes for");
        }
        let mut names: Vec<&str> = USEFUL.into_iter().filter(|name| self.is_news(name)).collect();
        if self.is_news("sasl") && self.can_log_in() {
            names.push("sasl");
        }
        if !names.is_empty() {
            self.out.push_back(raw("CAP", &["REQ", &names.join(" ")]));
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            self.capabilities.pending.extend(names);
        }
        self.settle_capabilities();
    }

    fn is_news(&self, name: &str) -> bool {
        let Capabilities { offered, enabled, pending } = &self.capabilities;
        offered.contains_key(name) && !enabled.contains(name) && !pending.contains(name)
    }

    fn granted(&mut self, list: &str) {
        for name in list.split_whitespace() {
            self.capabilities.pending.remove(name);
            if let Some(lost) = name.strip_prefix('-') {
                self.capabilities.enabled.remove(lost);
            } else {
                self.capabilities.enabled.insert(name.to_owned());
            }
        }
        self.settle_capabilities();
    }

    /// A refusal is of a whole list, so that those of a longer one are asked for singly.
    fn denied(&mut self, list: &str) {
        let names: Vec<&str> = list.split_whitespace().collect();
        if let [name] = names[..] {
            self.capabilities.pending.remove(name);
            self.capabilities.offered.remove(name);
        } else {
            self.out.extend(names.iter().map(|name| raw("CAP", &["REQ", name])));
        }
        self.settle_capabilities();
    }

    /// Logs in once everything is answered, or goes on.
    fn settle_capabilities(&mut self) {
        if !self.capabilities.pending.is_empty() {
            return;
        }
        if self.capabilities.has("sasl") && self.login.is_open() {
            self.log_in();
        } else {
            self.end_negotiation();
        }
    }

    /// Lets the welcome come.
    pub(super) fn end_negotiation(&mut self) {
        if self.is_registering() && !self.login.is_running() {
            self.out.push_back(raw("CAP", &["END"]));
        }
    }
}
