//! The turn of one message: whether it is wanted, may be said here and now, and how its next line goes out.

use irc_proto::{Command, Message};
use tokio::time::Instant;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::super::outcome::{permanent, transient};
use super::super::wire::{fold, is_channel};
use super::Session;
use super::channels::Entry;
use super::order::{Confirm, Style};
use super::proof::Rung;
use super::speech::{Flight, Work};

/// What is to be done next for a job.
pub(super) enum Turn {
    /// Something else must happen first.
    Wait,
    Say,
    Done(Result<(), Failure>),
}

impl Session {
    /// What is to be done for the message at this place of the queue.
    pub(super) fn turn(&mut self, at: usize, now: Instant) -> Turn {
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
    pub(super) fn may_send(&mut self, at: usize) -> bool {
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

    pub(super) fn say(&mut self, at: usize, now: Instant) {
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
}
