//! The nodes of the cluster as this node sees them, what they claim to be doing, and whose turn it is to tell.

mod claims;

use std::collections::BTreeMap;
use std::time::Duration;

use smol_str::SmolStr;

use crate::decide::Told;
use crate::nflog::NflogKey;
use crate::time::Timestamp;
use crate::version::NodeId;

pub use claims::{Claim, ClaimState};
use claims::{Claims, Held, NodeKey};

/// A living node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its identity.
    pub id: NodeId,
    /// Its name, by which nodes take turns.
    pub name: SmolStr,
}

/// The order of turns, and the claims that hold.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    me: NodeId,
    /// Living nodes in order of their names; this node is among them.
    order: Vec<NodeId>,
    /// When that last changed.
    changed_at: Timestamp,
    /// Until then a node that is gone may come back, and know what no other does.
    missing_until: Timestamp,
    peer_timeout: Duration,
    claims: Claims,
    /// When this node last failed to tell.
    failures: BTreeMap<NflogKey, Timestamp>,
}

/// After this all nodes see the same members: longer than it takes to notice that one came or went.
const MEMBERSHIP_SETTLES: Duration = Duration::from_secs(10);

/// For so long it counts that a node may come back: time enough to restart a machine, and not so long that what it alone
/// knew, and what ended meanwhile, would be taken for known when it fires again.
const MISSED_FOR: Duration = Duration::from_secs(3600);

impl Turns {
    /// At the birth of a node that has, or will have, peers if `clustered`.
    pub(crate) fn new(me: NodeId, peer_timeout: Duration, clustered: bool, now: Timestamp) -> Self {
        let missing_until = if clustered { now + MISSED_FOR } else { Timestamp::EPOCH };
        let (claims, failures) = (Claims::new(now), BTreeMap::new());
        Self { me, order: vec![me], changed_at: Timestamp::EPOCH, missing_until, peer_timeout, claims, failures }
    }

    /// Takes note of who lives. What the dead claimed holds no more; returned is what may have been heard from them.
    pub(crate) fn set_peers(&mut self, mut peers: Vec<Peer>, now: Timestamp) -> Vec<(NflogKey, Vec<u64>)> {
        peers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let order: Vec<NodeId> = peers.into_iter().map(|peer| peer.id).collect();
        if order != self.order {
            (self.order, self.changed_at, self.missing_until) = (order, now, now + MISSED_FOR);
        }
        self.claims.of_the_dead(&self.order, now)
    }

    /// Whether there is no other node.
    pub(crate) fn is_alone(&self) -> bool {
        self.order.len() < 2
    }

    /// Whether a node may be missing that knows what no other does: the members changed not long ago.
    pub(crate) fn misses_somebody(&self, now: Timestamp) -> bool {
        now < self.missing_until
    }

    /// Whether this node has no other any more and may meet it again any moment, when a cut is healed.
    pub(crate) fn lost_everybody(&self, now: Timestamp) -> bool {
        self.is_alone() && now < self.changed_at + MISSED_FOR
    }

    /// The other living nodes.
    pub(crate) fn others(&self) -> impl Iterator<Item = &NodeId> {
        self.order.iter().filter(|node| **node != self.me)
    }

    /// Whether another node may think that it is its turn as well: this one sends only because others did not, or not
    /// all may know yet who lives.
    pub(crate) fn is_contested(&self, key: &NflogKey, now: Timestamp) -> bool {
        let changing = now < self.changed_at + MEMBERSHIP_SETTLES;
        !self.is_alone() && (self.position() > 0 || self.failures.contains_key(key) || changing)
    }

    /// How many living nodes come before this one.
    pub(crate) fn position(&self) -> usize {
        self.order.iter().position(|id| *id == self.me).unwrap_or(0)
    }

    /// How many claims are held.
    pub(crate) fn claims_held(&self) -> usize {
        self.claims.len()
    }

    /// Hears a claim of another node.
    pub(crate) fn claim(&mut self, claim: Claim, now: Timestamp) {
        if claim.node != self.me {
            self.claims.hear(claim, now);
        }
    }

    /// Notes that this node failed to tell: the others go first now.
    pub(crate) fn failed(&mut self, key: &NflogKey, now: Timestamp) {
        let longest_wait = self.peer_timeout * u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.failures.retain(|_, at| *at + longest_wait > now);
        self.failures.insert(key.clone(), now);
    }

    /// Notes that `teller` has told an integration. Who else sends, or is about to, goes on counting: it may know that already.
    pub(crate) fn settle(&mut self, key: &NflogKey, teller: NodeId, told: &Told, now: Timestamp) {
        self.failures.remove(key);
        self.claims.settle(key, teller, told, now);
    }

    /// When this node's turn comes for what waits since `since`: it waits `peer_timeout` for each living node before
    /// it, or, once it has failed itself, for each other one; not for those that have reported a failure since; and
    /// never while another node is sending. Once it has `announced` that it will send, only nodes before it count.
    pub(crate) fn turn_at(&self, key: &NflogKey, since: Timestamp, announced: bool, now: Timestamp) -> Timestamp {
        let failure = self.failures.get(key).copied();
        let before = if failure.is_some() { self.order.len() } else { self.position() };
        let first = self.order.iter().take(before).filter(|node| **node != self.me);
        let waits = first.filter(|node| !self.has_failed_since(key, **node, failure, now)).count();
        let wait = self.peer_timeout * u32::try_from(waits).unwrap_or(u32::MAX);
        let turn = failure.unwrap_or(since) + wait;
        self.rivals(key, announced).filter(|held| held.until > now).map(|held| held.until).fold(turn, Timestamp::max)
    }

    /// Moves everything to earlier: the clock was set back.
    pub(crate) fn pull(&mut self, back: Duration) {
        for at in [&mut self.changed_at, &mut self.missing_until] {
            *at = *at - back;
        }
        self.failures.values_mut().for_each(|at| *at = *at - back);
        self.claims.pull(back);
    }

    /// The claims of those who send, and of those who are about to; once this node has announced the same, of the
    /// latter only those that do not come after it.
    fn rivals(&self, key: &NflogKey, announced: bool) -> impl Iterator<Item = &Held> {
        let after_me = if announced { &self.order[(self.position() + 1).min(self.order.len())..] } else { &[] };
        let counts = |(_, node): &NodeKey, held: &Held| match held.state {
            Some(ClaimState::Sending) => true,
            Some(ClaimState::Announced) => !after_me.contains(node),
            Some(ClaimState::Failed) | None => false,
        };
        self.claims.on(key).filter(move |(claimant, held)| counts(claimant, held)).map(|(_, held)| held)
    }

    fn has_failed_since(&self, key: &NflogKey, node: NodeId, since: Option<Timestamp>, now: Timestamp) -> bool {
        let held = self.claims.held(key, node, now).filter(|held| held.state == Some(ClaimState::Failed));
        held.is_some_and(|held| since.is_none_or(|since| held.since >= since))
    }
}

#[cfg(test)]
mod tests;
