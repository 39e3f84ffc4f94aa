//! The world: nodes, a network, a disk each, senders and receivers, in one order of events in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::alert::Alert;
use watchbell_engine::effect::{Answer, Attempt, Change, Effects, Input};
use watchbell_engine::label::Labels;
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, FailureKind, Notification};
use watchbell_engine::peers::Peer;
use watchbell_engine::replica::Record;
use watchbell_engine::silence::SilenceId;
use watchbell_engine::silence::edit::Draft;
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::NodeId;

use crate::law::Law;
use crate::node::{self, Dependents, Node};
use crate::plan::{Fault, HOURS, INTEGRATIONS, Mood, Plan, at};
use crate::rng::Rng;

/// How often a sender repeats what fires, how long it repeats what is resolved, and for how long it vouches.
const RESEND: i64 = 60;
const RESOLVED_FOR: i64 = 900;
const VOUCH: Duration = Duration::from_secs(240);

/// How long it takes to notice that a node is gone or back.
const DETECTION: Duration = Duration::from_secs(3);
/// How often two nodes compare what they know.
const REPAIR: Duration = Duration::from_secs(30);
/// Lazy writes reach the disk after this.
const LAZY: Duration = Duration::from_millis(250);

/// Something that happens at an instant. The number is the node's; `life` says in which life of it.
enum Event {
    Post(usize),
    Wake(usize, u32),
    Commit(usize, u32),
    News { to: usize, from: usize, records: Vec<Record> },
    Heard { node: usize, life: u32, notification: Arc<Notification> },
    Outcome { node: usize, life: u32, attempt: Attempt, outcome: Result<ReceiverData, Failure> },
    Membership,
    Repair(usize),
    Settled(usize, u32),
    MakeSilence(usize),
    ExpireSilence(usize),
    Fault(Fault),
    Check,
    Agree,
}

/// Everything there is.
pub(crate) struct World {
    now: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Event>,
    order: u64,
    rng: Rng,
    plan: Plan,
    nodes: Vec<Node>,
    cut: Vec<(usize, usize)>,
    moods: Vec<Mood>,
    silences: BTreeMap<usize, SilenceId>,
    pub(crate) law: Law,
}

impl World {
    /// Plays the history of a seed to its end.
    pub(crate) fn play(seed: u64) -> Self {
        let plan = Plan::from_seed(seed);
        let mut world = Self {
            now: at(0),
            queue: BTreeMap::new(),
            order: 0,
            rng: Rng::new(seed ^ 0xD1CE),
            nodes: (0..plan.nodes).map(|_| Node::new()).collect(),
            cut: Vec::new(),
            moods: vec![Mood::Fine; INTEGRATIONS.len()],
            silences: BTreeMap::new(),
            law: Law::new(seed, &plan),
            plan,
        };
        world.schedule();
        while let Some(((when, _), event)) = world.queue.pop_first() {
            world.now = when;
            world.happen(event);
        }
        world.law.at_the_end(world.now, &world.nodes);
        world
    }

    fn schedule(&mut self) {
        for node in 0..self.nodes.len() {
            self.boot(node);
            let phase = self.rng.between(0, 30);
            (0..(HOURS + 2) * 3600 / RESEND).for_each(|n| self.push(at(n * RESEND + phase), Event::Post(node)));
            if self.nodes.len() > 1 {
                let phase = self.rng.between(0, 30);
                let rounds = (HOURS + 1) * 3600 / REPAIR.as_secs().cast_signed();
                (0..rounds).for_each(|n| self.push(at(n * 30 + phase), Event::Repair(node)));
            }
        }
        for (number, silence) in self.plan.silences.clone().into_iter().enumerate() {
            self.push(at(silence.made), Event::MakeSilence(number));
            if let Some(expired) = silence.expired {
                self.push(at(expired), Event::ExpireSilence(number));
            }
        }
        for (when, fault) in self.plan.faults.clone() {
            self.push(at(when), Event::Fault(fault));
        }
        (0..HOURS * 60).for_each(|minute| self.push(at(minute * 60), Event::Check));
        self.push(at(HOURS * 3600), Event::Fault(Fault::Heal));
        self.push(at(HOURS * 3600 + 1800), Event::Agree);
        self.push(self.now, Event::Membership);
    }

    fn push(&mut self, when: Timestamp, event: Event) {
        self.order += 1;
        self.queue.insert((when, self.order), event);
    }

    fn soon(&mut self, low_ms: i64, high_ms: i64, event: Event) {
        let delay = Duration::from_millis(self.rng.between(low_ms, high_ms).unsigned_abs());
        self.push(self.now + delay, event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Post(node) => self.post(node),
            Event::Wake(node, life) if self.lives(node, life) => self.wake(node),
            Event::Commit(node, life) if self.lives(node, life) => self.commit(node),
            Event::News { to, from, records } if !self.is_cut(from, to) => self.handle(to, Input::News(records)),
            Event::Heard { node, life, notification } => self.heard(node, life, &notification),
            Event::Outcome { node, life, attempt, outcome } if self.lives(node, life) => {
                let retry = outcome.as_ref().is_err_and(|failure| failure.retry);
                self.law.over(self.now, node, &attempt.notification, retry);
                self.handle(node, Input::Delivered { attempt: attempt.id, outcome });
            }
            Event::Membership => self.membership(),
            Event::Repair(node) => self.repair(node),
            Event::Settled(node, life) if self.lives(node, life) => self.handle(node, Input::Settled),
            Event::MakeSilence(number) => self.make_silence(number),
            Event::ExpireSilence(number) => self.expire_silence(number),
            Event::Fault(fault) => self.fault(fault),
            Event::Agree => self.agree(),
            Event::Check => self.law.check(self.now, &self.nodes, &self.moods),
            _ => {}
        }
    }

    fn lives(&self, node: usize, life: u32) -> bool {
        self.nodes[node].life == life && self.nodes[node].engine.is_some()
    }

    fn linked(&self, one: usize, other: usize) -> bool {
        let up = self.nodes[one].engine.is_some() && self.nodes[other].engine.is_some();
        up && !self.is_cut(one, other)
    }

    fn is_cut(&self, one: usize, other: usize) -> bool {
        self.cut.contains(&(one, other)) || self.cut.contains(&(other, one))
    }

    fn handle(&mut self, node: usize, input: Input) {
        let now = self.now;
        let Some(engine) = self.nodes[node].engine.as_mut() else { return };
        let effects = engine.handle(now, input);
        self.perform(node, effects);
    }

    fn wake(&mut self, node: usize) {
        let now = self.now;
        self.nodes[node].wake_at = None;
        let Some(engine) = self.nodes[node].engine.as_mut() else { return };
        let effects = engine.advance(now);
        self.perform(node, effects);
    }

    /// Persist, publish, then answer or deliver, as the driver does it.
    fn perform(&mut self, node: usize, effects: Effects) {
        let Effects { persist, publish, answer, deliver, .. } = effects;
        deliver.iter().for_each(|attempt| self.law.told(self.now, node, &attempt.notification));
        let durable = persist.iter().any(Change::is_durable);
        let lazy = !persist.is_empty() && !durable;
        let dependents = Dependents { publish, answer, deliver };
        if durable {
            self.nodes[node].unsaved.push((persist, dependents));
            let write = Duration::from_millis(self.rng.between(1, 10).unsigned_abs());
            self.write_by(node, self.now + write);
        } else {
            if lazy {
                self.nodes[node].unsaved.push((persist, Dependents::default()));
                self.write_by(node, self.now + LAZY);
            }
            self.release(node, dependents);
        }
        self.set_alarm(node);
    }

    fn write_by(&mut self, node: usize, when: Timestamp) {
        if self.nodes[node].commit_at.is_none_or(|at| at > when) {
            self.nodes[node].commit_at = Some(when);
            let life = self.nodes[node].life;
            self.push(when, Event::Commit(node, life));
        }
    }

    fn commit(&mut self, node: usize) {
        if self.nodes[node].commit_at.is_none_or(|at| at > self.now) {
            return;
        }
        self.nodes[node].commit_at = None;
        let unsaved = std::mem::take(&mut self.nodes[node].unsaved);
        let mut released = Vec::new();
        for (changes, dependents) in unsaved {
            for change in changes {
                self.law.saved(self.now, node, &change, &mut self.nodes[node].unsure);
                self.nodes[node].disk.apply(change);
            }
            released.push(dependents);
        }
        released.into_iter().for_each(|dependents| self.release(node, dependents));
    }

    fn release(&mut self, node: usize, dependents: Dependents) {
        if !dependents.publish.is_empty() {
            for to in (0..self.nodes.len()).filter(|to| *to != node) {
                self.soon(1, 50, Event::News { to, from: node, records: dependents.publish.clone() });
            }
        }
        if let Some(Answer::SilenceSet(Ok(id))) = dependents.answer {
            self.law.acknowledged(node, id);
        }
        for attempt in dependents.deliver {
            self.tell(node, attempt);
        }
    }

    fn set_alarm(&mut self, node: usize) {
        let this = &mut self.nodes[node];
        let Some(due) = this.engine.as_ref().and_then(watchbell_engine::Engine::next_deadline) else { return };
        let due = due.max(self.now);
        if this.wake_at.is_none_or(|at| at > due) {
            this.wake_at = Some(due);
            let life = this.life;
            self.push(due, Event::Wake(node, life));
        }
    }

    fn tell(&mut self, node: usize, attempt: Attempt) {
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
        if outcome.is_ok() {
            let notification = Arc::clone(&attempt.notification);
            self.push(self.now + takes / 2, Event::Heard { node, life, notification });
        }
        self.push(self.now + takes, Event::Outcome { node, life, attempt, outcome });
    }

    /// What a node that died meanwhile had sent may still arrive.
    fn heard(&mut self, node: usize, life: u32, notification: &Notification) {
        let alive = self.lives(node, life);
        if alive {
            self.nodes[node].unsure.push(notification.key.clone());
        } else if self.rng.chance(50) {
            return;
        }
        self.law.heard(self.now, notification, alive);
    }

    fn post(&mut self, node: usize) {
        if self.nodes[node].engine.is_none() {
            return;
        }
        let now = self.now;
        let known = self.plan.alerts.iter();
        let alerts: Vec<Arc<Alert>> = known
            .flat_map(|alert| {
                let reported = alert.episodes.iter().rev().find(|(from, _)| at(*from) <= now);
                reported.and_then(|episode| report(now, &alert.labels, *episode)).map(Arc::new)
            })
            .collect();
        self.law.posted(node, &alerts);
        self.handle(node, Input::Alerts(alerts));
    }

    fn make_silence(&mut self, number: usize) {
        let plan = self.plan.silences[number].clone();
        let fresh = SilenceId(u128::from(self.rng.next()));
        let draft = Draft {
            id: None,
            matcher_sets: vec![vec![plan.matcher]],
            starts_at: Some(at(plan.starts)),
            ends_at: at(plan.ends),
            created_by: "sim".into(),
            comment: "".into(),
            annotations: Labels::default(),
        };
        self.silences.insert(number, fresh);
        self.handle(plan.node, Input::SetSilence { draft, fresh });
    }

    fn expire_silence(&mut self, number: usize) {
        let node = self.plan.silences[number].node;
        if let Some(id) = self.silences.get(&number).copied() {
            self.handle(node, Input::ExpireSilence(id));
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.law.disturbed(self.now, fault, &self.nodes);
        match fault {
            Fault::Crash(node) => self.nodes[node].crash(),
            Fault::Restart(node) if self.nodes[node].engine.is_none() => self.boot(node),
            Fault::Restart(_) => {}
            Fault::Cut(one, other) => self.cut.push((one, other)),
            Fault::Heal => self.cut.clear(),
            Fault::Receiver(which, mood) => self.moods[which] = mood,
            Fault::Reload => self.reload(),
        }
        if !matches!(fault, Fault::Receiver(..) | Fault::Reload) {
            self.push(self.now + DETECTION, Event::Membership);
        }
    }

    fn reload(&mut self) {
        for node in 0..self.nodes.len() {
            let (now, policy) = (self.now, Arc::new(self.plan.policy.clone()));
            let effects = self.nodes[node].engine.as_mut().map(|engine| engine.reload(now, policy));
            if let Some(effects) = effects {
                self.perform(node, effects);
            }
        }
    }

    fn boot(&mut self, node: usize) {
        let count = self.nodes.len();
        let (engine, effects) = node::start(self.now, node, count, &self.plan.policy, &self.nodes[node].disk);
        self.law.restarted(self.now, node, &engine);
        if count > 1 && self.nodes.iter().all(|node| node.engine.is_none()) {
            self.law.alone();
        }
        self.nodes[node].engine = Some(engine);
        self.perform(node, effects);
        if count > 1 {
            let life = self.nodes[node].life;
            (0..count).filter(|other| *other != node).for_each(|other| self.exchange(node, other));
            self.push(self.now + DETECTION, Event::Settled(node, life));
        }
    }

    /// Every living node learns whom it can reach.
    fn membership(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].engine.is_none() {
                continue;
            }
            let reachable = (0..self.nodes.len()).filter(|other| *other == node || self.linked(node, *other));
            let peer = |number: usize| Peer { id: NodeId(number as u64 + 1), name: format!("n{number}").into() };
            let peers = reachable.map(peer).collect();
            self.handle(node, Input::Peers(peers));
        }
    }

    fn repair(&mut self, node: usize) {
        let other = self.rng.between(0, self.nodes.len() as i64 - 1) as usize;
        if other != node {
            self.exchange(node, other);
        }
    }

    /// Nodes are compared at a moment when no news is under way.
    fn agree(&mut self) {
        if self.law.is_quiet(self.now) {
            self.law.agreed(&self.nodes);
        } else {
            self.push(self.now + Duration::from_secs(7), Event::Agree);
        }
    }

    fn exchange(&mut self, one: usize, other: usize) {
        if self.linked(one, other) {
            for (from, to) in [(one, other), (other, one)] {
                let mut records = self.nodes[from].records();
                records.extend(self.nodes[from].engine.iter().flat_map(|engine| engine.sending(self.now)));
                self.soon(1, 50, Event::News { to, from, records });
            }
        }
    }
}

/// What a sender posts of an episode at `now`, if anything.
fn report(now: Timestamp, labels: &Labels, (from, until): (i64, i64)) -> Option<Alert> {
    let over = at(until) <= now;
    if over && at(until + RESOLVED_FOR) < now {
        return None;
    }
    Some(Alert {
        labels: labels.clone(),
        annotations: Labels::default(),
        starts_at: at(from),
        starts_offset: UtcOffset::default(),
        ends_at: if over { at(until) } else { now + VOUCH },
        ends_offset: UtcOffset::default(),
        updated_at: now,
        generator_url: "".into(),
        timeout: false,
    })
}

fn failure(kind: FailureKind, retry: bool) -> Failure {
    Failure { kind, retry, text: "it did not work".into(), retry_after: None, in_part: false }
}
