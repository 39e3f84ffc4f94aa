//! What goes wrong, and how it is put right.

use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::effect::Input;

use super::{Event, World};
use crate::node::{self, Disk, Node};
use crate::plan::Fault;

/// A sleep, or a step of the clock, that is longer than this matters to what is waited for.
const NOTICED: Duration = Duration::from_secs(15);

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.law.disturbed(self.now, fault, &self.nodes);
        match fault {
            Fault::Crash(node) => self.crash(node),
            Fault::CrashAtCommit(node, step, commits) => self.nodes[node].crash_at = Some((step, commits)),
            Fault::CrashInSend(node) => self.nodes[node].crash_in_send = true,
            Fault::Stop(node) => self.stop(node),
            Fault::Restart(node) => self.restart(node, None),
            Fault::Copy(node) => self.nodes[node].copy = self.nodes[node].disk.clone(),
            Fault::RestartFromCopy(node) => self.restart(node, Some(self.nodes[node].copy.clone())),
            Fault::RestartFromNothing(node) => self.restart(node, Some(Disk::new(node, self.nodes[node].life))),
            Fault::Cut(from, to) => self.cut.push((from, to)),
            Fault::Heal => self.heal(),
            Fault::Receiver(which, mood) => self.moods[which] = mood,
            Fault::Reload(node, shape) => self.reload(node, shape),
            Fault::Pause(node) => self.pause(node),
            Fault::Resume(node) => self.resume(node),
            Fault::SetClock(node, by) => self.set_clock(node, by),
            Fault::Unwatch => (0..self.nodes.len())
                .for_each(|node| self.reload(node, self.nodes[node].shape + self.plan.shapes.len() / 2)),
        }
        let seen = !matches!(
            fault,
            Fault::Receiver(..) | Fault::Reload(..) | Fault::Copy(_) | Fault::SetClock(..) | Fault::Unwatch
        );
        if seen {
            self.push(self.now + Self::DETECTION, Event::Membership);
        }
    }

    pub(super) fn crash(&mut self, node: usize) {
        self.law.crashed(self.now, node, &self.nodes[node]);
        self.nodes[node].crash();
        self.held_up[node].clear();
        self.push(self.now + Self::DETECTION, Event::Membership);
    }

    /// Everything decided reaches the disk; what is being sent is not waited for.
    fn stop(&mut self, node: usize) {
        if self.nodes[node].runs() {
            self.say_goodbye(node);
            self.save(node);
            self.crash(node);
        }
    }

    /// A node that has not crashed by now will not.
    fn restart(&mut self, node: usize, disk: Option<Disk>) {
        self.nodes[node].crash_at = None;
        if self.nodes[node].engine.is_some() {
            return;
        }
        if let Some(disk) = disk {
            self.law.disk_replaced(node, &disk);
            self.nodes[node].disk = disk;
            if !self.nodes.iter().any(Node::runs) {
                self.law.alone(node);
            }
        }
        self.boot(node);
    }

    /// Nodes that see each other again compare what they hold.
    fn heal(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.crash_in_send = false);
        for (from, to) in std::mem::take(&mut self.cut) {
            self.soon(100, 2000, Event::Compare(from, to));
        }
    }

    fn reload(&mut self, node: usize, shape: usize) {
        self.nodes[node].shape = shape;
        self.law.reshaped(self.now, node, shape);
        let (now, policy) = (self.nodes[node].clock(self.now), Arc::new(self.plan.shapes[shape].policy()));
        let effects = self.nodes[node].engine.as_mut().map(|engine| engine.reload(now, policy));
        if let Some(effects) = effects {
            self.perform(node, effects);
        }
    }

    fn pause(&mut self, node: usize) {
        if self.nodes[node].runs() {
            self.nodes[node].paused_since = Some(self.now);
        }
    }

    /// What reaches a node that stands still waits for it, but for the clock, and for news once the others have given it up.
    pub(super) fn hold_up(&mut self, node: usize, event: Event) {
        let given_up = self.nodes[node].paused_since.is_some_and(|since| since + Self::DETECTION < self.now);
        match event {
            Event::Wake(..) => self.nodes[node].wake_at = None,
            Event::News { .. } if given_up => {}
            event => self.held_up[node].push(event),
        }
    }

    /// A node that stood still notices that, and asks the others what it missed before it does anything by the clock.
    fn resume(&mut self, node: usize) {
        let Some(since) = self.nodes[node].paused_since.take() else { return };
        if since + NOTICED < self.now {
            self.law.slept(self.now, node, since);
        }
        self.law.resumed(self.now, node);
        let others = (0..self.nodes.len()).filter(|other| *other != node);
        let alone = !others.clone().any(|other| self.nodes[other].runs());
        if alone && self.nodes.len() > 1 {
            self.law.alone(node);
        }
        self.listens(node);
        self.nodes[node].catching_up = true;
        self.handle(node, Input::Overslept);
        std::mem::take(&mut self.held_up[node]).into_iter().for_each(|event| self.happen(event));
        others.for_each(|other| self.soon(100, 2000, Event::Compare(node, other)));
        let life = self.nodes[node].life;
        self.push(self.now + if alone { Duration::ZERO } else { Self::DETECTION }, Event::CaughtUp(node, life));
    }

    /// A node that can ask none of the others does not know what they told without it.
    fn listens(&mut self, node: usize) {
        let asks = |other: usize| self.hears(node, other) && self.hears(other, node);
        if !(0..self.nodes.len()).any(|other| other != node && asks(other)) {
            self.law.deaf();
        }
    }

    pub(super) fn caught_up(&mut self, node: usize) {
        self.nodes[node].catching_up = false;
        self.wake(node);
    }

    fn set_clock(&mut self, node: usize, by: i64) {
        self.nodes[node].ahead += by;
        self.nodes[node].wake_at = None;
        if self.nodes[node].runs() {
            if by > NOTICED.as_secs().cast_signed() {
                self.law.slept(self.now, node, self.now);
            }
            self.handle(node, Input::Overslept);
            self.wake(node);
        }
    }

    pub(super) fn boot(&mut self, node: usize) {
        let count = self.nodes.len();
        let alone = !self.nodes.iter().any(Node::runs);
        let (engine, effects) =
            node::start(&self.nodes[node], self.now, count, &self.plan.shapes[self.nodes[node].shape]);
        self.law.restarted(self.now, &self.nodes[node], node, &engine);
        self.nodes[node].known = self.nodes[node].disk.peers();
        if count > 1 && alone {
            self.law.alone(node);
        }
        self.nodes[node].engine = Some(engine);
        self.listens(node);
        self.perform(node, effects);
        if count > 1 {
            let life = self.nodes[node].life;
            (0..count).filter(|other| *other != node).for_each(|other| self.compare(node, other));
            self.push(self.now + Self::DETECTION, Event::Settled(node, life));
            self.push(self.now + Duration::from_secs(1), Event::Membership);
        }
    }
}
