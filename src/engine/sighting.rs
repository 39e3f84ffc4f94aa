//! What other nodes see of a group and this one does not. Each node is fed by its own senders: an alert that is over
//! here may still fire elsewhere, and an alert that was never seen here may have been told by another node. So a node
//! that is about to tell anything while the receiver believes alerts to fire that it does not see firing asks first,
//! with its announcement, and the others answer with what they know. Nobody who does not answer is waited for.

use std::collections::BTreeSet;

use crate::decide::is_in;
use crate::effect::Effects;
use crate::engine::Engine;
use crate::group::Group;
use crate::label::Fingerprint;
use crate::nflog::NflogKey;
use crate::peers::Claim;
use crate::replica::Record;
use crate::route::GroupRef;
use crate::time::Timestamp;
use crate::version::NodeId;

/// What a node knows of the alerts that another one asked about. Hashes are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which integration of which group was asked about.
    pub key: NflogKey,
    /// Who answers.
    pub node: NodeId,
    /// The alerts that fire there, unmuted.
    pub firing: Vec<u64>,
    /// The alerts that are known there, and are either muted or over: their end is still to be told, by that node.
    pub owed: Vec<u64>,
}

impl Engine {
    /// The alerts that the integration believes to fire and that this node does not see firing: what is to be asked.
    pub(crate) fn doubts(&self, now: Timestamp, key: &NflogKey) -> Vec<u64> {
        if self.turns.is_alone() {
            return Vec::new();
        }
        let firing = self.hashes_of(key, |resolved_at| resolved_at > now);
        self.believed_firing(key).into_iter().filter(|hash| !firing.contains(hash)).collect()
    }

    /// The alerts that the integration goes on believing to fire when it is told nothing of them: those that are known
    /// here, or where a node has answered.
    pub(crate) fn not_told(&self, key: &NflogKey) -> Vec<u64> {
        let mine = self.hashes_of(key, |_| true);
        let sightings = self.deliveries.get(key).map(|delivery| &delivery.sightings);
        let sighted = |hash| {
            let mut answers = sightings.into_iter().flatten().map(|(_, sighting)| sighting);
            answers.any(|sighting| is_in(hash, &sighting.firing) || is_in(hash, &sighting.owed))
        };
        self.believed_firing(key).into_iter().filter(|hash| mine.contains(hash) || sighted(*hash)).collect()
    }

    /// Answers another node's question, if there is anything to say.
    pub(crate) fn answer(&self, now: Timestamp, claim: &Claim, effects: &mut Effects) {
        let (mut firing, mut owed) = (BTreeSet::new(), BTreeSet::new());
        for (id, group) in self.groups_of_key(&claim.key) {
            let hours = self.view.muting_hours(&self.view.policy.routes[id.route as usize], now).map(|(why, _)| why);
            for alert in group.alerts.iter().filter_map(|fingerprint| self.view.alerts.get(*fingerprint)) {
                let (labels, hash) = (&alert.alert.labels, alert.alert.labels.log_hash());
                if is_in(hash, &claim.alerts) {
                    let fires = !alert.alert.is_resolved(now) && self.view.mute(labels, hours, now).is_none();
                    if fires {
                        firing.insert(hash)
                    } else {
                        owed.insert(hash)
                    };
                }
            }
        }
        if !firing.is_empty() || !owed.is_empty() {
            let (firing, owed) = (firing.into_iter().collect(), owed.into_iter().collect());
            let sighting = Sighting { key: claim.key.clone(), node: self.options.node, firing, owed };
            effects.publish.push(Record::Sighting(sighting));
        }
    }

    /// Takes an answer, if it was asked for and is still waited for.
    pub(crate) fn take_sighting(&mut self, now: Timestamp, sighting: Sighting, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get_mut(&sighting.key) else { return };
        if delivery.announced_at.is_some() && delivery.sending.is_none() {
            let key = sighting.key.clone();
            delivery.sightings.insert(sighting.node, sighting);
            self.attempt(now, &key, effects);
        }
    }

    /// The log's hashes of the group's alerts whose end satisfies `wanted`.
    fn hashes_of(&self, key: &NflogKey, wanted: impl Fn(Timestamp) -> bool) -> BTreeSet<u64> {
        let alerts = self.groups_of_key(key).flat_map(|(_, group)| &group.alerts);
        let alerts = alerts.filter_map(|fingerprint| self.view.alerts.get(*fingerprint));
        alerts.filter(|slot| wanted(slot.alert.ends_at)).map(|slot| slot.alert.labels.log_hash()).collect()
    }

    /// The groups with the key of this one: more than one if sibling routes have the same matchers.
    fn groups_of_key(&self, key: &NflogKey) -> impl Iterator<Item = (GroupRef, &Group)> {
        let first = GroupRef { route: 0, labels: Fingerprint(0) };
        let known = self.group_keys.range((key.group_key.clone(), first)..);
        let known = known.take_while(|(group_key, _)| *group_key == key.group_key);
        known.filter_map(|(_, id)| Some((*id, self.view.groups.get(id)?.as_ref())))
    }
}
