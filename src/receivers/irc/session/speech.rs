//! Speaking: who waits for which message, how fast lines go out, and what proves that each arrived.
//!
//! One line a target is on its way at a time, so that a refusal, which names only the target, is about that line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use irc_proto::{Command, Message};
use tokio::time::Instant;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::super::outcome::{permanent, transient};
use super::super::memory::LeftOut;
use super::super::plan::Plan;
use super::super::wire::{fold, is_channel};
use super::channels::Entry;
use super::order::{Confirm, Order, Style};
use super::proof::Rung;
use super::{Phase, Session};

/// Messages that may wait for their turn; at a line a second this is a quarter of an hour.
const MAX_JOBS: usize = 1000;

/// All that is waiting or on its way.
pub(super) struct Speech {
    pub(super) jobs: VecDeque<Job>,
    /// Lines that may be sent now; a part of one is saved up as well.
    allowance: f64,
    counted_at: Instant,
    tokens: u64,
    /// Labels by batch.
    pub(super) batches: BTreeMap<String, String>,
    /// Channels for which it was said that notices go out otherwise.
    notices_replaced: BTreeSet<String>,
    /// When a bot that goes before us last spoke, by folded channel.
    pub(super) peers_spoke: BTreeMap<String, Instant>,
}

/// A message under way.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) target: String,
    /// The lines as cut; empty until its first turn.
    pub(super) lines: Vec<String>,
    pub(super) told: usize,
    pub(super) flight: Option<Flight>,
    /// When it was ordered.
    pub(super) since: Instant,
    /// When waiting for the channel ends.
    entry_by: Option<Instant>,
}

pub(super) enum Work {
    Order(Box<Order>),
    /// The line about what was left out.
    Digest(LeftOut),
    /// An answer to a command.
    Answer,
}

/// A line on its way.
pub(super) struct Flight {
    pub(super) rung: Rung,
    pub(super) token: String,
    pub(super) text: String,
    bytes: usize,
    pub(super) until: Instant,
}

impl Speech {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            jobs: VecDeque::new(),
            allowance: f64::from(plan.settings.flood.burst),
            counted_at: now,
            tokens: 0,
            batches: BTreeMap::new(),
            notices_replaced: BTreeSet::new(),
            peers_spoke: BTreeMap::new(),
        }
    }

    pub(super) fn next_token(&mut self) -> String {
        self.tokens += 1;
        format!("wb{}", self.tokens)
    }

    fn count(&mut self, plan: &Plan, now: Instant) {
        let flood = &plan.settings.flood;
        let earned = (now - self.counted_at).as_secs_f64() / flood.interval.0.as_secs_f64().max(f64::MIN_POSITIVE);
        self.allowance = (self.allowance + earned).min(f64::from(flood.burst.max(1)));
        self.counted_at = now;
    }

    /// When a whole line may be sent again.
    fn allowed_at(&self, plan: &Plan) -> Instant {
        self.counted_at + plan.settings.flood.interval.0.mul_f64((1.0 - self.allowance).max(0.0))
    }

    fn inflight(&self) -> (usize, usize) {
        let flights = self.jobs.iter().filter_map(|job| job.flight.as_ref());
        flights.fold((0, 0), |(lines, bytes), flight| (lines + 1, bytes + flight.bytes))
    }
}

impl Job {
    fn is_wanted(&self) -> bool {
        match &self.work {
            Work::Order(order) => !order.reply.is_closed(),
            Work::Digest(_) | Work::Answer => true,
        }
    }
}

/// What is to be done next for a job.
enum Turn {
    /// Something else must happen first.
    Wait,
    Say,
    Done(Result<(), Failure>),
}

impl Session {
    /// Takes an order, if not too many wait.
    pub(in super::super) fn order(&mut self, order: Box<Order>, now: Instant) {
        let target = order.target.clone();
        self.add(Work::Order(order), target, Vec::new(), now);
    }

    /// Says something short that nobody waits for.
    pub(in super::super) fn answer(&mut self, target: &str, lines: Vec<String>, now: Instant) {
        self.add(Work::Answer, target.to_owned(), lines, now);
    }

    fn add(&mut self, work: Work, target: String, lines: Vec<String>, now: Instant) {
        let mut job = Job { work, target, lines, told: 0, flight: None, since: now, entry_by: None };
        if self.speech.jobs.len() >= MAX_JOBS {
            return self.finish(job, Err(transient(format!("{MAX_JOBS} messages are waiting to be said"))), now);
        }
        if let Work::Order(order) = &job.work
            && let Some(progress) = self.memory.progress.get(&(order.identity.clone(), fold(&job.target)))
        {
            (job.lines, job.told) = (progress.lines.clone(), progress.told);
        }
        // Who asked something in the channel does not wait behind a storm of notifications.
        match job.work {
            Work::Answer => self.speech.jobs.push_front(job),
            Work::Order(_) | Work::Digest(_) => self.speech.jobs.push_back(job),
        }
        self.pump(now);
    }

    /// Does all that can be done now.
    pub(super) fn pump(&mut self, now: Instant) {
        self.speech.count(&self.plan, now);
        self.check_joins(now);
        self.check_flights(now);
        self.tell_what_was_left_out(now);
        while self.channels_want(now) && self.spend_line() {
            self.next_for_channels(now);
        }
        let mut busy = BTreeSet::new();
        let mut at = 0;
        while at < self.speech.jobs.len() && self.phase == Phase::Ready && self.end.is_none() {
            let job = &self.speech.jobs[at];
            if !busy.insert(fold(&job.target)) || job.flight.is_some() {
                at += 1;
                continue;
            }
            match self.turn(at, now) {
                Turn::Done(outcome) => {
                    busy.remove(&fold(&self.speech.jobs[at].target));
                    self.take_off(at, outcome, now);
                }
                Turn::Say if self.may_send(at) => {
                    self.say(at, now);
                    if self.speech.jobs[at].flight.is_none() {
                        busy.remove(&fold(&self.speech.jobs[at].target));
                    }
                }
                Turn::Say | Turn::Wait => at += 1,
            }
        }
        self.shared.figures().queued = self.speech.jobs.len();
    }

    fn turn(&mut self, at: usize, now: Instant) -> Turn {
        let job = &self.speech.jobs[at];
        if !job.is_wanted() {
            return Turn::Done(Err(transient("nobody waits any more")));
        }
        if !job.lines.is_empty() && job.told >= job.lines.len() {
            return Turn::Done(Ok(()));
        }
        if job.told == 0 && self.peer_said(at, now) {
            self.suppressed("peer");
            return Turn::Done(Ok(()));
        }
        let target = job.target.clone();
        if is_channel(&target) {
            match self.entrance(at, &target, now) {
                Entry::Open => {}
                Entry::Wait => return Turn::Wait,
                Entry::Refused(why) => return Turn::Done(self.shut_out(at, &why)),
            }
        }
        if self.held_back_until(&self.speech.jobs[at]).is_some_and(|until| now < until) {
            return Turn::Wait;
        }
        self.cut(at);
        if self.is_beyond_quota(at, now) { Turn::Done(Ok(())) } else { Turn::Say }
    }

    /// Whether we are in the channel; a message waits for that no longer than for the proof of its arrival.
    fn entrance(&mut self, at: usize, target: &str, now: Instant) -> Entry {
        let Work::Order(order) = &self.speech.jobs[at].work else { return self.entry(target, "", now) };
        let (key, patience) = (order.key.clone(), order.confirm_timeout);
        let by = *self.speech.jobs[at].entry_by.get_or_insert(now + patience);
        match self.entry(target, &key, now) {
            Entry::Wait if by <= now => Entry::Refused("not in the channel yet".to_owned()),
            entry => entry,
        }
    }

    fn shut_out(&mut self, at: usize, why: &str) -> Result<(), Failure> {
        let Work::Order(order) = &self.speech.jobs[at].work else { return Err(permanent(why)) };
        if order.drop_unjoinable {
            tracing::warn!(
                component = "irc",
                server = self.name(),
                channel = order.target,
                err = why,
                "Dropping a notification"
            );
            self.suppressed("unjoinable");
            return Ok(());
        }
        let text = format!("{}: cannot join: {why}", order.target);
        Err(Failure { kind: FailureKind::ClientError, ..transient(text) })
    }

    /// Whether another node's bot has shown the message here.
    fn peer_said(&self, at: usize, now: Instant) -> bool {
        let Work::Order(order) = &self.speech.jobs[at].work else { return false };
        let key = (fold(&order.target), order.id.clone());
        let said = self.memory.seen.within(&key, order.dedup_window, now).is_some();
        said && !order.dedup_window.is_zero() && (order.id_is_secret || !self.plan.settings.peer_nicks.is_empty())
    }

    /// Cuts the message, if it is its first turn.
    fn cut(&mut self, at: usize) {
        let target = self.speech.jobs[at].target.clone();
        if !self.speech.jobs[at].lines.is_empty() {
            return;
        }
        let formatting = self.takes_formatting(&target);
        let budget = self.identity.budget("PRIVMSG", &target, &self.plan);
        let job = &mut self.speech.jobs[at];
        if let Work::Order(order) = &job.work {
            let formatted = match order.style {
                Style::Auto => formatting,
                Style::Plain => false,
                Style::Formatted => true,
            };
            job.lines = order.text.cut(budget, formatted);
        }
    }

    /// Whether the target has been told enough. If so, the notification is counted and left out.
    fn is_beyond_quota(&mut self, at: usize, now: Instant) -> bool {
        let job = &self.speech.jobs[at];
        let Work::Order(order) = &job.work else { return false };
        let quota = self.memory.quotas.entry(fold(&order.target)).or_default();
        let (limit, per) = order.quota;
        if job.told > 0 || limit == 0 || quota.allows(job.lines.len(), limit, per, now) {
            return false;
        }
        quota.leave_out(order.alerts, &order.text.url, now);
        self.suppressed("rate_limit");
        true
    }

    fn suppressed(&self, reason: &'static str) {
        *self.shared.figures().suppressed.entry(reason).or_default() += 1;
    }

    /// Whether the next line of a job may go now: neither too fast nor too much without an answer.
    fn may_send(&mut self, at: usize) -> bool {
        let job = &self.speech.jobs[at];
        let next = job.lines.get(job.told).map_or(0, String::len);
        let flood = &self.plan.settings.flood;
        let (lines, bytes) = self.speech.inflight();
        let fits =
            lines == 0 || (lines < flood.burst.max(1) as usize && bytes + next <= flood.max_inflight_bytes as usize);
        fits && self.spend_line()
    }

    pub(super) fn spend_line(&mut self) -> bool {
        let spent = self.speech.allowance >= 1.0;
        self.speech.allowance -= f64::from(u8::from(spent));
        spent
    }

    fn say(&mut self, at: usize, now: Instant) {
        let job = &self.speech.jobs[at];
        let (target, text) = (job.target.clone(), job.lines[job.told].clone());
        let (wanted, notice, patience) = match &job.work {
            Work::Order(order) => (order.confirm, order.notice, order.confirm_timeout),
            Work::Digest(_) => (Confirm::Auto, false, self.plan.settings.ping_timeout.0),
            Work::Answer => (Confirm::Nothing, true, self.plan.settings.ping_timeout.0),
        };
        let rung = self.rung(wanted);
        let notice = notice && (rung != Rung::Ping || self.notice_is_safe(&target));
        let token = self.speech.next_token();
        let command = if notice { Command::NOTICE } else { Command::PRIVMSG };
        let mut message: Message = command(target.clone(), text.clone()).into();
        if rung == Rung::Label {
            message.tags = Some(vec![irc_proto::message::Tag("label".to_owned(), Some(token.clone()))]);
        }
        let bytes = message.to_string().len();
        self.out.push_back(message);
        if rung == Rung::Ping {
            self.out.push_back(Command::PING(token.clone(), None).into());
        }
        self.shared.figures().sent += 1;
        if let Work::Order(_) = &self.speech.jobs[at].work {
            self.memory.quotas.entry(fold(&target)).or_default().spend(1, now);
        }
        self.speech.jobs[at].flight = Some(Flight { rung, token, text, bytes, until: now + patience });
        if rung == Rung::Nothing {
            self.arrived(at, now);
        }
    }

    /// Servers that do not echo drop a NOTICE without a word where they would refuse a PRIVMSG.
    fn notice_is_safe(&mut self, target: &str) -> bool {
        let safe = is_channel(target) && self.can_trust_notices(target);
        if !safe && self.speech.notices_replaced.insert(fold(target)) {
            tracing::info!(component = "irc", server = self.name(), %target, "Sending PRIVMSG instead of NOTICE, whose arrival nothing would prove here");
        }
        safe
    }

    pub(super) fn take_off(&mut self, at: usize, outcome: Result<(), Failure>, now: Instant) {
        if let Some(job) = self.speech.jobs.remove(at) {
            self.finish(job, outcome, now);
        }
    }

    fn finish(&mut self, job: Job, outcome: Result<(), Failure>, now: Instant) {
        match job.work {
            Work::Order(order) => {
                if outcome.is_ok() && job.told > 0 {
                    self.memory.meanings.insert(order.id, order.about, now);
                }
                // Who asked may have gone; what was told stays told.
                let _ = order.reply.send(outcome);
            }
            Work::Digest(left_out) => {
                if outcome.is_err() {
                    self.memory.quotas.entry(fold(&job.target)).or_default().restore(left_out, now);
                }
            }
            Work::Answer => {}
        }
    }

    /// The connection is over for all who wait.
    pub(super) fn abandon_all(&mut self, why: &str, now: Instant) {
        while !self.speech.jobs.is_empty() {
            self.take_off(0, Err(transient(format!("the connection was lost: {why}"))), now);
        }
    }

    fn tell_what_was_left_out(&mut self, now: Instant) {
        if self.phase != Phase::Ready {
            return;
        }
        let due = self.memory.quotas.iter_mut().filter(|(_, quota)| quota.digest_at().is_some_and(|at| at <= now));
        let digests: Vec<_> = due.map(|(target, quota)| (target.clone(), quota.digest(now))).collect();
        for (target, (left_out, line)) in digests {
            tracing::info!(component = "irc", server = self.name(), %target, "{line}");
            self.speech.jobs.push_back(Job {
                work: Work::Digest(left_out),
                target,
                lines: vec![line],
                told: 0,
                flight: None,
                since: now,
                entry_by: None,
            });
        }
    }

    pub(super) fn speech_deadline(&self) -> Option<Instant> {
        let jobs = &self.speech.jobs;
        let waiting = jobs.iter().any(|job| job.flight.is_none()) || self.channels_want(self.speech.counted_at);
        let allowed = waiting.then(|| self.speech.allowed_at(&self.plan)).filter(|at| *at > self.speech.counted_at);
        let flights = jobs.iter().filter_map(|job| job.flight.as_ref().map(|flight| flight.until));
        let ends = |job: &Job| [job.entry_by, self.held_back_until(job)];
        let entries = jobs.iter().filter(|job| job.flight.is_none()).flat_map(ends).flatten();
        // A message that waits for something else has these behind it.
        let entries = entries.filter(|at| *at > self.speech.counted_at);
        let digests = self.memory.quotas.values().filter_map(|quota| quota.digest_at());
        flights.chain(entries).chain(allowed).chain(digests.filter(|_| self.phase == Phase::Ready)).min()
    }
}
