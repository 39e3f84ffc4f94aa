//! The channels we are in, or want to be in: joining, being let in, being thrown out, and what each allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use irc_proto::{Command, Message};
use tokio::time::Instant;

use super::super::plan::Plan;
use super::super::random::share;
use super::super::wire::{fold, is_channel, raw, same, sender};
use super::{Phase, Secrets, Session};

/// Channels that we are in at once; servers allow a few dozen to a hundred.
const MAX_CHANNELS: usize = 100;

/// People with a status who are remembered of a channel.
const MAX_STANDING_OUT: usize = 500;

/// How long a server may take to let us in or not.
const JOIN_LIMIT: Duration = Duration::from_secs(30);

/// The pause after a refusal: random, below a bound that doubles from the first to the last.
const FIRST_REJOIN: Duration = Duration::from_secs(5);
const LAST_REJOIN: Duration = Duration::from_secs(60);

/// The least pause before somebody who has something to say makes us try again.
const EAGER_REJOIN: Duration = Duration::from_secs(3);

/// The channels by folded name.
#[derive(Default)]
pub(super) struct Channels(BTreeMap<String, Channel>);

pub(super) struct Channel {
    pub(super) name: String,
    pub(super) key: String,
    /// Whether the plan wants us here; if not, a message does.
    standing: bool,
    place: Place,
    /// Why we were not let in the last time.
    refusal: Option<String>,
    refusals: u32,
    /// The channel's modes, without their arguments.
    modes: String,
    /// Whether its modes, or who is in it, are to be asked for again.
    asks_for_modes: bool,
    asks_for_names: bool,
    /// Whether we have a status here, such as operator or voice.
    status: bool,
    /// Those who have one, folded; only kept where it may make somebody's commands count.
    standing_out: BTreeSet<String>,
    /// Those of the plan's peers who are here, folded.
    peers: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not in; when to try.
    Out {
        tried: Option<Instant>,
        next: Instant,
    },
    Joining {
        until: Instant,
    },
    In,
}

/// Where a message to a channel stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Open,
    Wait,
    Refused(String),
}

impl Channels {
    /// Takes over the plan's channels; returns those to leave.
    pub(super) fn follow(&mut self, plan: &Plan, secrets: &Secrets, now: Instant) -> Vec<String> {
        let mut left = Vec::new();
        self.0.retain(|folded, channel| {
            let stays = plan.channels.iter().any(|(name, _)| fold(name) == *folded);
            if !stays && channel.standing && channel.place == Place::In {
                left.push(channel.name.clone());
            }
            stays || !channel.standing
        });
        for ((name, _), key) in plan.channels.iter().zip(&secrets.channels) {
            let channel = self.0.entry(fold(name)).or_insert_with(|| Channel::new(name, now));
            channel.standing = true;
            key.clone_into(&mut channel.key);
        }
        left
    }

    fn get(&mut self, name: &str) -> Option<&mut Channel> {
        self.0.get_mut(&fold(name))
    }
}

impl Channel {
    fn new(name: &str, now: Instant) -> Self {
        Self {
            name: name.to_owned(),
            key: String::new(),
            standing: false,
            place: Place::Out { tried: None, next: now },
            refusal: None,
            refusals: 0,
            modes: String::new(),
            asks_for_modes: false,
            asks_for_names: false,
            status: false,
            standing_out: BTreeSet::new(),
            peers: BTreeSet::new(),
        }
    }

    fn wants(&self, now: Instant) -> bool {
        match self.place {
            Place::Out { next, .. } => next <= now,
            Place::Joining { .. } => false,
            Place::In => self.asks_for_modes || self.asks_for_names,
        }
    }

    /// We are out; another attempt follows after a pause.
    fn out(&mut self, why: String, now: Instant) {
        let bound = FIRST_REJOIN.mul_f64(f64::from(2_u32.saturating_pow(self.refusals.min(8)))).min(LAST_REJOIN);
        self.refusals += 1;
        self.refusal = Some(why);
        self.place = Place::Out { tried: Some(now), next: now + bound.mul_f64(share()) };
        (self.status, self.modes) = (false, String::new());
        self.peers.clear();
        self.standing_out.clear();
    }
}

impl Session {
    /// Where a message to `name` stands; a channel that we are not in is joined for it.
    pub(super) fn entry(&mut self, name: &str, key: &str, now: Instant) -> Entry {
        if !self.channels.0.contains_key(&fold(name)) {
            if self.channels.0.len() >= MAX_CHANNELS {
                return Entry::Refused(format!("we are in {MAX_CHANNELS} channels already"));
            }
            self.channels.0.insert(fold(name), Channel::new(name, now));
        }
        let Some(channel) = self.channels.get(name) else { return Entry::Wait };
        if !key.is_empty() {
            key.clone_into(&mut channel.key);
        }
        match (channel.place, &channel.refusal) {
            (Place::In, _) => Entry::Open,
            (Place::Out { tried: Some(tried), .. }, Some(why)) if now < tried + EAGER_REJOIN => {
                Entry::Refused(why.clone())
            }
            (Place::Out { tried, next }, _) => {
                channel.place = Place::Out { tried, next: next.min(now) };
                Entry::Wait
            }
            (Place::Joining { .. }, _) => Entry::Wait,
        }
    }

    /// Whether there is a line to be sent about channels: to join one, or to ask about one.
    pub(super) fn channels_want(&self, now: Instant) -> bool {
        self.phase == Phase::Ready && self.channels.0.values().any(|channel| channel.wants(now))
    }

    /// Sends the next such line.
    pub(super) fn next_for_channels(&mut self, now: Instant) {
        let Some(channel) = self.channels.0.values_mut().find(|channel| channel.wants(now)) else { return };
        let name = channel.name.clone();
        self.out.push_back(if let Place::Out { .. } = channel.place {
            channel.place = Place::Joining { until: now + JOIN_LIMIT };
            let key = (!channel.key.is_empty()).then(|| channel.key.clone());
            Command::JOIN(name, key, None).into()
        } else if std::mem::take(&mut channel.asks_for_names) {
            raw("NAMES", &[&name])
        } else {
            channel.asks_for_modes = false;
            raw("MODE", &[&name])
        });
    }

    /// Gives up waiting for answers to JOIN.
    pub(super) fn check_joins(&mut self, now: Instant) {
        for channel in self.channels.0.values_mut() {
            if matches!(channel.place, Place::Joining { until } if until <= now) {
                channel.out("the server did not answer to JOIN".to_owned(), now);
            }
        }
    }

    pub(super) fn channels_deadline(&self) -> Option<Instant> {
        let ready = self.phase == Phase::Ready;
        let due = |channel: &Channel| match channel.place {
            Place::Out { next, .. } => Some(next).filter(|_| ready),
            Place::Joining { until } => Some(until),
            Place::In => None,
        };
        self.channels.0.values().filter_map(due).min()
    }

    /// Whether formatting may be sent to `target`.
    pub(super) fn takes_formatting(&mut self, target: &str) -> bool {
        is_channel(target) && self.channels.get(target).is_some_and(|channel| !channel.modes.contains(['c', 'S']))
    }

    /// Whether a NOTICE to `target` cannot be dropped without a word: we stand above what would drop it.
    pub(super) fn can_trust_notices(&mut self, target: &str) -> bool {
        self.channels.get(target).is_some_and(|channel| channel.status && !channel.modes.contains(['T', 'N']))
    }

    /// What happens in channels.
    pub(super) fn channel_command(&mut self, message: &Message, now: Instant) {
        match &message.command {
            Command::JOIN(name, ..) => self.joined(message, name),
            Command::PART(name, why) if self.is_me(message) => {
                self.thrown_out(name, &format!("parted ({})", why.as_deref().unwrap_or_default()), now);
            }
            Command::KICK(name, nick, why) if same(nick, self.identity.nick()) => {
                let why = format!("kicked by {} ({})", sender(message), why.as_deref().unwrap_or_default());
                self.thrown_out(name, &why, now);
            }
            Command::PART(name, _) => self.peer_left(name, sender(message)),
            Command::KICK(name, nick, _) => self.peer_left(name, nick),
            Command::QUIT(_) => {
                let gone = fold(sender(message));
                self.channels.0.values_mut().for_each(|channel| channel.peers.retain(|peer| *peer != gone));
                self.left(sender(message), now);
            }
            Command::ChannelMODE(name, modes) => {
                let nick = self.identity.nick().to_owned();
                let about_us = modes.iter().any(|mode| mode.arg().is_some_and(|who| same(who, &nick)));
                self.modes_changed(name, about_us);
            }
            Command::INVITE(nick, name) if same(nick, self.identity.nick()) => self.invited(name, now),
            _ => {}
        }
    }

    fn joined(&mut self, message: &Message, name: &str) {
        if !self.is_me(message) {
            let peer = fold(sender(message));
            if self.is_peer(&peer)
                && let Some(channel) = self.channels.get(name)
            {
                channel.peers.insert(peer);
            }
            return;
        }
        self.saw_myself(message);
        let Some(channel) = self.channels.get(name) else {
            // Somebody put us where we have nothing to say.
            return self.out.push_back(Command::PART(name.to_owned(), None).into());
        };
        (channel.place, channel.refusal, channel.refusals) = (Place::In, None, 0);
        (channel.status, channel.asks_for_modes) = (false, true);
        tracing::info!(component = "irc", server = self.name(), channel = name, "Joined");
        self.show_channels();
    }

    fn thrown_out(&mut self, name: &str, why: &str, now: Instant) {
        if let Some(channel) = self.channels.get(name) {
            channel.out(why.to_owned(), now);
            tracing::warn!(component = "irc", server = self.name(), channel = name, err = why, "Out of a channel");
            self.show_channels();
        }
    }

    fn peer_left(&mut self, name: &str, nick: &str) {
        if let Some(channel) = self.channels.get(name) {
            channel.peers.remove(&fold(nick));
        }
    }

    /// Asks again what the channel allows, and, if somebody's status changed that matters, who has which.
    fn modes_changed(&mut self, name: &str, about_us: bool) {
        let weak = self.plan.settings.commands.allow_weak_auth;
        let Some(channel) = self.channels.get(name).filter(|channel| channel.place == Place::In) else { return };
        channel.standing_out.clear();
        channel.asks_for_modes = true;
        channel.asks_for_names |= about_us || weak;
    }

    fn invited(&mut self, name: &str, now: Instant) {
        if let Some(channel) = self.channels.get(name)
            && let Place::Out { tried, .. } = channel.place
        {
            channel.place = Place::Out { tried, next: now };
        }
    }

    /// RPL_CHANNELMODEIS (324) and RPL_NAMREPLY (353).
    pub(super) fn channel_reply(&mut self, number: u16, parameters: &[String]) {
        match (number, parameters) {
            (324, [_, name, modes, ..]) => {
                if let Some(channel) = self.channels.get(name) {
                    modes.trim_start_matches('+').clone_into(&mut channel.modes);
                }
            }
            (353, [.., name, names]) => self.names(name, names),
            _ => {}
        }
    }

    /// Who is in a channel, with signs for their status before each.
    fn names(&mut self, name: &str, names: &str) {
        const SIGNS: [char; 5] = ['~', '&', '@', '%', '+'];
        let (me, weak) = (fold(self.identity.nick()), self.plan.settings.commands.allow_weak_auth);
        let nick = |word: &str| fold(word.trim_start_matches(SIGNS).split('!').next().unwrap_or_default());
        let peers: Vec<String> = names.split_whitespace().map(nick).filter(|nick| self.is_peer(nick)).collect();
        let Some(channel) = self.channels.get(name) else { return };
        for word in names.split_whitespace() {
            let (nick, stands_out) = (nick(word), word.starts_with(SIGNS));
            if nick == me {
                channel.status = stands_out;
            }
            if weak && stands_out && channel.standing_out.len() < MAX_STANDING_OUT {
                channel.standing_out.insert(nick);
            }
        }
        channel.peers.extend(peers);
    }

    /// The other nodes' bots in a channel, folded. All nodes may be given the same list, with our own nick in it.
    pub(super) fn peers_in(&self, name: &str) -> impl Iterator<Item = &String> {
        let me = fold(self.identity.nick());
        let channel = self.channels.0.get(&fold(name)).into_iter();
        channel.flat_map(|channel| &channel.peers).filter(move |peer| **peer != me)
    }

    /// Whether somebody has a status in a channel, as far as we have been told.
    pub(super) fn has_status(&mut self, name: &str, nick: &str) -> bool {
        self.channels.get(name).is_some_and(|channel| channel.standing_out.contains(&fold(nick)))
    }

    /// Whether `folded` is the nick of a node's bot.
    pub(super) fn is_peer(&self, folded: &str) -> bool {
        self.plan.settings.peer_nicks.iter().any(|peer| fold(peer) == folded)
    }

    /// A numeric about a channel that we are about to join. Returns whether it was.
    pub(super) fn join_refused(&mut self, number: u16, parameters: &[String], now: Instant) -> bool {
        let name = parameters.get(1).map(String::as_str).unwrap_or_default();
        let why = format!("{number} {}", parameters.last().map_or("", String::as_str));
        let Some(channel) = self.channels.get(name).filter(|channel| matches!(channel.place, Place::Joining { .. }))
        else {
            return false;
        };
        channel.out(why.clone(), now);
        tracing::warn!(component = "irc", server = self.name(), channel = name, err = why, "Cannot join a channel");
        if number == 470
            && let Some(elsewhere) = parameters.get(2)
        {
            self.out.push_back(Command::PART(elsewhere.clone(), None).into());
        }
        if number == 477 {
            // Only for those whom services know: they may have been away when we came.
            self.wants_to_be_known();
        }
        self.ask_chanserv(number, name);
        true
    }

    /// ChanServ may open a channel that does not let us in.
    fn ask_chanserv(&mut self, number: u16, name: &str) {
        let chanserv = &self.plan.settings.chanserv;
        let wish = match number {
            474 if chanserv.unban => "UNBAN",
            471 | 473 | 475 | 477 if chanserv.invite => "INVITE",
            _ => return,
        };
        self.out.push_back(Command::PRIVMSG(chanserv.service.clone(), format!("{wish} {name}")).into());
        if let Some(channel) = self.channels.get(name)
            && let Place::Out { tried: Some(tried), next } = channel.place
        {
            channel.place = Place::Out { tried: Some(tried), next: next.min(tried + EAGER_REJOIN) };
        }
    }

    /// We turn out not to be in a channel that we believed to be in.
    pub(super) fn not_in(&mut self, name: &str, now: Instant) {
        if self.channels.get(name).is_some_and(|channel| channel.place == Place::In) {
            self.thrown_out(name, "442 not on that channel", now);
        }
    }

    /// Shows which channels we are in.
    pub(super) fn show_channels(&mut self) {
        let shown =
            self.channels.0.values().map(|channel| (channel.name.clone(), channel.place == Place::In)).collect();
        self.shared.figures().channels = shown;
    }
}
