//! The nodes of the cluster as this node sees them, what they claim to be doing, and whose turn it is to tell.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use smol_str::SmolStr;

use crate::decide::{Told, is_in};
use crate::nflog::NflogKey;
use crate::time::Timestamp;
use crate::version::NodeId;

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
    /// The claimant's clock, rising with every claim: what arrives late does not replace what is newer.
    pub stamp: Timestamp,
    /// How long the claim holds from its arrival. A span, since clocks differ.
    pub lasts: Duration,
    /// Log hashes of alerts, sorted. Of an announcement: those that the integration believes to fire and the node does
    /// not see firing, about which it asks. Otherwise those of which the integration may have heard from it.
    pub alerts: Vec<u64>,
}

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// It is about to make an attempt: others come first, or it must ask before.
    Announced,
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
    /// When that last changed.
    changed_at: Timestamp,
    /// Until then a node that is gone may come back, and know what no other does.
    missing_until: Timestamp,
    peer_timeout: Duration,
    /// What the others claim: no more than `MOST_CLAIMS`, among them some that hold no more.
    claims: BTreeMap<NodeKey, Held>,
    /// When those were last taken out.
    swept_at: Timestamp,
    /// When this node last failed to tell.
    failures: BTreeMap<NflogKey, Timestamp>,
}

/// One node's claim about one integration of one group.
type NodeKey = (NflogKey, NodeId);

/// After this all nodes see the same members: longer than it takes to notice that one came or went.
const MEMBERSHIP_SETTLES: Duration = Duration::from_secs(10);

/// For so long it counts that a node may come back: time enough to restart a machine, and not so long that what it alone
/// knew, and what ended meanwhile, would be taken for known when it fires again.
const MISSED_FOR: Duration = Duration::from_secs(3600);

/// However long a claim says it lasts. An attempt lasts no longer than a group interval, rarely more than minutes.
const LONGEST_CLAIM: Duration = Duration::from_secs(24 * 3600);

/// As many as ten nodes make that each tell 5,000 integrations at once. A claim beyond them is not heard: what it would
/// have held back is told twice rather than not at all.
const MOST_CLAIMS: usize = 50_000;

/// Looking for claims that hold no more is work for each claim there is, so it is not done for each that comes.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A claim that arrived.
#[derive(Clone, Debug)]
struct Held {
    /// `None` once it is settled: it is kept for a while, so that it is not heard again.
    state: Option<ClaimState>,
    stamp: Timestamp,
    since: Timestamp,
    until: Timestamp,
    alerts: Vec<u64>,
}

impl Turns {
    /// At the birth of a node that has, or will have, peers if `clustered`.
    pub(crate) fn new(me: NodeId, peer_timeout: Duration, clustered: bool, now: Timestamp) -> Self {
        let (claims, failures) = (BTreeMap::new(), BTreeMap::new());
        let (changed_at, swept_at) = (Timestamp::EPOCH, now);
        let missing_until = if clustered { now + MISSED_FOR } else { Timestamp::EPOCH };
        Self { me, order: vec![me], changed_at, missing_until, peer_timeout, claims, swept_at, failures }
    }

    /// Takes note of who lives. What the dead claimed holds no more; returned is what may have been heard from them.
    pub(crate) fn set_peers(&mut self, mut peers: Vec<Peer>, now: Timestamp) -> Vec<(NflogKey, Vec<u64>)> {
        peers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let order: Vec<NodeId> = peers.into_iter().map(|peer| peer.id).collect();
        if order != self.order {
            (self.order, self.changed_at, self.missing_until) = (order, now, now + MISSED_FOR);
        }
        let dead = self.claims.extract_if(.., |(_, node), _| !self.order.contains(node));
        // Nobody goes on sending for so much longer than it said: what became of it is known.
        let lapsed = |held: &Held| held.until + MEMBERSHIP_SETTLES < now;
        let heard = dead.filter(|(_, held)| held.state != Some(ClaimState::Announced) && !lapsed(held));
        heard.map(|((key, _), held)| (key, held.alerts)).collect()
    }

    /// Whether there is no other node.
    pub(crate) fn is_alone(&self) -> bool {
        self.order.len() < 2
    }

    /// Whether a node may be missing that knows what no other does: the members changed not long ago.
    pub(crate) fn misses_somebody(&self, now: Timestamp) -> bool {
        now < self.missing_until
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

    /// Hears a claim, unless a newer one of that node was heard or there are too many.
    pub(crate) fn claim(&mut self, claim: Claim, now: Timestamp) {
        self.sweep(now);
        let claimant = (claim.key, claim.node);
        let known = self.claims.get(&claimant).map(|held| held.stamp);
        let has_room = known.is_some() || self.claims.len() < MOST_CLAIMS;
        if claim.node != self.me && known < Some(claim.stamp) && has_room {
            let (since, until) = (now, now + claim.lasts.min(LONGEST_CLAIM));
            let held = Held { state: Some(claim.state), stamp: claim.stamp, since, until, alerts: claim.alerts };
            self.claims.insert(claimant, held);
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        if now >= self.swept_at + SWEEP_EVERY {
            self.claims.retain(|_, held| held.until > now);
            self.swept_at = now;
        }
    }

    /// Notes that this node failed to tell: the others go first now.
    pub(crate) fn failed(&mut self, key: &NflogKey, now: Timestamp) {
        let longest_wait = self.peer_timeout * u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.failures.retain(|_, at| *at + longest_wait > now);
        self.failures.insert(key.clone(), now);
    }

    /// What was claimed about an integration that `teller` has told is settled: its own claim, and that others failed. Who
    /// sends or is about to goes on counting, since it may know already that the integration has been told; if it should
    /// die, what was told meanwhile is known all the same.
    pub(crate) fn settle(&mut self, key: &NflogKey, teller: NodeId, told: &Told, now: Timestamp) {
        self.failures.remove(key);
        let is_told = |hash: &u64| is_in(*hash, &told.firing) || is_in(*hash, &told.resolved);
        for ((_, node), held) in self.claims.range_mut(on_key(key)) {
            if *node == teller || held.state == Some(ClaimState::Failed) {
                (held.state, held.alerts) = (None, Vec::new());
                held.until = held.until.min(now + MEMBERSHIP_SETTLES);
            } else if held.state == Some(ClaimState::Sending) {
                held.alerts.retain(|hash| !is_told(hash));
            }
        }
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
        for at in [&mut self.changed_at, &mut self.missing_until, &mut self.swept_at] {
            *at = *at - back;
        }
        self.failures.values_mut().for_each(|at| *at = *at - back);
        for held in self.claims.values_mut() {
            (held.since, held.until) = (held.since - back, held.until - back);
        }
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
        self.claims_on(key).filter(move |(claimant, held)| counts(claimant, held)).map(|(_, held)| held)
    }

    fn claims_on(&self, key: &NflogKey) -> impl Iterator<Item = (&NodeKey, &Held)> {
        self.claims.range(on_key(key))
    }

    fn has_failed_since(&self, key: &NflogKey, node: NodeId, since: Option<Timestamp>, now: Timestamp) -> bool {
        let held = self.held(key, node, now).filter(|held| held.state == Some(ClaimState::Failed));
        held.is_some_and(|held| since.is_none_or(|since| held.since >= since))
    }

    fn held(&self, key: &NflogKey, node: NodeId, now: Timestamp) -> Option<&Held> {
        self.claims.get(&(key.clone(), node)).filter(|held| held.until > now)
    }
}

fn on_key(key: &NflogKey) -> RangeInclusive<NodeKey> {
    (key.clone(), NodeId(0))..=(key.clone(), NodeId(u64::MAX))
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
        let mut turns = Turns::new(NodeId(3), TIMEOUT, true, at(0));
        turns.set_peers((1..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect(), at(0));
        turns
    }

    fn claim(node: u64, state: ClaimState) -> Claim {
        Claim { key: key(), node: NodeId(node), state, stamp: at(0), lasts: Duration::from_secs(60), alerts: vec![] }
    }

    #[test]
    fn each_node_before_costs_a_timeout_until_it_fails_or_dies() {
        let mut turns = third();
        assert_eq!(turns.turn_at(&key(), at(0), false, at(0)), at(30));
        turns.claim(claim(1, ClaimState::Failed), at(0));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(1)), at(15));
        turns.set_peers(vec![Peer { id: NodeId(3), name: "n3".into() }], at(1));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(1)), at(0));
    }

    #[test]
    fn who_failed_lets_the_others_try_first() {
        let mut turns = third();
        turns.failed(&key(), at(30));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(31)), at(60));
        turns.claim(claim(1, ClaimState::Failed), at(32));
        turns.claim(claim(2, ClaimState::Failed), at(33));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(33)), at(30));
    }

    #[test]
    fn nobody_sends_while_another_is_sending() {
        let mut turns = third();
        turns.claim(claim(1, ClaimState::Sending), at(10));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(40)), at(70));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(71)), at(30));
        turns.claim(claim(1, ClaimState::Sending), at(72));
        turns.settle(&key(), NodeId(2), &Told::default(), at(72));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(73)), at(132));
        turns.settle(&key(), NodeId(1), &Told::default(), at(72));
        assert_eq!(turns.turn_at(&key(), at(0), false, at(73)), at(30));
    }

    #[test]
    fn what_is_settled_is_not_heard_again() {
        let mut turns = third();
        let failed = Claim { alerts: vec![7], ..claim(1, ClaimState::Failed) };
        turns.claim(failed.clone(), at(10));
        turns.settle(&key(), NodeId(2), &Told { firing: vec![7], resolved: vec![] }, at(11));
        turns.claim(failed, at(12));
        let left = (2..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect();
        assert!(turns.set_peers(left, at(13)).iter().all(|(_, heard)| heard.is_empty()));
    }

    #[test]
    fn who_died_long_after_its_attempt_ran_out_has_told_nothing() {
        for (died, heard) in [(75, vec![vec![7]]), (85, vec![])] {
            let mut turns = third();
            turns.claim(Claim { alerts: vec![7], ..claim(1, ClaimState::Sending) }, at(10));
            let left = (2..=3).map(|id| Peer { id: NodeId(id), name: format!("n{id}").into() }).collect();
            let perhaps = turns.set_peers(left, at(died)).into_iter().map(|(_, alerts)| alerts).collect::<Vec<_>>();
            assert_eq!(perhaps, heard);
        }
    }

    #[test]
    fn claims_without_number_are_not_heard_and_leave_no_lasting_trace() {
        let mut turns = third();
        let numbered = |group: usize| NflogKey { group_key: group.to_string().into(), ..key() };
        for group in 0..=MOST_CLAIMS {
            turns.claim(Claim { key: numbered(group), ..claim(1, ClaimState::Sending) }, at(1));
        }
        assert_eq!(turns.claims_held(), MOST_CLAIMS);
        turns.claim(Claim { stamp: at(1), ..claim(1, ClaimState::Sending) }, at(62));
        assert_eq!(turns.claims_held(), 1);
    }
}
