//! Alerts that Watchbell raises itself: what it waits for in vain, and what becomes of it. Every node decides for itself,
//! from what all nodes see, and raises the same alert, so that it is grouped, routed and told once like any other.
//!
//! A raised alert is an ordinary one that is renewed while its cause lasts. So it survives a restart as alerts do, and
//! runs out by itself if nobody knows its cause any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::effect::{Effects, Note};
use crate::engine::Engine;
use crate::expect::{self, Seen};
use crate::index::MatcherIndex;
use crate::label::{Fingerprint, Labels};
use crate::members::KnownPeer;
use crate::nflog::NflogKey;
use crate::policy::{self, OwnAlert};
use crate::replica::Record;
use crate::time::{Timestamp, UtcOffset};
use crate::timer::Timer;

/// Why an alert of our own is raised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The alert that the rule of this name expects is missing.
    Missing(SmolStr),
    /// The peer of this name has died.
    PeerDown(SmolStr),
}

/// Since when an alert fires on the node that says so. Nodes raise an alert at slightly different moments, and all take
/// the earliest for its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Which alert.
    pub fingerprint: Fingerprint,
    /// When it began.
    pub starts_at: Timestamp,
}

/// What is watched over now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub(crate) causes: BTreeMap<Cause, Watched>,
    /// The rules of expected alerts by what they demand.
    pub(crate) rules: MatcherIndex<usize>,
    /// The peers that are remembered over a restart.
    pub(crate) book: BTreeMap<SmolStr, KnownPeer>,
    /// The names of those that have died.
    pub(crate) lost: BTreeSet<SmolStr>,
    /// Integrations in the log that could not be told since, and when that was.
    pub(crate) failing: BTreeMap<NflogKey, Timestamp>,
    /// Whether each heartbeat was sent when it was due last.
    pub(crate) beating: BTreeMap<SmolStr, bool>,
}

/// One thing that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    raises: OwnAlert,
    /// How long it is waited for.
    wait: Duration,
    /// Since when: the last sighting, or the beginning.
    since: Timestamp,
    /// When the alert began, while it fires.
    raised: Option<Timestamp>,
    /// The earliest beginning that another node has told of.
    elsewhere: Option<Timestamp>,
    /// When a sighting was last shared with the others.
    pub(crate) shared: Option<Timestamp>,
    /// What this node itself received last, and when.
    pub(crate) received: Option<(Timestamp, Labels)>,
}

/// How long a raised alert lasts unless it is renewed, and how often it is.
const LASTS: Duration = Duration::from_secs(300);
const RENEWED: Duration = Duration::from_secs(60);

impl Engine {
    /// Follows the policy in what is watched over and what is sent.
    pub(crate) fn keep_watch(&mut self, now: Timestamp, effects: &mut Effects) {
        self.watch.rules = expect::index(&self.view.policy);
        self.follow_vigil(now, effects);
        self.follow_heartbeats(now);
    }

    /// Watches over what the policy and the peers say now. What is watched already goes on; what is not any more is over.
    pub(crate) fn follow_vigil(&mut self, now: Timestamp, effects: &mut Effects) {
        let wanted = self.wanted();
        let differs = |cause: &Cause, watched: &Watched| {
            wanted.get(cause).is_none_or(|(raises, _)| raises.labels != watched.raises.labels)
        };
        let stale: Vec<Cause> = self
            .watch
            .causes
            .iter()
            .filter(|(cause, watched)| differs(cause, watched))
            .map(|(c, _)| c.clone())
            .collect();
        let mut began: BTreeMap<Cause, Watched> = BTreeMap::new();
        for cause in stale {
            began.extend(self.watch.causes.get(&cause).map(|watched| (cause.clone(), watched.clone())));
            self.end(now, &cause, effects);
            self.watch.causes.remove(&cause);
            self.timers.cancel(&Timer::Vigil(cause));
        }
        for (cause, (raises, wait)) in wanted {
            match self.watch.causes.get_mut(&cause) {
                Some(watched) => (watched.raises, watched.wait) = (raises, wait),
                None => self.begin(now, &cause, raises, wait, began.remove(&cause), effects),
            }
            self.rouse(now, cause);
        }
    }

    /// What is to be watched over, what each raises, and after how long.
    fn wanted(&self) -> BTreeMap<Cause, (OwnAlert, Duration)> {
        let policy::Vigil { expect, peer_down, .. } = &self.view.policy.vigil;
        let missing = expect.iter().map(|rule| (Cause::Missing(rule.name.clone()), (rule.raises.clone(), rule.within)));
        let lost = peer_down.iter().flat_map(|rule| {
            let raised = |peer: &SmolStr| (Cause::PeerDown(peer.clone()), (rule.raises.of_peer(peer), rule.after));
            self.watch.lost.iter().map(raised)
        });
        missing.chain(lost).collect()
    }

    /// Begins to wait, or goes on as `before` under other labels; an alert that fires already, since before a restart for
    /// example, is taken over.
    fn begin(
        &mut self,
        now: Timestamp,
        cause: &Cause,
        raises: OwnAlert,
        wait: Duration,
        before: Option<Watched>,
        effects: &mut Effects,
    ) {
        let known = self.view.alerts.get(raises.labels.fingerprint());
        let firing = known.filter(|slot| !slot.alert.is_resolved(now)).map(|slot| slot.alert.starts_at);
        let watched = match before {
            Some(before) => Watched { raises, wait, ..before },
            None => Watched::new(raises, wait, now.max(self.hold_until)),
        };
        let raised = watched.raised.or(firing);
        effects.notes.extend(raised.map(|_| Note::Raised(cause.clone())));
        self.watch.causes.insert(cause.clone(), Watched { raised, ..watched });
    }

    /// Sets the timer for when the cause is to be looked at next.
    fn rouse(&mut self, now: Timestamp, cause: Cause) {
        let Some(watched) = self.watch.causes.get(&cause) else { return };
        let at = if watched.raised.is_some() { now } else { watched.since + watched.wait };
        self.timers.set(Timer::Vigil(cause), at);
    }

    /// A wait that is over, or an alert that is to be renewed.
    pub(crate) fn keep_vigil(&mut self, now: Timestamp, cause: Cause, effects: &mut Effects) {
        let Some(watched) = self.watch.causes.get(&cause) else { return };
        if watched.raised.is_some() || watched.since + watched.wait <= now {
            self.raise(now, &cause, effects);
            self.timers.set(Timer::Vigil(cause), now + RENEWED);
        } else {
            self.rouse(now, cause);
        }
    }

    /// Lets the alert fire, or goes on with it.
    fn raise(&mut self, now: Timestamp, cause: &Cause, effects: &mut Effects) {
        let Some(watched) = self.watch.causes.get_mut(cause) else { return };
        let is_new = watched.raised.is_none();
        let earliest = watched.elsewhere.unwrap_or(now).min(watched.raised.unwrap_or(now)).min(now);
        watched.raised = Some(earliest);
        let alert = watched.raises.alert(earliest, now + LASTS, now);
        if is_new {
            effects.notes.push(Note::Raised(cause.clone()));
            self.share_beginning(&alert, effects);
        }
        self.ingest(now, alert, effects);
    }

    fn share_beginning(&self, alert: &Alert, effects: &mut Effects) {
        if !self.turns.is_alone() {
            let raised = Raised { fingerprint: alert.fingerprint(), starts_at: alert.starts_at };
            effects.publish.push(Record::Raised(raised));
        }
    }

    /// Tells the others what is raised here, after a time in which they may not have been heard: who knows better says so.
    pub(crate) fn share_beginnings(&self, now: Timestamp, effects: &mut Effects) {
        for watched in self.watch.causes.values() {
            if let Some(began) = watched.raised {
                self.share_beginning(&watched.raises.alert(began, now + LASTS, now), effects);
            }
        }
    }

    /// Ends the alert of a cause, if it fires.
    fn end(&mut self, now: Timestamp, cause: &Cause, effects: &mut Effects) {
        let Some(watched) = self.watch.causes.get_mut(cause) else { return };
        watched.elsewhere = None;
        let Some(began) = watched.raised.take() else { return };
        let alert = watched.raises.alert(began.min(now), now, now);
        effects.notes.push(Note::Over(cause.clone()));
        self.ingest(now, alert, effects);
    }

    /// Ends an alert that was raised in an earlier life and has no cause now.
    pub(crate) fn end_stray(&mut self, now: Timestamp, raised: &OwnAlert, effects: &mut Effects) {
        let known = self.view.alerts.get(raised.labels.fingerprint());
        let firing = known.filter(|slot| !slot.alert.is_resolved(now)).map(|slot| slot.alert.starts_at);
        if let Some(began) = firing {
            self.ingest(now, raised.alert(began.min(now), now, now), effects);
        }
    }

    /// Takes note that what is waited for was seen: the wait begins anew, and an alert about it is over. Returns whether
    /// there was one; `None` if nobody waits for it.
    pub(crate) fn saw(&mut self, now: Timestamp, cause: &Cause, effects: &mut Effects) -> Option<bool> {
        let watched = self.watch.causes.get_mut(cause)?;
        watched.since = now;
        let fired = watched.raised.is_some();
        self.end(now, cause, effects);
        if fired {
            self.rouse(now, cause.clone());
        }
        Some(fired)
    }

    /// Takes another node's beginning of an alert that is, or will be, raised here as well; tells of an earlier one. Who has
    /// seen what the other one misses says so: it may have been away.
    pub(crate) fn take_raised(&mut self, now: Timestamp, theirs: Raised, effects: &mut Effects) {
        let is_it = |watched: &Watched| watched.raises.labels.fingerprint() == theirs.fingerprint;
        let Some((cause, watched)) = self.watch.causes.iter_mut().find(|(_, watched)| is_it(watched)) else { return };
        if let Cause::Missing(rule) = cause
            && watched.was_received_lately(now)
        {
            watched.since = now;
            effects.publish.push(Record::Seen(Seen { expect: rule.clone() }));
            return;
        }
        match watched.raised {
            Some(began) if began < theirs.starts_at => {
                let alert = watched.raises.alert(began, now + LASTS, now);
                self.share_beginning(&alert, effects);
            }
            Some(began) if began == theirs.starts_at => {}
            Some(_) | None => {
                let earliest = watched.elsewhere.map_or(theirs.starts_at, |known| known.min(theirs.starts_at));
                watched.elsewhere = Some(earliest);
                if watched.raised.is_some() {
                    let cause = cause.clone();
                    self.raise(now, &cause, effects);
                }
            }
        }
    }

    /// What should have been seen while this node was stopped could not be: every wait begins anew.
    pub(crate) fn begin_vigil_anew(&mut self, now: Timestamp) {
        self.watch.causes.values_mut().for_each(|watched| watched.since = watched.since.max(now));
    }

    /// The other nodes' state is known from `now` on: what was to be waited for from a later moment on is waited for from
    /// now on.
    pub(crate) fn begin_vigil_early(&mut self, now: Timestamp) {
        let early = self.watch.causes.iter_mut().filter(|(_, watched)| watched.since > now);
        let early: Vec<Cause> = early
            .map(|(cause, watched)| {
                watched.since = now;
                cause.clone()
            })
            .collect();
        early.into_iter().for_each(|cause| self.rouse(now, cause));
        self.beat_early(now);
    }
}

impl Watched {
    fn new(raises: OwnAlert, wait: Duration, since: Timestamp) -> Self {
        Self { raises, wait, since, raised: None, elsewhere: None, shared: None, received: None }
    }

    /// Whether this node itself received what is waited for, so long before it is missing that to say so puts that off by
    /// little.
    fn was_received_lately(&self, now: Timestamp) -> bool {
        self.received.as_ref().is_some_and(|(at, _)| *at + self.wait / 2 > now)
    }
}

impl Watch {
    /// Moves everything to earlier: the clock was set back.
    pub(crate) fn pull(&mut self, back: Duration) {
        self.failing.values_mut().for_each(|at| *at = *at - back);
        for watched in self.causes.values_mut() {
            watched.since = watched.since - back;
            watched.shared = watched.shared.map(|at| at - back);
            watched.received = watched.received.take().map(|(at, labels)| (at - back, labels));
        }
    }
}

impl OwnAlert {
    fn alert(&self, starts_at: Timestamp, ends_at: Timestamp, now: Timestamp) -> Arc<Alert> {
        Arc::new(Alert {
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            starts_at,
            starts_offset: UtcOffset::default(),
            ends_at,
            ends_offset: UtcOffset::default(),
            updated_at: now,
            generator_url: SmolStr::default(),
            timeout: true,
        })
    }

    /// The same about one peer.
    pub(crate) fn of_peer(&self, peer: &str) -> Self {
        let labels = self.labels.iter().filter(|(name, _)| *name != "peer").chain([("peer", peer)]).collect();
        let annotations: Vec<(&str, String)> =
            self.annotations.iter().map(|(name, text)| (name, text.replace("{peer}", peer))).collect();
        Self { labels, annotations: annotations.iter().map(|(name, text)| (*name, text.as_str())).collect() }
    }
}

#[cfg(test)]
mod tests;
