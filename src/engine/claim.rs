//! What this node tells the others of what it does, and what follows when others come and go.

use std::time::Duration;

use crate::delivery::Delivery;
use crate::effect::Effects;
use crate::engine::Engine;
use crate::nflog::NflogKey;
use crate::peers::{Claim, ClaimState, Peer};
use crate::replica::Record;
use crate::time::Timestamp;

impl Engine {
    /// What this node is sending, for a node that joins and missed the news of it.
    pub fn sending(&self, now: Timestamp) -> Vec<Record> {
        let sending = self.deliveries.iter().filter(|(_, delivery)| delivery.sending.is_some());
        let claim = |(key, delivery): (&NflogKey, &Delivery)| {
            let lasts = delivery.deadline.unwrap_or(now).since(now);
            Record::Claim(self.claim_of(key, ClaimState::Sending, lasts))
        };
        sending.map(claim).collect()
    }

    pub(crate) fn claim(&self, key: &NflogKey, state: ClaimState, lasts: Duration, effects: &mut Effects) {
        effects.publish.push(Record::Claim(self.claim_of(key, state, lasts)));
    }

    fn claim_of(&self, key: &NflogKey, state: ClaimState, lasts: Duration) -> Claim {
        let alerts = match state {
            ClaimState::Announced => {
                self.deliveries.get(key).map(|delivery| delivery.asked.clone()).unwrap_or_default()
            }
            ClaimState::Sending | ClaimState::Failed => self.intended(key).to_vec(),
        };
        Claim { key: key.clone(), node: self.options.node, state, lasts, alerts }
    }

    /// Who waited for a node that is gone, or after one that came, waits anew. What may have been heard from the dead is
    /// ours to remember.
    pub(crate) fn peers_changed(&mut self, now: Timestamp, peers: Vec<Peer>, effects: &mut Effects) {
        for (key, perhaps_heard) in self.turns.set_peers(peers, now) {
            self.intend(now, &key, &perhaps_heard, effects);
        }
        for key in self.deliveries.keys().cloned().collect::<Vec<_>>() {
            self.attempt(now, &key, effects);
        }
    }
}
