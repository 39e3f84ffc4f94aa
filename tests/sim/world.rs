//! The world: nodes with a clock and a disk each, a network, senders and receivers, in one order of events in virtual
//! time.

mod faults;
mod network;
mod steps;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::effect::{Attempt, Input};
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};
use watchbell_engine::replica::Record;
use watchbell_engine::silence::SilenceId;
use watchbell_engine::time::Timestamp;

use crate::law::Law;
use crate::node::Node;
use crate::plan::{Fault, HOURS, INTEGRATIONS, Mood, Plan, UNWATCHED, at};
use crate::rng::Rng;

/// How often a sender repeats what fires.
const RESEND: i64 = 60;
/// How often two nodes compare what they hold, in seconds.
const REPAIR: i64 = 60;

/// Something that happens at an instant. The first number is the node's; `life` says in which life of it.
enum Event {
    Post(usize),
    Wake(usize, u32),
    Commit(usize, u32),
    News { to: usize, from: usize, records: Vec<Record> },
    Heard { node: usize, life: u32, notification: Arc<Notification> },
    Outcome { node: usize, life: u32, attempt: Attempt, outcome: Result<ReceiverData, Failure> },
    Membership,
    Compare(usize, usize),
    Repair(usize),
    Settled(usize, u32),
    CaughtUp(usize, u32),
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
    /// What waits for each node while it stands still.
    held_up: Vec<Vec<Event>>,
    /// From whom nothing gets to whom.
    cut: Vec<(usize, usize)>,
    moods: Vec<Mood>,
    silences: BTreeMap<usize, SilenceId>,
    pub(crate) law: Law,
}

impl World {
    /// Plays a plan to its end, or until a law is broken; `seed` decides what the plan leaves open.
    pub(crate) fn play(seed: u64, plan: &Plan) -> Self {
        Self::new(seed, plan).played()
    }

    /// The same, and the story is written down.
    pub(crate) fn recorded(seed: u64, plan: &Plan) -> Self {
        let mut world = Self::new(seed, plan);
        world.law.story = Some(Vec::new());
        world.played()
    }

    fn new(seed: u64, plan: &Plan) -> Self {
        Self {
            now: at(0),
            queue: BTreeMap::new(),
            order: 0,
            rng: Rng::new(seed ^ 0xD1CE),
            nodes: plan.ahead.iter().enumerate().map(|(number, ahead)| Node::new(number, *ahead)).collect(),
            held_up: plan.ahead.iter().map(|_| Vec::new()).collect(),
            cut: Vec::new(),
            moods: vec![Mood::Fine; INTEGRATIONS.len()],
            silences: BTreeMap::new(),
            law: Law::new(plan),
            plan: plan.clone(),
        }
    }

    fn played(mut self) -> Self {
        self.schedule();
        while let Some(((when, _), event)) = self.queue.pop_first().filter(|_| self.law.broken.is_none()) {
            self.now = when;
            self.happen(event);
        }
        self.law.at_the_end(self.now, &self.nodes);
        self
    }

    fn schedule(&mut self) {
        for node in 0..self.nodes.len() {
            self.boot(node);
            let phase = self.rng.between(0, 30);
            self.push(at(phase), Event::Post(node));
            if self.nodes.len() > 1 {
                self.push(at(phase), Event::Repair(node));
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
        self.push(self.now, Event::Check);
        self.push(at(HOURS * 3600), Event::Fault(Fault::Heal));
        if self.plan.watches() {
            self.push(at(UNWATCHED), Event::Fault(Fault::Unwatch));
        }
        self.push(at(HOURS * 3600 + 1800), Event::Agree);
        self.push(self.now, Event::Membership);
    }

    /// For as long as anything happens, and a while longer.
    fn again(&mut self, seconds: i64, event: Event) {
        let when = self.now + Duration::from_secs(seconds.unsigned_abs());
        if when < at((HOURS + 1) * 3600) {
            self.push(when, event);
        }
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
        let waits_for = self.process_of(&event).filter(|node| self.nodes[*node].paused_since.is_some());
        if let Some(node) = waits_for {
            return self.hold_up(node, event);
        }
        match event {
            Event::Post(node) => {
                self.post(node);
                self.again(RESEND, Event::Post(node));
            }
            Event::Wake(node, life) if self.lives(node, life) && self.nodes[node].wake_at == Some(self.now) => {
                self.wake(node);
            }
            Event::Commit(node, life) if self.lives(node, life) => self.commit(node),
            Event::News { to, from, records } => self.arrive(from, to, records),
            Event::Heard { node, life, notification } => self.heard(node, life, &notification),
            Event::Outcome { node, life, attempt, outcome } if self.lives(node, life) => {
                self.law.over(self.now, node, &attempt.notification, outcome.as_ref().err());
                self.handle(node, Input::Delivered { attempt: attempt.id, outcome });
            }
            Event::Membership => self.membership(),
            Event::Compare(one, other) => self.compare(one, other),
            Event::Repair(node) => {
                self.repair(node);
                self.again(REPAIR, Event::Repair(node));
            }
            Event::Settled(node, life) if self.lives(node, life) => self.handle(node, Input::Settled),
            Event::CaughtUp(node, life) if self.lives(node, life) => self.caught_up(node),
            Event::MakeSilence(number) => self.make_silence(number),
            Event::ExpireSilence(number) => self.expire_silence(number),
            Event::Fault(fault) => self.fault(fault),
            Event::Agree => self.agree(),
            Event::Check => {
                self.law.check(self.now, &self.nodes, &self.moods);
                self.again(60, Event::Check);
            }
            _ => {}
        }
    }

    /// The node whose process must run for this to happen.
    fn process_of(&self, event: &Event) -> Option<usize> {
        match event {
            Event::Wake(node, _) | Event::Commit(node, _) | Event::Settled(node, _) | Event::CaughtUp(node, _) => {
                Some(*node)
            }
            Event::Outcome { node, .. } | Event::News { to: node, .. } => Some(*node),
            Event::MakeSilence(number) | Event::ExpireSilence(number) => Some(self.plan.silences[*number].node),
            Event::Fault(Fault::Reload(node, _)) => Some(*node),
            _ => None,
        }
    }

    fn lives(&self, node: usize, life: u32) -> bool {
        self.nodes[node].life == life && self.nodes[node].engine.is_some()
    }

    /// Nodes are compared at a moment when no news is under way.
    fn agree(&mut self) {
        if self.law.is_quiet(self.now) {
            self.law.agreed(self.now, &self.nodes);
        } else {
            self.push(self.now + Duration::from_secs(7), Event::Agree);
        }
    }
}
