//! The nodes of the cluster as this node sees them, what they claim to be doing, and whose turn it is to tell.

use std::collections::BTreeMap;
use std::time::Duration;

use smol_str::SmolStr;

use crate::nflog::NflogKey;
use crate::replica::NodeId;
use crate::time::Timestamp;

/// A living node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its identity.
    pub id: NodeId,
    /// Its name, by which nodes take turns.
    pub name: SmolStr,
}

/// What a node says it is doing about one integration of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which integration of which group.
    pub key: NflogKey,
    /// Who says so.
    pub node: NodeId,
    /// What it does.
    pub state: ClaimState,
    /// How long the claim holds from its arrival. A span, since clocks differ.
    pub lasts: Duration,
}

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// An attempt is under way: wait for its outcome.
    Sending,
    /// An attempt failed: others need not wait for this node.
    Failed,
}

/// The order of turns, and the claims that hold.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    me: NodeId,
    /// Living nodes in order of their names; this node is among them.
    order: Vec<NodeId>,
    peer_timeout: Duration,
    claims: BTreeMap<(NflogKey, NodeId), (ClaimState, Timestamp)>,
}

impl Turns {
    pub(crate) fn new(me: NodeId, peer_timeout: Duration) -> Self {
        Self { me, order: vec![me], peer_timeout, claims: BTreeMap::new() }
    }

    /// Takes note of who lives. What the dead claimed holds no more.
    pub(crate) fn set_peers(&mut self, mut peers: Vec<Peer>) {
        peers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        self.order = peers.into_iter().map(|peer| peer.id).collect();
        self.claims.retain(|(_, node), _| self.order.contains(node));
    }

    /// How many living nodes come before this one.
    pub(crate) fn position(&self) -> usize {
        self.order.iter().position(|id| *id == self.me).unwrap_or(0)
    }

    pub(crate) fn claim(&mut self, claim: Claim, now: Timestamp) {
        self.claims.retain(|_, (_, until)| *until > now);
        if claim.node != self.me && self.order.contains(&claim.node) {
            self.claims.insert((claim.key, claim.node), (claim.state, now + claim.lasts));
        }
    }

    /// Forgets what was claimed about an integration that has been told.
    pub(crate) fn settle(&mut self, key: &NflogKey) {
        for node in &self.order {
            self.claims.remove(&(key.clone(), *node));
        }
    }

    /// When this node's turn comes for a flush at `flushed_at`: `peer_timeout` for each living node before it that did
    /// not report a failure, and not while another node is sending.
    pub(crate) fn turn_at(&self, key: &NflogKey, flushed_at: Timestamp, now: Timestamp) -> Timestamp {
        let claims = |node: &NodeId| self.claims.get(&(key.clone(), *node)).filter(|(_, until)| *until > now);
        let before = self.order.iter().take(self.position());
        let waits = before.filter(|node| claims(node).is_none_or(|(state, _)| *state != ClaimState::Failed)).count();
        let wait = self.peer_timeout * u32::try_from(waits).unwrap_or(u32::MAX);
        let sending = self.order.iter().filter_map(claims).filter(|(state, _)| *state == ClaimState::Sending);
        sending.map(|(_, until)| *until).fold(flushed_at + wait, Timestamp::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn key() -> NflogKey {
        NflogKey { group_key: "{}:{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 }
    }

    /// The third of three nodes.
    fn third() -> Turns {
        let mut turns = Turns::new(NodeId(3), TIMEOUT);
        turns.set_peers((1..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect());
        turns
    }

    fn claim(node: u64, state: ClaimState) -> Claim {
        Claim { key: key(), node: NodeId(node), state, lasts: Duration::from_secs(60) }
    }

    #[test]
    fn each_node_before_costs_a_timeout_until_it_fails_or_dies() {
        let mut turns = third();
        assert_eq!(turns.turn_at(&key(), at(0), at(0)), at(30));
        turns.claim(claim(1, ClaimState::Failed), at(0));
        assert_eq!(turns.turn_at(&key(), at(0), at(1)), at(15));
        turns.set_peers(vec![Peer { id: NodeId(3), name: "n3".into() }]);
        assert_eq!(turns.turn_at(&key(), at(0), at(1)), at(0));
    }

    #[test]
    fn nobody_sends_while_another_is_sending() {
        let mut turns = third();
        turns.claim(claim(1, ClaimState::Sending), at(10));
        assert_eq!(turns.turn_at(&key(), at(0), at(40)), at(70));
        assert_eq!(turns.turn_at(&key(), at(0), at(71)), at(30));
        turns.claim(claim(1, ClaimState::Sending), at(72));
        turns.settle(&key());
        assert_eq!(turns.turn_at(&key(), at(0), at(73)), at(30));
    }
}
