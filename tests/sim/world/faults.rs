//! What goes wrong, and how it is put right.

use std::sync::Arc;
use std::time::Duration;

use super::{Event, World};
use crate::node::{self, Disk};
use crate::plan::Fault;

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.law.disturbed(self.now, fault, &self.nodes);
        match fault {
            Fault::Crash(node) => self.crash(node),
            Fault::CrashAtCommit(node, step, commits) => self.nodes[node].crash_at = Some((step, commits)),
            Fault::Stop(node) => self.stop(node),
            Fault::Restart(node) => self.restart(node, None),
            Fault::Copy(node) => self.nodes[node].copy = self.nodes[node].disk.clone(),
            Fault::RestartFromCopy(node) => self.restart(node, Some(self.nodes[node].copy.clone())),
            Fault::RestartFromNothing(node) => self.restart(node, Some(Disk::new(node, self.nodes[node].life))),
            Fault::Cut(from, to) => self.cut.push((from, to)),
            Fault::Heal => self.heal(),
            Fault::Receiver(which, mood) => self.moods[which] = mood,
            Fault::Reload => self.reload(),
            Fault::SetClock(node, by) => self.set_clock(node, by),
        }
        if !matches!(fault, Fault::Receiver(..) | Fault::Reload | Fault::Copy(_) | Fault::SetClock(..)) {
            self.push(self.now + Self::DETECTION, Event::Membership);
        }
    }

    pub(super) fn crash(&mut self, node: usize) {
        self.law.crashed(self.now, node, &self.nodes[node]);
        self.nodes[node].crash();
        self.push(self.now + Self::DETECTION, Event::Membership);
    }

    /// Everything decided reaches the disk; what is being sent is not waited for.
    fn stop(&mut self, node: usize) {
        if self.nodes[node].engine.is_some() {
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
            if self.nodes.iter().all(|node| node.engine.is_none()) {
                self.law.alone();
            }
        }
        self.boot(node);
    }

    /// Nodes that see each other again compare what they hold.
    fn heal(&mut self) {
        for (from, to) in std::mem::take(&mut self.cut) {
            self.soon(100, 2000, Event::Compare(from, to));
        }
    }

    fn reload(&mut self) {
        for node in 0..self.nodes.len() {
            let (now, policy) = (self.nodes[node].clock(self.now), Arc::new(self.plan.policy.clone()));
            let effects = self.nodes[node].engine.as_mut().map(|engine| engine.reload(now, policy));
            if let Some(effects) = effects {
                self.perform(node, effects);
            }
        }
    }

    fn set_clock(&mut self, node: usize, by: i64) {
        self.nodes[node].ahead += by;
        self.nodes[node].wake_at = None;
        if self.nodes[node].engine.is_some() {
            self.wake(node);
        }
    }

    pub(super) fn boot(&mut self, node: usize) {
        let count = self.nodes.len();
        let alone = self.nodes.iter().all(|node| node.engine.is_none());
        let (engine, effects) = node::start(&self.nodes[node], self.now, count, &self.plan.policy);
        self.law.restarted(self.now, &self.nodes[node], node, &engine);
        if count > 1 && alone {
            self.law.alone();
        }
        self.nodes[node].engine = Some(engine);
        self.perform(node, effects);
        if count > 1 {
            let life = self.nodes[node].life;
            (0..count).filter(|other| *other != node).for_each(|other| self.compare(node, other));
            self.push(self.now + Self::DETECTION, Event::Settled(node, life));
            self.push(self.now + Duration::from_secs(1), Event::Membership);
        }
    }
}
