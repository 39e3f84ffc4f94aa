//! What a node does with an input or with time, in the order of the real driver: persist, publish, then answer or
//! deliver.

use std::time::Duration;

use watchbell_engine::effect::{Answer, Change, Effects, Input};
use watchbell_engine::replica::Record;
use watchbell_engine::silence::SilenceId;

use super::{Event, World};
use crate::node::Dependents;
use crate::plan::Step;

/// Lazy writes reach the disk after this.
const LAZY: Duration = Duration::from_millis(250);

impl World {
    pub(super) fn handle(&mut self, node: usize, input: Input) {
        let now = self.nodes[node].clock(self.now);
        let Some(engine) = self.nodes[node].engine.as_mut() else { return };
        let effects = engine.handle(now, input);
        self.perform(node, effects);
    }

    pub(super) fn wake(&mut self, node: usize) {
        let now = self.nodes[node].clock(self.now);
        self.nodes[node].wake_at = None;
        if self.nodes[node].catching_up {
            return;
        }
        let Some(engine) = self.nodes[node].engine.as_mut() else { return };
        let effects = engine.advance(now);
        self.perform(node, effects);
    }

    pub(super) fn perform(&mut self, node: usize, effects: Effects) {
        let Effects { persist, publish, answer, deliver, beat, .. } = effects;
        beat.iter().for_each(|_| self.law.beat(self.now, node));
        deliver.iter().for_each(|attempt| self.law.told(self.now, node, &self.nodes, &attempt.notification));
        let durable = persist.iter().any(Change::is_durable);
        let dependents = Dependents { publish, answer, deliver };
        if durable {
            self.nodes[node].unsaved.push((persist, dependents));
            let write = Duration::from_millis(self.rng.between(1, 10).unsigned_abs());
            self.write_by(node, write);
        } else {
            if !persist.is_empty() {
                self.nodes[node].unsaved.push((persist, Dependents::default()));
                self.write_by(node, LAZY);
            }
            self.release(node, dependents);
        }
        self.set_alarm(node);
    }

    fn write_by(&mut self, node: usize, within: Duration) {
        let when = self.now + within;
        if self.nodes[node].commit_at.is_none_or(|at| at > when) {
            self.nodes[node].commit_at = Some(when);
            let life = self.nodes[node].life;
            self.push(when, Event::Commit(node, life));
        }
    }

    pub(super) fn commit(&mut self, node: usize) {
        if self.nodes[node].commit_at.is_none_or(|at| at > self.now) {
            return;
        }
        let crash = self.nodes[node].crash_now();
        if crash == Some(Step::Before) {
            return self.crash(node);
        }
        let released = self.save(node);
        if crash == Some(Step::After) {
            // Told and written down, but no other node will know for now.
            self.law.unpublished(node, released.iter().flat_map(|dependents| &dependents.publish));
            return self.crash(node);
        }
        released.into_iter().for_each(|dependents| self.release(node, dependents));
    }

    /// Writes all that waits, and returns what waited for it.
    pub(super) fn save(&mut self, node: usize) -> Vec<Dependents> {
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
        released
    }

    pub(super) fn release(&mut self, node: usize, dependents: Dependents) {
        let ended: Vec<SilenceId> = dependents.publish.iter().filter_map(silence_in).collect();
        if !dependents.publish.is_empty() {
            for to in (0..self.nodes.len()).filter(|to| *to != node) {
                self.send(node, to, dependents.publish.clone());
            }
        }
        match dependents.answer {
            Some(Answer::SilenceSet(Ok(id))) => self.law.acknowledged(node, id),
            Some(Answer::SilenceExpired(Ok(()))) => ended.into_iter().for_each(|id| self.law.ended(self.now, node, id)),
            _ => {}
        }
        for attempt in dependents.deliver {
            self.tell(node, attempt);
        }
    }

    pub(super) fn set_alarm(&mut self, node: usize) {
        let this = &mut self.nodes[node];
        if this.catching_up {
            return;
        }
        let Some(due) = this.engine.as_ref().and_then(watchbell_engine::Engine::next_deadline) else { return };
        let due = this.when(due).max(self.now);
        if this.wake_at.is_none_or(|at| at > due) {
            this.wake_at = Some(due);
            let life = this.life;
            self.push(due, Event::Wake(node, life));
        }
    }
}

fn silence_in(record: &Record) -> Option<SilenceId> {
    match record {
        Record::Silence(silence) => Some(silence.id),
        _ => None,
    }
}
