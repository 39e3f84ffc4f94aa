//! What lies between the nodes: news, who sees whom, and the comparison of what two nodes hold, by digests as in the
//! real cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use smol_str::SmolStr;
use watchbell_engine::digest::Horizon;
use watchbell_engine::effect::Input;
use watchbell_engine::members::{KnownPeer, Member};
use watchbell_engine::peers::Peer;
use watchbell_engine::replica::Record;

use super::{Event, World};

impl World {
    /// Sends news. What is lost breaks the link, and nodes that meet again compare what they hold.
    pub(super) fn send(&mut self, from: usize, to: usize, records: Vec<Record>) {
        let network = self.plan.network;
        if self.rng.chance(network.lost_percent) {
            self.law.shaken(self.now);
            return self.soon(500, 3000, Event::Compare(from, to));
        }
        if self.rng.chance(network.doubled_percent) {
            self.soon(1, 3000, Event::News { to, from, records: records.clone() });
        }
        self.soon(1, network.longest_ms, Event::News { to, from, records });
    }

    pub(super) fn arrive(&mut self, from: usize, to: usize, records: Vec<Record>) {
        if !self.is_cut(from, to) {
            self.law.arrived(self.now, from, to, &records);
            self.handle(to, Input::News(records));
        }
    }

    /// Every living node learns from whom it hears. What a node told only some before it was gone comes out when those
    /// compare what they hold, which the real ones do every few seconds.
    pub(super) fn membership(&mut self) {
        for node in 0..self.nodes.len() {
            if !self.nodes[node].runs() {
                self.law.missed(node, &self.nodes[node]);
                continue;
            }
            let heard = (0..self.nodes.len()).filter(|other| *other == node || self.hears(node, *other));
            let peer = |number: usize| Peer { id: self.nodes[number].id(), name: name(number) };
            let peers = heard.map(peer).collect();
            self.handle(node, Input::Peers(peers));
            if self.plan.watches() {
                self.members(node);
            }
            (0..node).for_each(|other| self.soon(100, 3000, Event::Compare(node, other)));
        }
    }

    /// A node learns who is here and who is missed: whom it knew, unless that one said goodbye.
    fn members(&mut self, node: usize) {
        let heard: BTreeSet<usize> =
            (0..self.nodes.len()).filter(|other| *other != node && self.hears(node, *other)).collect();
        self.nodes[node].known.extend(&heard);
        let member = |other: &usize| Member {
            peer: KnownPeer { name: name(*other), node: self.nodes[*other].id(), address: other.to_string().into() },
            here: heard.contains(other),
        };
        let members: Vec<Member> = self.nodes[node].known.iter().map(member).collect();
        self.law.members(self.now, node, &members);
        self.handle(node, Input::Members(members));
    }

    /// Whoever hears a node that stops in order does not miss it.
    pub(super) fn say_goodbye(&mut self, node: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            if self.hears(other, node) {
                self.nodes[other].known.remove(&node);
            }
        }
    }

    pub(super) fn repair(&mut self, node: usize) {
        let other = self.rng.between(0, self.nodes.len() as i64 - 1) as usize;
        if other != node {
            self.compare(node, other);
        }
    }

    /// Two nodes compare their digests and hand each other the records of the shards that differ, and what they are
    /// doing.
    pub(super) fn compare(&mut self, one: usize, other: usize) {
        let clocks = [one, other].map(|node| self.nodes[node].clock(self.now));
        let (true, true) = (self.hears(one, other), self.hears(other, one)) else { return };
        let [Some(mine), Some(theirs)] = [one, other].map(|node| self.nodes[node].engine.as_ref()) else { return };
        let horizon = Horizon::at(clocks[0]);
        let shards = mine.digest(horizon).differing(&theirs.digest(horizon));
        for (number, (from, to)) in [(one, other), (other, one)].into_iter().enumerate() {
            let engine = self.nodes[from].engine.as_ref().expect("it was asked above");
            let mut records = if shards.is_empty() { Vec::new() } else { engine.records_of(&shards) };
            records.extend(engine.claims(clocks[number]));
            if !records.is_empty() {
                self.soon(1, 50, Event::News { to, from, records });
            }
        }
    }

    pub(super) fn hears(&self, one: usize, other: usize) -> bool {
        let up = self.nodes[one].runs() && self.nodes[other].runs();
        up && !self.is_cut(other, one)
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    /// How long it takes to notice that a node is gone or back.
    pub(super) const DETECTION: Duration = Duration::from_secs(3);
}

fn name(node: usize) -> SmolStr {
    format!("n{node}").into()
}
