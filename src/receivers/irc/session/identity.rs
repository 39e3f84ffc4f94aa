//! Who we are on the server: our nick, which may be taken, and what the server puts before our lines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use irc_proto::mode::{Mode, UserMode};
use irc_proto::{Command, Message};
use tokio::time::Instant;

use super::super::plan::{Plan, SAFE_NICK};
use super::super::wire::{MAX_SENT, raw, same, sender};
use super::{Phase, Session, full_prefix};

/// How often we look whether our nick has become free.
const NICK_WATCH: Duration = Duration::from_secs(15);

/// The least pause between two answers to other clients.
const CLIENT_ANSWERS: Duration = Duration::from_secs(2);

/// What servers allow if they do not say: user and host names.
const LONGEST_USER: usize = 10;
const LONGEST_HOST: usize = 63;

/// Tokens that are remembered of what the server supports; servers have a few dozen.
const MAX_TOKENS: usize = 300;

/// Who we are.
pub(super) struct Identity {
    nick: String,
    /// User and host as others see them, once we have been told.
    place: Option<(String, String)>,
    /// Which of the plan's nicks is being tried.
    attempt: usize,
    /// Whether the server takes short nicks only.
    short: bool,
    supported: BTreeMap<String, String>,
    modes: BTreeSet<char>,
    /// When to look for our nick again; `None` if we have it.
    watch_at: Option<Instant>,
    /// When other clients are answered again.
    answer_from: Instant,
}

impl Identity {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            nick: plan.nicks[0].clone(),
            place: None,
            attempt: 0,
            short: false,
            supported: BTreeMap::new(),
            modes: BTreeSet::new(),
            watch_at: None,
            answer_from: now,
        }
    }

    pub(super) fn nick(&self) -> &str {
        &self.nick
    }

    /// User and host as others see them, if we know.
    pub(super) fn place(&self) -> Option<&(String, String)> {
        self.place.as_ref()
    }

    pub(super) fn is_called(&mut self, nick: &str) {
        nick.clone_into(&mut self.nick);
    }

    pub(super) fn is_at(&mut self, user: &str, host: &str) {
        if !host.is_empty() {
            self.place = Some((user.to_owned(), host.to_owned()));
        }
    }

    /// `host` or `user@host`.
    pub(super) fn hidden_behind(&mut self, place: &str) {
        let (user, host) = place.split_once('@').map_or((None, place), |(user, host)| (Some(user), host));
        let before = self.place.as_ref().map(|(user, _)| user.clone());
        if let Some(user) = user.map(str::to_owned).or(before) {
            self.is_at(&user, host);
        }
    }

    /// RPL_ISUPPORT: our nick, tokens, and a few words.
    pub(super) fn supports(&mut self, parameters: &[String]) {
        for token in parameters.iter().skip(1).filter(|token| !token.contains(' ')) {
            let (name, value) = token.split_once('=').unwrap_or((token, ""));
            if self.supported.len() < MAX_TOKENS {
                self.supported.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) fn supported(&self, name: &str) -> Option<&str> {
        self.supported.get(name).map(String::as_str)
    }

    fn limit(&self, name: &str, unless_told: usize) -> usize {
        self.supported(name).and_then(|value| value.parse().ok()).unwrap_or(unless_told)
    }

    /// The bytes of text that a line to `target` may have, so that the server need not cut it: it carries 512 with its
    /// end, and puts before the text who says it, and to whom.
    pub(super) fn budget(&self, command: &str, target: &str, plan: &Plan) -> usize {
        let (user, host) = match &self.place {
            Some((user, host)) => (user.len(), host.len()),
            // A tilde may come before the user.
            None => (
                self.limit("USERLEN", plan.settings.username.len().max(LONGEST_USER)) + 1,
                self.limit("HOSTLEN", LONGEST_HOST),
            ),
        };
        let around =
            ":!@ ".len() + self.nick.len() + user + host + command.len() + " ".len() + target.len() + " :".len();
        MAX_SENT.saturating_sub(around)
    }
}

impl Session {
    /// Our nick is taken, or none: the next one is tried.
    pub(super) fn nick_refused(&mut self, number: u16, now: Instant) {
        if !self.is_registering() {
            // Somebody still has the nick that we want.
            self.identity.watch_at = self.identity.watch_at.map(|_| now + NICK_WATCH);
            return;
        }
        let identity = &mut self.identity;
        if number == 432 && !identity.short {
            identity.short = true;
        } else {
            identity.attempt += 1;
        }
        match self.plan.nicks.get(self.identity.attempt) {
            Some(nick) => {
                let nick = if self.identity.short { shortened(nick) } else { nick.clone() };
                self.identity.is_called(&nick);
                self.out.push_back(Command::NICK(nick).into());
            }
            None => self.close("all our nicks are taken"),
        }
    }

    /// Looks after our nick if it is not the one that we want.
    pub(super) fn want_nick(&mut self, now: Instant) {
        self.identity.watch_at = None;
        if self.phase != Phase::Ready || self.has_wanted_nick() {
            return;
        }
        if self.plan.settings.regain_nick || !self.plan.nicks.iter().any(|nick| same(nick, self.identity.nick())) {
            self.identity.watch_at = Some(now);
        }
    }

    /// Servers cut a nick to what they take.
    fn has_wanted_nick(&self) -> bool {
        let (wanted, nick) = (&self.plan.nicks[0], self.identity.nick());
        let longest = self.identity.limit("NICKLEN", usize::MAX);
        same(wanted, nick)
            || (nick.len() >= longest.min(SAFE_NICK) && same(&wanted[..wanted.len().min(nick.len())], nick))
    }

    pub(super) fn nick_deadline(&self) -> Option<Instant> {
        self.identity.watch_at
    }

    /// Asks whether somebody has our nick.
    pub(super) fn watch_nick(&mut self, now: Instant) {
        if self.identity.watch_at.is_some_and(|at| at <= now) {
            self.identity.watch_at = Some(now + NICK_WATCH);
            self.out.push_back(raw("ISON", &[&self.plan.nicks[0]]));
            self.reclaim_nick();
        }
    }

    /// The answer to ISON. A nick that is free becomes ours.
    pub(super) fn present(&mut self, nicks: &str, now: Instant) {
        let wanted = &self.plan.nicks[0];
        if self.identity.watch_at.is_some() && !nicks.split(' ').any(|nick| same(nick, wanted)) {
            self.out.push_back(Command::NICK(wanted.clone()).into());
            self.identity.watch_at = Some(now + NICK_WATCH);
        }
    }

    /// Somebody, perhaps we, has another nick.
    pub(super) fn renamed(&mut self, message: &Message, nick: &str, now: Instant) {
        if self.is_me(message) {
            self.identity.is_called(nick);
            self.want_nick(now);
        } else {
            self.left(sender(message), now);
        }
    }

    /// Somebody does not use `nick` any more.
    pub(super) fn left(&mut self, nick: &str, now: Instant) {
        if self.identity.watch_at.is_some() && same(nick, &self.plan.nicks[0]) {
            self.out.push_back(Command::NICK(nick.to_owned()).into());
            self.identity.watch_at = Some(now + NICK_WATCH);
        }
    }

    /// A line of ours shows what others see of us.
    pub(super) fn saw_myself(&mut self, message: &Message) {
        if let Some((_, user, host)) = full_prefix(message) {
            self.identity.is_at(user, host);
        }
    }

    pub(super) fn own_modes(&mut self, modes: &[Mode<UserMode>], now: Instant) {
        for mode in modes {
            let (letter, on) = match mode {
                Mode::Plus(mode, _) | Mode::NoPrefix(mode) => (mode.to_string(), true),
                Mode::Minus(mode, _) => (mode.to_string(), false),
            };
            let Some(letter) = letter.chars().next() else { continue };
            if on {
                self.identity.modes.insert(letter);
            } else {
                self.identity.modes.remove(&letter);
            }
            // Services mark those whom they know.
            if on && matches!(letter, 'r' | 'R') {
                self.identified(now);
            }
        }
    }

    /// Whether services have marked us as somebody they know.
    pub(super) fn is_marked(&self) -> bool {
        self.identity.modes.contains(&'r') || self.identity.modes.contains(&'R')
    }

    /// Answers what clients ask each other (CTCP), now and then; nobody can make us answer as fast as he asks.
    pub(super) fn asked_by_client(&mut self, nick: &str, text: &str, now: Instant) {
        let Some(question) = text.strip_prefix('\x01').map(|text| text.trim_end_matches('\x01')) else { return };
        let answer = match question.split(' ').next() {
            Some("VERSION") => format!("VERSION {}", crate::version::PROGRAM),
            Some("PING") => question.to_owned(),
            _ => return,
        };
        if !nick.is_empty() && self.identity.answer_from <= now {
            self.identity.answer_from = now + CLIENT_ANSWERS;
            self.answer(nick, vec![format!("\x01{answer}\x01")], now);
        }
    }

    /// Says that we are a bot, where the server knows how to, and keeps us out of lists.
    pub(super) fn set_user_modes(&mut self) {
        let configured = &self.plan.settings.user_modes;
        let modes = match configured.as_str() {
            "auto" => format!("+i{}", self.identity.supported("BOT").unwrap_or_default()),
            modes => modes.to_owned(),
        };
        if !modes.is_empty() {
            self.out.push_back(raw("MODE", &[self.identity.nick(), &modes]));
        }
    }
}

/// What every server takes of `nick`, with what tells it from the others kept.
fn shortened(nick: &str) -> String {
    let (stem, suffix) = nick.rfind('_').map_or((nick, ""), |at| nick.split_at(at));
    format!("{}{suffix}", &stem[..stem.len().min(SAFE_NICK.saturating_sub(suffix.len()))])
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_short_nick_keeps_its_suffix() {
        assert_eq!(shortened("alerts-pager-02"), "alerts-pa");
        assert_eq!(shortened("alerts-pager-02_3"), "alerts-_3");
        assert_eq!(shortened("al"), "al");
    }
}
