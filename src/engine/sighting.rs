//! What other nodes see of a group and this one does not. Each node is fed by its own senders: an alert that is over
//! here may still fire elsewhere, and an alert that was never seen here may have been told by another node. So a node
//! that is about to tell anything while the receiver believes alerts to fire that it does not see firing asks first,
//! with its announcement, and the others answer with what they know. Who does not answer is asked again, but not waited
//! for: in doubt a node speaks. An end that a node cannot tell, since nothing fires here and something does elsewhere, is
//! handed to the others: who sees what fires tells both.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::alert::Alert;
use crate::decide::is_in;
use crate::delivery::ANNOUNCE;
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
    /// The stamp of the claim that asked.
    pub asked: Timestamp,
    /// The alerts that fire there, unmuted.
    pub firing: Vec<u64>,
    /// The alerts that are known there, and are either muted or over: their end is still to be told, by that node.
    pub owed: Vec<u64>,
}

impl Engine {
    /// The alerts that the integration believes to fire and that this node would not tell as firing: what is to be asked.
    pub(crate) fn doubts(&self, key: &NflogKey, firing: &[u64]) -> Vec<u64> {
        if self.turns.is_alone() {
            return Vec::new();
        }
        self.believed_firing(key).into_iter().filter(|hash| !is_in(*hash, firing)).collect()
    }

    /// Whether every other living node has answered.
    pub(crate) fn have_all_answered(&self, key: &NflogKey) -> bool {
        let sightings = self.deliveries.get(key).map(|delivery| &delivery.sightings);
        self.turns.others().all(|node| sightings.is_some_and(|sightings| sightings.contains_key(node)))
    }

    /// Whether answers may still come before the node decides without them.
    pub(crate) fn awaits_answers(&self, now: Timestamp, key: &NflogKey) -> bool {
        let announced = self.deliveries.get(key).and_then(|delivery| delivery.announced_at);
        announced.is_some_and(|at| now < at + ANNOUNCE) && !self.have_all_answered(key)
    }

    /// The alerts that the integration goes on believing to fire when it is told nothing of them: those that are known
    /// here, or where a node has answered; all while one has not, or may be missing.
    pub(crate) fn not_told(&self, now: Timestamp, key: &NflogKey) -> Vec<u64> {
        if !self.have_all_answered(key) || self.turns.misses_somebody(now) {
            return self.believed_firing(key);
        }
        let mine = self.hashes_of(key);
        let sightings = self.deliveries.get(key).map(|delivery| &delivery.sightings);
        let sighted = |hash| {
            let mut answers = sightings.into_iter().flatten().map(|(_, sighting)| sighting);
            answers.any(|sighting| is_in(hash, &sighting.firing) || is_in(hash, &sighting.owed))
        };
        self.believed_firing(key).into_iter().filter(|hash| mine.contains(hash) || sighted(*hash)).collect()
    }

    /// Answers another node's question, also if nothing is known: who has all answers need not wait any longer.
    pub(crate) fn answer(&self, now: Timestamp, claim: &Claim, effects: &mut Effects) {
        let (mut firing, mut owed) = (BTreeSet::new(), BTreeSet::new());
        for (id, group) in self.groups_of_key(&claim.key) {
            let hours = self.view.muting_hours(&self.view.policy.routes[id.route as usize], now).map(|(why, _)| why);
            for alert in group.alerts.iter().filter_map(|fingerprint| self.view.alerts.get(fingerprint)) {
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
        let (firing, owed) = (firing.into_iter().collect(), owed.into_iter().collect());
        let sighting = Sighting { key: claim.key.clone(), node: self.options.node, asked: claim.stamp, firing, owed };
        effects.publish.push(Record::Sighting(sighting));
    }

    /// Takes an answer, if it was asked for and is still waited for.
    pub(crate) fn take_sighting(&mut self, now: Timestamp, sighting: Sighting, effects: &mut Effects) {
        let Some(delivery) = self.deliveries.get_mut(&sighting.key) else { return };
        let awaited = delivery.announced_at.is_some() && sighting.asked >= delivery.asked_at;
        if awaited && delivery.sending.is_none() {
            let key = sighting.key.clone();
            delivery.sightings.insert(sighting.node, sighting);
            self.attempt(now, &key, effects);
        }
    }

    /// The alerts whose end is to be told, that fire nowhere else, and that another node must tell together with what
    /// fires there.
    pub(crate) fn ended_only_here(&self, now: Timestamp, key: &NflogKey) -> Vec<Arc<Alert>> {
        let Some(delivery) = self.deliveries.get(key) else { return Vec::new() };
        let elsewhere = delivery.firing_elsewhere();
        let mut alerts = self.as_they_stand(now, delivery);
        alerts.retain(|alert| {
            let hash = alert.alert.labels.log_hash();
            !alert.firing && self.may_believe_firing(key, hash) && !elsewhere.contains(&hash)
        });
        alerts.into_iter().map(|alert| alert.alert).collect()
    }

    /// Takes an alert whose end another node cannot tell, unless it fires here.
    pub(crate) fn take_ended(&mut self, now: Timestamp, alert: Arc<Alert>, effects: &mut Effects) {
        let known = self.view.alerts.get(alert.fingerprint());
        let sound = !alert.labels.is_empty() && alert.is_resolved(now);
        if sound && known.is_none_or(|slot| slot.alert.is_resolved(now)) {
            self.ingest(now, alert, effects);
        }
    }

    /// The log's hashes of the group's alerts.
    pub(crate) fn hashes_of(&self, key: &NflogKey) -> BTreeSet<u64> {
        let alerts = self.groups_of_key(key).flat_map(|(_, group)| group.alerts.iter());
        let alerts = alerts.filter_map(|fingerprint| self.view.alerts.get(fingerprint));
        alerts.map(|slot| slot.alert.labels.log_hash()).collect()
    }

    /// The groups with the key of this one: more than one if sibling routes have the same matchers.
    fn groups_of_key(&self, key: &NflogKey) -> impl Iterator<Item = (GroupRef, &Group)> {
        let first = GroupRef { route: 0, labels: Fingerprint(0) };
        let known = self.group_keys.range((key.group_key.clone(), first)..);
        let known = known.take_while(|(group_key, _)| *group_key == key.group_key);
        known.filter_map(|(_, id)| Some((*id, self.view.groups.get(id)?.as_ref())))
    }
}
