//! Kept, Agreed, Bounded: what is on the disks and in the nodes' memory.

use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::Engine;
use watchbell_engine::digest::Horizon;
use watchbell_engine::silence::{SilenceId, SilenceState};
use watchbell_engine::time::Timestamp;

use super::rules::seconds;
use super::{Law, name};
use crate::node::{Disk, Node};

impl Law {
    /// Somebody was told that a silence holds.
    pub(crate) fn acknowledged(&mut self, node: usize, id: SilenceId) {
        self.acknowledged.insert((node, id));
    }

    /// Somebody asks a node to end a silence: it knows at once, its disk a moment later.
    pub(crate) fn ending(&mut self, node: usize, id: SilenceId) {
        self.ending.insert((node, id));
    }

    /// Somebody was told that a silence is ended.
    pub(crate) fn ended(&mut self, now: Timestamp, node: usize, id: SilenceId) {
        self.ended.insert(id, (node, now));
    }

    /// A node's disk is an older one or empty: what only it knew is lost.
    pub(crate) fn disk_replaced(&mut self, node: usize, disk: &Disk) {
        self.silences[node] = disk.silences().map(|silence| (silence.id, Arc::clone(silence))).collect();
        self.nflog[node] = disk.nflog().map(|entry| (entry.key.clone(), Arc::clone(entry))).collect();
        self.intents[node] = disk.intents().map(|intent| (intent.key.clone(), Arc::clone(intent))).collect();
        self.acknowledged.retain(|(whose, _)| *whose != node);
        self.ended.retain(|_, (whose, _)| *whose != node);
        self.ending.retain(|(whose, _)| *whose != node);
        let known = self.plan.alerts.iter().filter(|alert| alert.cause.is_some() || !alert.episodes[node].is_empty());
        self.lost.extend(known.map(|alert| alert.hash));
    }

    /// A node goes on with what it was unsure of; it cannot know whether others have cleared that up since.
    fn recalled(&mut self, node: usize) {
        let unsure: Vec<_> = self.intents[node].values().cloned().collect();
        unsure.iter().for_each(|intent| self.perhaps_heard(&intent.key, &intent.unsure.iter().copied().collect()));
    }

    /// Kept: what was on the disk is known after a restart, and what was ended stays so.
    pub(crate) fn restarted(&mut self, now: Timestamp, node: &Node, number: usize, engine: &Engine) {
        self.up_since[number] = now;
        self.recalled(number);
        self.watches_anew(now, number, node);
        self.joined(number);
        let clock = node.clock(now);
        let lost = self.silences[number].values().filter(|silence| silence.forget_at > clock).find(|silence| {
            let known = engine.view().silences().get(silence.id);
            known.is_none_or(|known| known.version < silence.version)
        });
        if let Some(id) = lost.map(|silence| silence.id) {
            self.breaks("Kept", now, &format!("node {number} lost silence {id}, or knows an older state of it"));
        }
        let mut mine = self.acknowledged.iter().filter(|(whose, _)| *whose == number);
        if let Some((_, id)) = mine.find(|(_, id)| !self.silences[number].contains_key(id)) {
            let what = format!("silence {id} was acknowledged by node {number} and is not on its disk");
            self.breaks("Kept", now, &what);
        }
        let kept = |key| engine.told(key).map(|entry| entry.version);
        let mut log = self.nflog[number].values().filter(|entry| entry.expires_at > clock);
        if let Some(key) = log.find(|entry| kept(&entry.key) < Some(entry.version)).map(|entry| entry.key.clone()) {
            self.breaks("Kept", now, &format!("node {number} forgot what it told {}", name(&key)));
        }
    }

    /// Kept: an ended silence does not come back, whatever disks and nodes do, once everybody may have heard of its end.
    pub(super) fn check_ended_silences(&mut self, now: Timestamp, nodes: &[Node]) {
        let patience = Duration::from_secs(300) + seconds(self.rules.skew);
        if now < self.calm_since + patience || now < self.parted_until {
            return;
        }
        let running = || nodes.iter().enumerate().filter(|(_, node)| node.runs());
        // If only those know of the end that are not there, nobody can.
        let is_known = |id: &SilenceId| {
            let known =
                |number: usize| self.silences[number].get(id).is_some_and(|known| known.ends_at <= known.updated_at);
            running().any(|(number, _)| known(number))
        };
        let ended = self.ended.iter().filter(|(id, (_, when))| *when + patience <= now && is_known(id));
        let back = ended.map(|(id, _)| *id).find(|id| {
            running().any(|(_, node)| {
                let silence = node.engine.as_ref().and_then(|engine| engine.view().silences().get(*id));
                silence.is_some_and(|silence| silence.state(node.clock(now)) == SilenceState::Active)
            })
        });
        if let Some(id) = back {
            self.breaks("Kept", now, &format!("silence {id} was ended and hushes again"));
        }
    }

    /// Agreed: nodes hold the same records, and see by their digests that they do.
    pub(crate) fn agreed(&mut self, now: Timestamp, nodes: &[Node]) {
        let horizon = now + Duration::from_secs(3600);
        let mut alive =
            nodes.iter().enumerate().filter_map(|(number, node)| Some((number, node, node.engine.as_ref()?)));
        let Some((_, first, engine)) = alive.next() else { return };
        let digest = engine.digest(Horizon::at(horizon));
        let differs = |node: &Node, engine: &Engine| {
            node.records(horizon) != first.records(horizon) || engine.digest(digest.horizon) != digest
        };
        if let Some((number, ..)) = alive.find(|(_, node, engine)| differs(node, engine)) {
            self.breaks("Agreed", now, &format!("node {number} and the first differ"));
        }
    }

    /// When everything is over, everybody knows it; and, Bounded, nothing is left and nothing is waited for.
    pub(crate) fn at_the_end(&mut self, now: Timestamp, nodes: &[Node]) {
        if self.broken.is_some() {
            return;
        }
        for (number, node) in nodes.iter().enumerate() {
            let Some(engine) = &node.engine else { return self.breaks("Bounded", now, "a node never came back") };
            let kept = (node.disk.len(), engine.digest(Horizon(0)).count());
            let left = (engine.load(), engine.view().alert_count(), engine.view().groups().count(), kept);
            if left != ((0, 0), 0, 0, (0, 0)) {
                let what = format!("node {number} keeps timers, attempts, alerts, groups, records: {left:?}");
                self.breaks("Bounded", now, &what);
            }
        }
    }
}
