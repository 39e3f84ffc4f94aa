//! What the other nodes claim to be doing: newer claims take the place of older ones, and none is held for ever. What
//! follows from them for this node's turn is not known here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::decide::{Told, is_in};
use crate::nflog::NflogKey;
use crate::time::Timestamp;
use crate::version::NodeId;

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

/// The claims of others.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    /// No more than `MOST_CLAIMS`, among them some that hold no more.
    held: BTreeMap<NodeKey, Held>,
    /// When those were last taken out.
    swept_at: Timestamp,
}

/// One node's claim about one integration of one group.
pub(super) type NodeKey = (NflogKey, NodeId);

/// However long a claim says it lasts. An attempt lasts no longer than a group interval, rarely more than minutes.
const LONGEST_CLAIM: Duration = Duration::from_secs(24 * 3600);

/// As many as ten nodes make that each tell 5,000 integrations at once. A claim beyond them is not heard: what it would
/// have held back is told twice rather than not at all.
pub(super) const MOST_CLAIMS: usize = 50_000;

/// Looking for claims that hold no more is work for each claim there is, so it is not done for each that comes.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What is settled, or has run out, is remembered for so long: longer than news that come twice are apart, and than it takes
/// to notice that a node is gone.
const REMEMBERED: Duration = Duration::from_secs(10);

/// A claim that arrived.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// `None` once it is settled: it is kept for a while, so that it is not heard again.
    pub(super) state: Option<ClaimState>,
    stamp: Timestamp,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    alerts: Vec<u64>,
}

impl Claims {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { held: BTreeMap::new(), swept_at: now }
    }

    /// How many are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Hears a claim, unless a newer one of that node was heard or there are too many.
    pub(super) fn hear(&mut self, claim: Claim, now: Timestamp) {
        self.sweep(now);
        let claimant = (claim.key, claim.node);
        let known = self.held.get(&claimant).map(|held| held.stamp);
        let has_room = known.is_some() || self.held.len() < MOST_CLAIMS;
        if known < Some(claim.stamp) && has_room {
            let (since, until) = (now, now + claim.lasts.min(LONGEST_CLAIM));
            let held = Held { state: Some(claim.state), stamp: claim.stamp, since, until, alerts: claim.alerts };
            self.held.insert(claimant, held);
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        if now >= self.swept_at + SWEEP_EVERY {
            self.held.retain(|_, held| held.until > now);
            self.swept_at = now;
        }
    }

    /// What `teller` claimed about an integration that it has told is settled, and that others failed. Of what others send,
    /// it is known what was told of these alerts since.
    pub(super) fn settle(&mut self, key: &NflogKey, teller: NodeId, told: &Told, now: Timestamp) {
        let is_told = |hash: &u64| is_in(*hash, &told.firing) || is_in(*hash, &told.resolved);
        for ((_, node), held) in self.held.range_mut(on_key(key)) {
            if *node == teller || held.state == Some(ClaimState::Failed) {
                (held.state, held.alerts) = (None, Vec::new());
                held.until = held.until.min(now + REMEMBERED);
            } else if held.state == Some(ClaimState::Sending) {
                held.alerts.retain(|hash| !is_told(hash));
            }
        }
    }

    /// Forgets the claims of all but the living, and returns what may have been heard from the dead. A claim that ran out long
    /// before its node died is not among it: the node lived to say what became of it.
    pub(super) fn of_the_dead(&mut self, living: &[NodeId], now: Timestamp) -> Vec<(NflogKey, Vec<u64>)> {
        let dead = self.held.extract_if(.., |(_, node), _| !living.contains(node));
        let lapsed = |held: &Held| held.until + REMEMBERED < now;
        let heard = dead.filter(|(_, held)| held.state != Some(ClaimState::Announced) && !lapsed(held));
        heard.map(|((key, _), held)| (key, held.alerts)).collect()
    }

    /// All claims about an integration, also those that hold no more.
    pub(super) fn on(&self, key: &NflogKey) -> impl Iterator<Item = (&NodeKey, &Held)> {
        self.held.range(on_key(key))
    }

    /// What a node claims about an integration, if it still holds.
    pub(super) fn held(&self, key: &NflogKey, node: NodeId, now: Timestamp) -> Option<&Held> {
        self.held.get(&(key.clone(), node)).filter(|held| held.until > now)
    }

    /// Moves everything to earlier: the clock was set back.
    pub(super) fn pull(&mut self, back: Duration) {
        self.swept_at = self.swept_at - back;
        for held in self.held.values_mut() {
            (held.since, held.until) = (held.since - back, held.until - back);
        }
    }
}

fn on_key(key: &NflogKey) -> RangeInclusive<NodeKey> {
    (key.clone(), NodeId(0))..=(key.clone(), NodeId(u64::MAX))
}
