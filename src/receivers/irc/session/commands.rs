//! Commands from people in channels: which of the bots answers, whether the asker may, and how often. What is to be done
//! then is somebody else's: it goes out as a [`IrcRequest`].

use std::collections::{BTreeMap, VecDeque};

use irc_proto::Message;
use tokio::time::Instant;

use super::super::plan::fill;
use super::super::request::{IrcRequest, IrcSubject, IrcWant};
use super::super::wire::{fold, is_channel, raw, same, sender, tag};
use super::super::wish::{HELP, Wish};
use super::Session;

/// Askers whose account is being found out; more are not listened to.
const MAX_PENDING: usize = 20;

/// People whose commands are counted; the count begins anew if there are more.
const MAX_COUNTED: usize = 1000;

/// Marks our questions to WHOX, and the fields that we ask for: the mark, the nick, the account.
const WHOX_TOKEN: &str = "77";
const WHOX_FIELDS: &str = "%tna,77";

/// What is being asked, and by whom.
#[derive(Default)]
pub(super) struct Commands {
    /// Those whose account the server is being asked for.
    pending: VecDeque<Pending>,
    /// When each asker gave commands.
    given: BTreeMap<String, VecDeque<Instant>>,
    /// What others are to do.
    requests: VecDeque<IrcRequest>,
}

struct Pending {
    nick: String,
    channel: String,
    wish: Wish,
    /// What WHOIS has said so far.
    account: Option<String>,
    uses_own_nick: bool,
}

/// What makes an asker known.
enum Known {
    /// Services' name for him.
    As(String),
    /// Only his nick is services', and he has a status in the channel.
    ByNick(String),
    Not,
}

impl Session {
    /// What is to be done for somebody.
    pub(in super::super) fn request(&mut self) -> Option<IrcRequest> {
        self.commands.requests.pop_front()
    }

    /// Somebody spoke in a channel. If it was a command, and ours to answer, it is judged.
    pub(super) fn asked(&mut self, message: &Message, channel: &str, text: &str, now: Instant) {
        let settings = &self.plan.settings.commands;
        let listens = settings.channels.is_empty() || settings.channels.iter().any(|name| same(name, channel));
        if !settings.enabled || !listens || !is_channel(channel) || self.is_me(message) {
            return;
        }
        let wish = text.strip_prefix(settings.prefix.as_str()).and_then(Wish::parse);
        let nick = sender(message).to_owned();
        match wish {
            Some(Ok(wish)) if self.is_ours_to_answer(channel, &wish) => {
                self.identify(message, nick, channel, wish, now)
            }
            Some(Err(usage)) if self.is_first_bot(channel) && self.may_ask_again(&nick, now) => {
                self.tell(&nick, usage, now)
            }
            _ => {}
        }
    }

    /// One bot answers: the one that said what the command is about, or else the first by nick.
    fn is_ours_to_answer(&mut self, channel: &str, wish: &Wish) -> bool {
        let Wish::Ack { id, .. } = wish else { return self.is_first_bot(channel) };
        let said_by = self.memory.seen.get(&(fold(channel), id.clone())).map(|nick| fold(nick));
        let peer_said = said_by.is_some_and(|nick| self.peers_in(channel).any(|peer| *peer == nick));
        match (self.memory.meanings.get(id).is_some(), peer_said) {
            (true, false) => true,
            (false, true) => false,
            _ => self.is_first_bot(channel),
        }
    }

    fn is_first_bot(&mut self, channel: &str) -> bool {
        let me = fold(self.identity.nick());
        self.peers_in(channel).all(|peer| me < *peer)
    }

    /// Finds out who asks, if that matters: from the message itself, or else from the server.
    fn identify(&mut self, message: &Message, nick: String, channel: &str, wish: Wish, now: Instant) {
        let everybody = self.plan.settings.commands.read_accounts.iter().any(|account| account == "*");
        if self.capabilities.has("account-tag") {
            let known = tag(message, "account").map_or(Known::Not, |account| Known::As(account.to_owned()));
            return self.judge(&nick, channel, wish, known, now);
        }
        if !wish.changes() && everybody {
            return self.judge(&nick, channel, wish, Known::Not, now);
        }
        // Who asks too much must not make us ask too much.
        if self.commands.pending.len() >= MAX_PENDING || !self.spend_line() {
            return;
        }
        self.out.push_back(match self.identity.supported("WHOX") {
            Some(_) => raw("WHO", &[&nick, WHOX_FIELDS]),
            None => raw("WHOIS", &[&nick]),
        });
        let channel = channel.to_owned();
        self.commands.pending.push_back(Pending { nick, channel, wish, account: None, uses_own_nick: false });
    }

    /// The answer to WHOX (354): the token, the nick, the account or `0`.
    pub(super) fn whox(&mut self, parameters: &[String], now: Instant) {
        let [_, token, nick, account] = parameters else { return };
        if token == WHOX_TOKEN
            && let Some(asker) = self.pending(nick)
        {
            let known = if account == "0" { Known::Not } else { Known::As(account.clone()) };
            self.judge(&asker.nick, &asker.channel, asker.wish, known, now);
        }
    }

    /// A line of the answer to WHOIS: 330 names the account, 307 says that the nick is his own, 318 ends it.
    pub(super) fn whois_of_asker(&mut self, number: u16, parameters: &[String], now: Instant) {
        let nick = parameters.get(1).map(String::as_str).unwrap_or_default();
        let Some(asker) = self.commands.pending.iter_mut().find(|asker| same(&asker.nick, nick)) else { return };
        match number {
            330 => asker.account = parameters.get(2).cloned(),
            307 => asker.uses_own_nick = true,
            318 => {
                let Some(asker) = self.pending(nick) else { return };
                let known = match asker.account {
                    Some(account) => Known::As(account),
                    None if asker.uses_own_nick => Known::ByNick(asker.nick.clone()),
                    None => Known::Not,
                };
                self.judge(&asker.nick, &asker.channel, asker.wish, known, now);
            }
            _ => {}
        }
    }

    fn pending(&mut self, nick: &str) -> Option<Pending> {
        let at = self.commands.pending.iter().position(|asker| same(&asker.nick, nick))?;
        self.commands.pending.remove(at)
    }

    /// Grants a wish, or says why not.
    fn judge(&mut self, nick: &str, channel: &str, wish: Wish, known: Known, now: Instant) {
        let settings = &self.plan.settings.commands;
        let weak = settings.allow_weak_auth && self.has_status(channel, nick);
        let account = match known {
            Known::As(account) => Some(account),
            Known::ByNick(account) => Some(account).filter(|_| weak),
            Known::Not => None,
        };
        let asker = account.clone().unwrap_or_else(|| nick.to_owned());
        if !self.may_ask_again(&asker, now) {
            return;
        }
        let settings = &self.plan.settings.commands;
        let allowed = if wish.changes() { &settings.accounts } else { &settings.read_accounts };
        let everybody = !wish.changes() && allowed.iter().any(|name| name == "*");
        let named = account.as_ref().is_some_and(|account| allowed.iter().any(|name| same(name, account)));
        tracing::info!(component = "irc", server = self.name(), %nick, account, channel, ?wish, allowed = everybody || named, "Command");
        if !everybody && !named {
            return self.tell(nick, "you are not allowed to, as far as services say who you are".to_owned(), now);
        }
        if wish.lasts().is_some_and(|lasts| lasts > settings.max_silence.0) {
            let text = format!("no longer than {}, please", settings.max_silence);
            return self.tell(nick, text, now);
        }
        self.grant(nick, channel, wish, asker, now);
    }

    fn grant(&mut self, nick: &str, channel: &str, wish: Wish, account: String, now: Instant) {
        let settings = &self.plan.settings.commands;
        let wants = match wish {
            Wish::Help => {
                let lines = HELP.map(|line| format!("{}{line}", settings.prefix));
                return self.answer(nick, lines.into(), now);
            }
            Wish::Status => IrcWant::Status,
            Wish::Alerts { matchers } => IrcWant::Alerts { matchers },
            Wish::Unsilence { id } => IrcWant::Unsilence { id },
            Wish::Silence { matchers, lasts, comment } => {
                IrcWant::Silence { subject: IrcSubject::Matchers(matchers), lasts, comment }
            }
            Wish::Ack { id, lasts, comment } => {
                let Some(group) = self.memory.meanings.get(&id).cloned() else {
                    return self.tell(nick, format!("there is no message ⟨{id}⟩ that I remember"), now);
                };
                let words = fill(&settings.ack_comment, &[("Account", &account)]).unwrap_or_default();
                let comment = if comment.is_empty() { words } else { format!("{words}: {comment}") };
                IrcWant::Silence {
                    subject: IrcSubject::Group(group),
                    lasts: lasts.unwrap_or(settings.ack_duration.0),
                    comment,
                }
            }
        };
        let server = self.name().to_owned();
        self.commands.requests.push_back(IrcRequest { server, channel: channel.to_owned(), account, wants });
    }

    /// Counts a command; false if there have been too many.
    fn may_ask_again(&mut self, asker: &str, now: Instant) -> bool {
        let (most, per) = self.plan.command_rate;
        if self.commands.given.len() >= MAX_COUNTED {
            self.commands.given.clear();
        }
        let given = self.commands.given.entry(fold(asker)).or_default();
        while given.front().is_some_and(|at| *at + per <= now) {
            given.pop_front();
        }
        let may = given.len() < most;
        if may {
            given.push_back(now);
        }
        may
    }

    fn tell(&mut self, nick: &str, text: String, now: Instant) {
        self.answer(nick, vec![text], now);
    }
}
