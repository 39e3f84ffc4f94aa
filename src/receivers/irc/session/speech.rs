//! Speaking: who waits for which message, how fast lines go out, and what proves that each arrived.
//!
//! One line a target is on its way at a time, so that a refusal, which names only the target, is about that line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::time::Instant;
use watchbell_engine::notification::Failure;

use super::super::super::outcome::transient;
use super::super::memory::LeftOut;
use super::super::plan::Plan;
use super::super::wire::fold;
use super::order::Order;
use super::proof::Rung;
use super::turn::Turn;
use super::{Phase, Session};

/// Messages that may wait for their turn; at a line a second this is a quarter of an hour.
const MAX_JOBS: usize = 1000;

/// All that is waiting or on its way.
pub(super) struct Speech {
    pub(super) jobs: VecDeque<Job>,
    /// Lines that may be sent now; a part of one is saved up as well.
    pub(super) allowance: f64,
    counted_at: Instant,
    tokens: u64,
    /// Labels by batch.
    pub(super) batches: BTreeMap<String, String>,
    /// Channels for which it was said that notices go out otherwise.
    pub(super) notices_replaced: BTreeSet<String>,
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
    pub(super) entry_by: Option<Instant>,
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
    pub(super) bytes: usize,
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

    pub(super) fn inflight(&self) -> (usize, usize) {
        let flights = self.jobs.iter().filter_map(|job| job.flight.as_ref());
        flights.fold((0, 0), |(lines, bytes), flight| (lines + 1, bytes + flight.bytes))
    }
}

impl Job {
    pub(super) fn is_wanted(&self) -> bool {
        match &self.work {
            Work::Order(order) => !order.reply.is_closed(),
            Work::Digest(_) | Work::Answer => true,
        }
    }
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
