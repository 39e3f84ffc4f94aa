//! The world around the cluster: each node's sender of alerts, the makers of silences, and the receivers.

use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::alert::Alert;
use watchbell_engine::effect::{Attempt, Input};
use watchbell_engine::label::Labels;
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, FailureKind, Notification, Reason};
use watchbell_engine::silence::SilenceId;
use watchbell_engine::silence::edit::Draft;
use watchbell_engine::time::{Timestamp, UtcOffset};

use super::{Event, World};
use crate::node::shift;
use crate::plan::{Fault, INTEGRATIONS, Mood, at};

/// How long a sender repeats what is resolved, and for how long it vouches for what fires.
const RESOLVED_FOR: i64 = 900;
const VOUCH: Duration = Duration::from_secs(240);

impl World {
    /// The node's sender says what it sees.
    pub(super) fn post(&mut self, node: usize) {
        if !self.nodes[node].runs() {
            return;
        }
        let mut alerts = Vec::new();
        for (number, alert) in self.plan.alerts.iter().enumerate() {
            let reported = alert.episodes[node].iter().rev().find(|(from, _)| at(*from) <= self.now);
            if let Some(report) = reported.and_then(|episode| self.report(node, &alert.labels, *episode)).map(Arc::new)
            {
                self.law.posted(self.now, node, number, &report);
                alerts.push(report);
            }
        }
        if !alerts.is_empty() {
            self.handle(node, Input::Alerts(alerts));
        }
    }

    /// What is posted of an episode, if anything.
    fn report(&self, node: usize, labels: &Labels, (from, until): (i64, i64)) -> Option<Alert> {
        let over = at(until) <= self.now;
        if over && at(until + RESOLVED_FOR) < self.now {
            return None;
        }
        let mine = |instant: Timestamp| self.nodes[node].clock(instant);
        let clock = |instant| shift(mine(instant), self.plan.senders_ahead[node]);
        Some(Alert {
            labels: labels.clone(),
            annotations: Labels::default(),
            starts_at: clock(at(from)),
            starts_offset: UtcOffset::default(),
            ends_at: if over { clock(at(until)) } else { clock(self.now) + VOUCH },
            ends_offset: UtcOffset::default(),
            updated_at: mine(self.now),
            generator_url: "".into(),
            timeout: false,
        })
    }

    pub(super) fn make_silence(&mut self, number: usize) {
        let plan = self.plan.silences[number].clone();
        let fresh = SilenceId(u128::from(self.rng.next()));
        let clock = |seconds| self.nodes[plan.node].clock(at(seconds));
        let draft = Draft {
            id: None,
            matcher_sets: vec![vec![plan.matcher]],
            starts_at: Some(clock(plan.starts)),
            ends_at: clock(plan.ends),
            created_by: "sim".into(),
            comment: "".into(),
            annotations: Labels::default(),
        };
        self.silences.insert(number, fresh);
        self.handle(plan.node, Input::SetSilence { draft, fresh });
    }

    pub(super) fn expire_silence(&mut self, number: usize) {
        let node = self.plan.silences[number].node;
        if let Some(id) = self.silences.get(&number).copied() {
            if self.nodes[node].runs() {
                self.law.ending(node, id);
            }
            self.handle(node, Input::ExpireSilence(id));
        }
    }

    /// An attempt reaches the receiver.
    pub(super) fn tell(&mut self, node: usize, attempt: Attempt) {
        let key = &attempt.notification.key;
        let which =
            INTEGRATIONS.iter().position(|(r, k, i, _)| key.receiver == *r && key.integration == *k && key.index == *i);
        let mood = self.moods[which.expect("every integration is in the list")];
        let takes = match mood {
            Mood::Fine => self.rng.between(1, 400),
            Mood::Slow => self.rng.between(5_000, 40_000),
            _ => self.rng.between(1, 2_000),
        };
        let takes = Duration::from_millis(takes.unsigned_abs());
        let life = self.nodes[node].life;
        let (takes, outcome) = match mood {
            Mood::Hanging => (attempt.timeout, Err(failure(FailureKind::ContextDeadlineExceeded, true))),
            Mood::Failing => (takes.min(attempt.timeout), Err(failure(FailureKind::ServerError, true))),
            Mood::Refusing => (takes.min(attempt.timeout), Err(failure(FailureKind::ClientError, false))),
            Mood::Fine | Mood::Slow if takes < attempt.timeout => (takes, Ok(ReceiverData::new())),
            Mood::Fine | Mood::Slow => (attempt.timeout, Err(failure(FailureKind::ContextDeadlineExceeded, true))),
        };
        let is_news = attempt.notification.reason != Reason::Repeat;
        if is_news && std::mem::take(&mut self.nodes[node].crash_in_send) {
            let before_or_after_it_is_heard = *self.rng.pick(&[1, 3]);
            let crash = self.now + takes * before_or_after_it_is_heard / 4;
            let back = crash + Duration::from_secs(*self.rng.pick(&[5, 60, 900, 900]));
            self.push(crash, Event::Fault(Fault::Crash(node)));
            self.push(back, Event::Fault(Fault::Restart(node)));
        }
        if outcome.is_ok() {
            let notification = Arc::clone(&attempt.notification);
            self.push(self.now + takes / 2, Event::Heard { node, life, notification });
        }
        self.push(self.now + takes, Event::Outcome { node, life, attempt, outcome });
    }

    /// What a node that died meanwhile had sent may still arrive.
    pub(super) fn heard(&mut self, node: usize, life: u32, notification: &Notification) {
        let alive = self.lives(node, life);
        if alive {
            self.nodes[node].unsure.push(notification.key.clone());
        } else if self.rng.chance(50) {
            return;
        }
        self.law.heard(self.now, node, notification, alive);
    }
}

fn failure(kind: FailureKind, retry: bool) -> Failure {
    Failure { kind, retry, text: "it did not work".into(), retry_after: None, in_part: false }
}
