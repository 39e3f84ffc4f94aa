//! Who is here: the living nodes, those that were lost or are remembered, and how far each agrees with this one. It knows chitchat's
//! verdicts and what nodes say of themselves, and nothing of connections.
//!
//! A node that chitchat gives up is missed for a few looks before it counts as lost. A node that was stopped itself, and
//! wakes with clocks that ran on, misses nobody for a while: it would take all others for dead, and speak for them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smol_str::SmolStr;
use watchbell_engine::members::{KnownPeer, Member as Known};
use watchbell_engine::peers::Peer;
use watchbell_engine::version::NodeId;

use super::frame::Round;
use super::screen::{GONE_AFTER, MAX_LIVES};

/// Looks for which a node must be missed.
const LOOKS: u32 = 5;

/// How long a port that refuses makes its node count as dead; chitchat has noticed by then, or is right.
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// How long a node that was stopped misses nobody: until all have been heard again.
const PATIENCE: Duration = Duration::from_secs(6);

/// Shards that are asked for at once, so that the answer fits into what may wait for a connection.
const SHARDS_AT_ONCE: usize = 32;

/// A node in one of its lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) node: NodeId,
    pub(super) name: SmolStr,
    pub(super) address: SocketAddr,
    /// The greater one is the later one.
    pub(super) number: u64,
}

/// All nodes but this one.
#[derive(Debug)]
pub(super) struct Members {
    me: Peer,
    nodes: BTreeMap<NodeId, Member>,
    /// Lives that are over whatever chitchat says, and for how long that holds.
    over: BTreeMap<(NodeId, u64), Instant>,
    /// Until when nobody is missed.
    patient_until: Option<Instant>,
}

#[derive(Debug)]
struct Member {
    life: Life,
    state: State,
    /// The connection over which it was met.
    met: Option<u64>,
    /// Whether it said goodbye: nobody misses it.
    left: bool,
    /// Whether it was met in an earlier life of this node only.
    remembered: bool,
    /// Which comparison it was last asked for, and when, until it answers.
    asked: Option<(u64, Instant)>,
    /// Whether it was compared with since it came, or since that was doubted.
    compared: bool,
    /// The first comparison that counts for that; answers to earlier ones are old.
    counts_from: u64,
    /// Whether what is asked for now follows from a comparison that counts.
    counts: bool,
    /// Whether it held the same when last compared.
    equal: bool,
    /// Shards that are still to be asked for.
    differing: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    /// Missed for so many looks.
    Missed(u32),
    Lost(Instant),
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Nodes that were not known.
    pub(super) joined: u64,
    /// Nodes that are lost.
    pub(super) left: u64,
    /// Nodes that are in another life.
    pub(super) updated: u64,
    /// Lost nodes that are back.
    pub(super) returned: u64,
    /// Nodes that came under a name that is taken.
    pub(super) conflicts: u64,
}

impl Members {
    pub(super) fn new(me: Peer) -> Self {
        Self { me, nodes: BTreeMap::new(), over: BTreeMap::new(), patient_until: None }
    }

    /// Remembers nodes that were known in an earlier life of this one: they are lost until they are seen.
    pub(super) fn remember(&mut self, peers: &[KnownPeer], now: Instant) {
        for peer in peers.iter().filter(|peer| peer.node != self.me.id) {
            if let Ok(address) = peer.address.parse() {
                let life = Life { node: peer.node, name: peer.name.clone(), address, number: 0 };
                let member = Member { state: State::Lost(now), remembered: true, ..Member::new(life) };
                self.nodes.insert(peer.node, member);
            }
        }
    }

    /// Takes note that this node was stopped, and hears nobody for that reason.
    pub(super) fn slept(&mut self, now: Instant) {
        self.patient_until = Some(now + PATIENCE);
    }

    /// Takes note of chitchat's verdict: the lives it takes for alive.
    pub(super) fn look(&mut self, alive: Vec<Life>, now: Instant) -> Changes {
        self.over.retain(|_, until| *until > now);
        let mut latest: BTreeMap<NodeId, Life> = BTreeMap::new();
        for life in alive.into_iter().filter(|life| life.node != self.me.id) {
            let over = self.over.contains_key(&(life.node, life.number));
            if !over && latest.get(&life.node).is_none_or(|known| known.number < life.number) {
                latest.insert(life.node, life);
            }
        }
        let mut changes = Changes::default();
        let patient = self.patient_until.is_some_and(|until| now < until);
        for (node, member) in &mut self.nodes {
            let over = self.over.contains_key(&(*node, member.life.number));
            if !latest.contains_key(node) && (over || !patient) {
                changes.left += u64::from(member.miss(over, now));
            }
        }
        latest.into_values().for_each(|life| self.see(life, &mut changes));
        changes
    }

    fn see(&mut self, life: Life, changes: &mut Changes) {
        let taken =
            self.me.name == life.name || self.living().any(|m| m.life.name == life.name && m.life.node != life.node);
        let Some(member) = self.nodes.get_mut(&life.node) else {
            changes.joined += 1;
            changes.conflicts += u64::from(taken);
            self.nodes.insert(life.node, Member::new(life));
            return;
        };
        match member.state {
            State::Lost(_) if member.remembered => changes.joined += 1,
            State::Lost(_) => changes.returned += 1,
            _ if member.life.number != life.number => changes.updated += 1,
            _ => {
                member.state = State::Alive;
                return;
            }
        }
        *member = Member::new(life);
    }

    /// Ends a life before chitchat notices.
    pub(super) fn end(&mut self, node: NodeId, number: u64, now: Instant) {
        self.over.insert((node, number), now + 2 * GONE_AFTER);
        if let Some(member) = self.nodes.get_mut(&node).filter(|member| member.life.number == number) {
            member.left = true;
        }
    }

    /// Takes the node at an address for dead, for a while.
    pub(super) fn refused(&mut self, address: SocketAddr, now: Instant) {
        let there = self.nodes.values().filter(|member| member.life.address == address);
        let lives: Vec<_> = there.map(|member| (member.life.node, member.life.number)).collect();
        for life in lives {
            let until = self.over.entry(life).or_insert(now);
            *until = (*until).max(now + REFUSED_FOR);
        }
    }

    /// Forgets who is lost for longer than this, unless it was `named` by an operator and has not said goodbye; and who is
    /// lost for longest when there are too many. Returns the names that nobody has any more.
    pub(super) fn forget(&mut self, longest: Duration, named: &BTreeSet<SocketAddr>, now: Instant) -> Vec<SmolStr> {
        let lost = |(node, member): (&NodeId, &Member)| match member.state {
            State::Lost(since) => {
                let expected = named.contains(&member.life.address) && !member.left;
                Some((since, *node, !expected && since + longest <= now))
            }
            State::Alive | State::Missed(_) => None,
        };
        let mut lost: Vec<_> = self.nodes.iter().filter_map(lost).collect();
        lost.sort_unstable();
        let too_many = self.nodes.len().saturating_sub(MAX_LIVES);
        let gone = lost.into_iter().enumerate().filter(|(n, (.., given_up))| *n < too_many || *given_up);
        let names: Vec<_> =
            gone.filter_map(|(_, (_, node, _))| self.nodes.remove(&node)).map(|m| m.life.name).collect();
        names.into_iter().filter(|name| self.nodes.values().all(|member| member.life.name != *name)).collect()
    }

    /// All nodes that are here or missed. Where another node lives now, nobody is missed: a disk was replaced.
    pub(super) fn known(&self) -> Vec<Known> {
        let taken: BTreeSet<SocketAddr> = self.living().map(|member| member.life.address).collect();
        let missed = |member: &Member| !member.left && !taken.contains(&member.life.address);
        let known = |member: &Member| {
            let Life { node, name, address, .. } = &member.life;
            let peer = KnownPeer { name: name.clone(), node: *node, address: address.to_string().into() };
            Known { peer, here: member.is_living() }
        };
        self.nodes.values().filter(|member| member.is_living() || missed(member)).map(known).collect()
    }

    /// The living nodes, this one among them.
    pub(super) fn peers(&self) -> Vec<Peer> {
        let others = self.living().map(|member| Peer { id: member.life.node, name: member.life.name.clone() });
        std::iter::once(self.me.clone()).chain(others).collect()
    }

    /// The other living nodes and where they are.
    pub(super) fn others(&self) -> Vec<Life> {
        self.living().map(|member| member.life.clone()).collect()
    }

    /// Whether any other node lives.
    pub(super) fn has_others(&self) -> bool {
        self.living().next().is_some()
    }

    /// Where the lost ones were.
    pub(super) fn lost(&self) -> Vec<SocketAddr> {
        let lost = self.nodes.values().filter(|member| matches!(member.state, State::Lost(_)));
        lost.map(|member| member.life.address).collect()
    }

    /// Where a node is, alive or not.
    pub(super) fn address(&self, node: NodeId) -> Option<SocketAddr> {
        self.nodes.get(&node).map(|member| member.life.address)
    }

    /// The name of a node that is alive.
    pub(super) fn living_name(&self, node: NodeId) -> Option<SmolStr> {
        self.nodes.get(&node).filter(|member| member.is_living()).map(|member| member.life.name.clone())
    }

    /// Whether a living node is to be found at an address.
    pub(super) fn lives_at(&self, address: SocketAddr) -> bool {
        self.living().any(|member| member.life.address == address)
    }

    /// Which node is to be found at an address.
    pub(super) fn at(&self, address: SocketAddr) -> Option<NodeId> {
        self.nodes.values().find(|member| member.life.address == address).map(|member| member.life.node)
    }

    /// Living nodes that were not met over the connection that stands now.
    pub(super) fn meet(&mut self, connection: impl Fn(SocketAddr) -> Option<u64>) -> Vec<NodeId> {
        let mut met = Vec::new();
        for member in self.nodes.values_mut().filter(|member| member.is_living()) {
            let stands = connection(member.life.address);
            if stands.is_some() && stands != member.met {
                member.met = stands;
                met.push(member.life.node);
            }
        }
        met
    }

    /// Notes that a node was asked for its digest.
    pub(super) fn asked(&mut self, node: NodeId, number: u64, now: Instant) {
        if let Some(member) = self.nodes.get_mut(&node) {
            member.asked = Some((number, now));
        }
    }

    /// How long a node took to answer what it was asked last, and its name; once.
    pub(super) fn answer_took(&mut self, node: NodeId, round: Round, now: Instant) -> Option<(SmolStr, Duration)> {
        let member = self.nodes.get_mut(&node)?;
        let (_, asked) = member.asked.take_if(|(number, _)| round == Round::Answers(*number))?;
        Some((member.life.name.clone(), now.duration_since(asked)))
    }

    /// Notes a comparison: where a node differs. Returns which shards are to be asked for first.
    pub(super) fn compared(&mut self, node: NodeId, differing: Vec<u8>, round: Round) -> Vec<u8> {
        let Some(member) = self.nodes.get_mut(&node) else { return Vec::new() };
        member.equal = differing.is_empty();
        member.counts = matches!(round, Round::Answers(number) if number >= member.counts_from);
        member.compared |= member.equal && member.counts;
        member.differing = differing;
        member.next_shards()
    }

    /// Notes that what was asked for has come. Returns which shards are to be asked for next.
    pub(super) fn answered(&mut self, node: NodeId) -> Vec<u8> {
        let Some(member) = self.nodes.get_mut(&node) else { return Vec::new() };
        let next = member.next_shards();
        member.compared |= next.is_empty() && member.counts;
        next
    }

    /// Asks for all comparisons again, since what is known here may be old.
    /// Those that have begun before `number` do not count.
    pub(super) fn doubt(&mut self, number: u64) {
        for member in self.nodes.values_mut() {
            (member.compared, member.counts, member.counts_from) = (false, false, number);
        }
    }

    /// Whether all living nodes have been compared with, and what was missing here has come.
    pub(super) fn all_compared(&self) -> bool {
        self.living().all(|member| member.compared)
    }

    /// How many other living nodes held the same when last compared.
    pub(super) fn agreeing(&self) -> usize {
        self.living().filter(|member| member.equal).count()
    }

    fn living(&self) -> impl Iterator<Item = &Member> {
        self.nodes.values().filter(|member| member.is_living())
    }
}

impl Member {
    fn new(life: Life) -> Self {
        let (met, asked, differing) = (None, None, Vec::new());
        let (compared, counts, counts_from, equal) = (false, false, 0, false);
        let (left, remembered) = (false, false);
        Self {
            life,
            state: State::Alive,
            met,
            left,
            remembered,
            asked,
            compared,
            counts,
            counts_from,
            equal,
            differing,
        }
    }

    fn is_living(&self) -> bool {
        !matches!(self.state, State::Lost(_))
    }

    /// Notes that it was not seen; returns whether it is lost by that. Of one whose life is over there is no doubt.
    fn miss(&mut self, over: bool, now: Instant) -> bool {
        self.state = match self.state {
            State::Alive if !over => State::Missed(1),
            State::Missed(looks) if !over && looks < LOOKS => State::Missed(looks + 1),
            State::Lost(_) => return false,
            State::Alive | State::Missed(_) => State::Lost(now),
        };
        !self.is_living()
    }

    fn next_shards(&mut self) -> Vec<u8> {
        let rest = self.differing.split_off(self.differing.len().min(SHARDS_AT_ONCE));
        std::mem::replace(&mut self.differing, rest)
    }
}

#[cfg(test)]
mod tests;
