//! What this node tells the others of what it does, and what follows when others come and go.

use std::time::Duration;

use crate::delivery::{ANNOUNCE, Delivery};
use crate::effect::Effects;
use crate::engine::Engine;
use crate::nflog::NflogKey;
use crate::peers::{Claim, ClaimState, Peer};
use crate::replica::Record;
use crate::time::Timestamp;

impl Engine {
    /// What this node is sending or failed to send, for a node that joins, or missed the news of it.
    pub fn claims(&self, now: Timestamp) -> Vec<Record> {
        let claim = |(key, delivery): (&NflogKey, &Delivery)| {
            let is_sending = delivery.sending.is_some();
            let state = if is_sending { ClaimState::Sending } else { ClaimState::Failed };
            let lasts = delivery.deadline.unwrap_or(now).since(now);
            let is_known = is_sending || delivery.failure.is_some();
            is_known.then(|| Record::Claim(self.claim_of(key, state, lasts)))
        };
        self.deliveries.iter().filter_map(claim).collect()
    }

    /// Announces that this node is about to send, and asks about `doubts`.
    pub(crate) fn announce(&mut self, now: Timestamp, key: &NflogKey, doubts: &[u64], effects: &mut Effects) {
        let stamp = self.next_stamp(now, key);
        if let Some(delivery) = self.deliveries.get_mut(key) {
            delivery.announce(now, stamp, doubts);
        }
        effects.publish.push(Record::Claim(self.claim_of(key, ClaimState::Announced, ANNOUNCE * 2)));
    }

    pub(crate) fn claim(
        &mut self,
        now: Timestamp,
        key: &NflogKey,
        state: ClaimState,
        lasts: Duration,
        effects: &mut Effects,
    ) {
        self.next_stamp(now, key);
        effects.publish.push(Record::Claim(self.claim_of(key, state, lasts)));
    }

    /// Later than every claim of this node, and than what it logged: the versions of the log run ahead of a clock that is
    /// behind others, and a claim that seems older than what was told is taken for settled.
    fn next_stamp(&mut self, now: Timestamp, key: &NflogKey) -> Timestamp {
        let past = self.nflog.get(key).into_iter().flat_map(|entry| &entry.past);
        let logged = past.filter(|version| version.node == self.options.node).map(|version| version.stamp);
        let latest = logged.fold(self.last_claim, Timestamp::max);
        self.last_claim = now.max(Timestamp::from_micros(latest.as_micros() + 1));
        self.last_claim
    }

    fn claim_of(&self, key: &NflogKey, state: ClaimState, lasts: Duration) -> Claim {
        let alerts = match state {
            ClaimState::Announced => {
                self.deliveries.get(key).map(|delivery| delivery.asked.clone()).unwrap_or_default()
            }
            ClaimState::Sending | ClaimState::Failed => self.unsure(key).to_vec(),
        };
        let (node, stamp) = (self.options.node, self.last_claim);
        Claim { key: key.clone(), node, state, stamp, lasts, alerts }
    }

    /// Who waited for a node that is gone, or after one that came, waits anew. What may have been heard from the dead is
    /// ours to remember.
    pub(crate) fn peers_changed(&mut self, now: Timestamp, peers: Vec<Peer>, effects: &mut Effects) {
        for (key, perhaps_heard) in self.turns.set_peers(peers, now) {
            self.intend(now, &key, &perhaps_heard, effects);
        }
        self.share_beginnings(now, effects);
        for key in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            self.attempt(now, &key, effects);
        }
    }
}
