//! A group's flush: what it holds now, what of it may be told, and handing that to the integrations.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery::{Batch, Delivery, sort_for_flush};
use crate::effect::{Change, Effects, Mute, Note};
use crate::engine::Engine;
use crate::group::{OpenFlush, Settled};
use crate::label::Fingerprint;
use crate::nflog::NflogKey;
use crate::notification::NotifiedAlert;
use crate::route::GroupRef;
use crate::time::Timestamp;
use crate::timer::Timer;

/// The alerts of a group, sorted out for one flush.
#[derive(Default)]
struct Sorted {
    told: Vec<NotifiedAlert>,
    /// Resolved alerts that leave the group with this flush.
    leaving: Vec<(Fingerprint, Timestamp)>,
    muted: BTreeMap<Mute, usize>,
}

impl Engine {
    /// Flushes the group whose timer was set to `due`.
    pub(crate) fn flush(&mut self, now: Timestamp, due: Timestamp, id: GroupRef, effects: &mut Effects) {
        let Some(group) = self.view.groups.get(&id) else { return };
        let route = &self.view.policy.routes[id.route as usize];
        let hours = self.view.muting_hours(route, now);
        let keys = self.router.receiver_of(id.route as usize).keys(&group.key);
        let mut sorted = self.sort_out(now, id, &keys, hours.as_ref().map(|(why, _)| *why));
        sort_for_flush(&mut sorted.told);
        let (interval, late) = (route.group_interval, now.since(due));
        let batch = Arc::new(Batch {
            flushed_at: now,
            group_labels: group.labels.clone(),
            route_labels: route.labels.clone(),
            group_interval: interval,
            repeat_interval: route.repeat_interval,
            alerts: sorted.told,
        });
        effects.notes.extend(sorted.muted.into_iter().map(|(why, count)| Note::Suppressed { why, count }));

        let base = if late < interval { due } else { now };
        let group = self.group_mut(id).expect("it was looked at above");
        (group.flushed, group.next_flush) = (true, base + interval);
        group.muted_by = hours.map(|(_, names)| names).unwrap_or_default();
        let waiting = if batch.alerts.is_empty() { Vec::new() } else { keys };
        group.open = Some(OpenFlush {
            at: now,
            resolved: sorted.leaving,
            waiting: waiting.iter().map(|(key, _)| key.clone()).collect(),
            failed: false,
        });
        let next_flush = group.next_flush;
        self.timers.set(Timer::Flush(id), next_flush);
        self.hand_over(now, id, batch, waiting, effects);
    }

    fn hand_over(
        &mut self,
        now: Timestamp,
        id: GroupRef,
        batch: Arc<Batch>,
        keys: Vec<(NflogKey, bool)>,
        effects: &mut Effects,
    ) {
        if keys.is_empty() {
            let open = self.group_mut(id).and_then(|group| group.open.take());
            return self.flush_told(now, id, open.map(|open| open.resolved).unwrap_or_default(), effects);
        }
        for (key, send_resolved) in keys {
            self.offer(now, key, id, Arc::clone(&batch), send_resolved, effects);
        }
    }

    /// Gives an integration the newest flush: at once if it is idle or waiting, afterwards if it is being told.
    fn offer(
        &mut self,
        now: Timestamp,
        key: NflogKey,
        id: GroupRef,
        batch: Arc<Batch>,
        send_resolved: bool,
        effects: &mut Effects,
    ) {
        match self.deliveries.get_mut(&key) {
            None => {
                self.deliveries.insert(key.clone(), Delivery::new(id, batch, send_resolved));
            }
            Some(delivery) => {
                (delivery.group, delivery.send_resolved) = (Some(id), send_resolved);
                if delivery.sending.is_some() {
                    delivery.next = Some(batch);
                    return;
                }
                effects.notes.extend(delivery.superseded(&key));
                delivery.restart(batch);
            }
        }
        self.attempt(now, &key, effects);
    }

    fn sort_out(&self, now: Timestamp, id: GroupRef, keys: &[(NflogKey, bool)], hours: Option<Mute>) -> Sorted {
        let mut sorted = Sorted::default();
        for fingerprint in self.view.groups[&id].alerts.iter() {
            let Some(slot) = self.view.alerts.get(fingerprint) else { continue };
            let firing = !slot.alert.is_resolved(now);
            let mute = self.view.mute(&slot.alert.labels, hours, now);
            // A receiver that believes the alert to be firing is told of its end once it may be: until then the alert
            // stays in the group.
            let owed = || keys.iter().any(|(key, _)| self.may_believe_firing(key, slot.alert.labels.log_hash()));
            if !firing && (mute.is_none() || !owed() || self.is_long_over(&slot.alert.ends_at, now)) {
                sorted.leaving.push((fingerprint, slot.alert.updated_at));
            }
            match mute {
                None => sorted.told.push(NotifiedAlert { alert: Arc::clone(&slot.alert), firing }),
                Some(why) => *sorted.muted.entry(why).or_default() += 1,
            }
        }
        sorted
    }

    /// Even a receiver that cannot be told does not keep an alert for longer than the retention.
    fn is_long_over(&self, ended: &Timestamp, now: Timestamp) -> bool {
        *ended + self.options.silences.retention < now
    }

    /// Notes that an integration has done with a flush.
    pub(crate) fn settle(
        &mut self,
        now: Timestamp,
        id: Option<GroupRef>,
        key: &NflogKey,
        flushed_at: Timestamp,
        ok: bool,
        effects: &mut Effects,
    ) {
        let Some((id, group)) = id.and_then(|id| Some((id, self.group_mut(id)?))) else { return };
        if let Settled::Told(resolved) = group.settle(key, flushed_at, ok) {
            self.flush_told(now, id, resolved, effects);
        }
    }

    /// All integrations know: resolved alerts that were not reported again leave, and the timer may be forgotten. One that
    /// was muted meanwhile, or fires on another node, was not told, and stays.
    fn flush_told(
        &mut self,
        now: Timestamp,
        id: GroupRef,
        resolved: Vec<(Fingerprint, Timestamp)>,
        effects: &mut Effects,
    ) {
        let keys = self.view.groups.get(&id).map(|group| self.router.receiver_of(id.route as usize).keys(&group.key));
        let keys: Vec<NflogKey> = keys.into_iter().flatten().filter(|(_, wants)| *wants).map(|(key, _)| key).collect();
        let settled = |(fingerprint, updated_at): &(Fingerprint, Timestamp)| {
            let Some(slot) = self.view.alerts.get(*fingerprint) else { return true };
            let (alert, hash) = (&slot.alert, slot.alert.labels.log_hash());
            let owed = keys.iter().any(|key| self.may_believe_firing(key, hash));
            alert.updated_at == *updated_at && (!owed || self.is_long_over(&alert.ends_at, now))
        };
        let leaving: Vec<Fingerprint> = resolved.iter().filter(|r| settled(r)).map(|r| r.0).collect();
        effects.persist.extend(self.saved_group(id).map(Change::PutGroup));
        self.leave(id, &leaving, effects);
    }
}
