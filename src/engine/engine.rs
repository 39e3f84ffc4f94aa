//! The engine itself: one value that takes inputs and the passing of time and answers with effects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::alerts::NameLimit;
use crate::delivery::Delivery;
use crate::digest::Ledger;
use crate::effect::{Answer, AttemptId, Effects, Input};
use crate::intent::Intent;
use crate::nflog::{NflogEntry, NflogKey};
use crate::peers::Turns;
use crate::policy::Policy;
use crate::route::{GroupRef, Router};
use crate::silence::edit::{Edit, SilenceLimits};
use crate::time::Timestamp;
use crate::timer::{Timer, Timers};
use crate::version::NodeId;
use crate::view::View;
use crate::vigil::Watch;

/// What is fixed while the program runs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// This node.
    pub node: NodeId,
    /// Limits on silences, and how long log entries and ended silences are kept.
    pub silences: SilenceLimits,
    /// How often resolved alerts are dropped.
    pub alert_gc_interval: Duration,
    /// At most so many alerts of one name; zero means no limit.
    pub per_alertname_limit: usize,
    /// How long a node waits for each node before it.
    pub peer_timeout: Duration,
    /// Nothing is flushed earlier than this after the start.
    pub start_delay: Duration,
    /// How long to wait for [`Input::Settled`] before anything is flushed; zero without a cluster.
    pub settle_timeout: Duration,
}

/// All state and every decision. It knows the time only as an argument.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) options: Options,
    pub(crate) view: View,
    pub(crate) router: Router,
    pub(crate) nflog: BTreeMap<NflogKey, Arc<NflogEntry>>,
    /// The sums over silences and log entries.
    pub(crate) ledger: Ledger,
    pub(crate) intents: BTreeMap<NflogKey, Arc<Intent>>,
    pub(crate) deliveries: BTreeMap<NflogKey, Delivery>,
    /// The groups by the key under which other nodes know them.
    pub(crate) group_keys: BTreeSet<(Arc<str>, GroupRef)>,
    pub(crate) in_flight: BTreeMap<AttemptId, NflogKey>,
    pub(crate) timers: Timers,
    pub(crate) turns: Turns,
    pub(crate) name_limit: NameLimit,
    pub(crate) watch: Watch,
    /// Nothing is flushed before; moved up to `start_at` when the cluster has settled.
    pub(crate) hold_until: Timestamp,
    pub(crate) start_at: Timestamp,
    /// What the clock showed last, or a little later.
    pub(crate) latest: Timestamp,
    last_attempt: u64,
    /// When this node claimed something last, by its clock; rises with every claim.
    pub(crate) last_claim: Timestamp,
    random: u64,
}

/// How many timers one call of [`Engine::advance`] serves, so that a storm of flushes does not keep others waiting.
const TIMERS_A_CALL: usize = 64;

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(now: Timestamp, options: Options, policy: Arc<Policy>) -> Self {
        let mut engine = Self {
            options,
            router: Router::new(Arc::clone(&policy)),
            view: View::new(policy, options.silences.retention),
            nflog: BTreeMap::new(),
            ledger: Ledger::default(),
            intents: BTreeMap::new(),
            group_keys: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            timers: Timers::default(),
            turns: Turns::new(options.node, options.peer_timeout, options.settle_timeout > Duration::ZERO, now),
            name_limit: NameLimit::new(options.per_alertname_limit),
            watch: Watch::default(),
            hold_until: now + options.start_delay.max(options.settle_timeout),
            start_at: now + options.start_delay,
            latest: now,
            last_attempt: 0,
            last_claim: Timestamp::EPOCH,
            random: options.node.0 ^ now.as_micros().cast_unsigned() | 1,
        };
        engine.keep_watch(now, &mut Effects::default());
        engine
    }

    /// Takes an input.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Effects {
        let before = self.latest;
        self.follow_clock(now);
        let mut effects = Effects::default();
        match input {
            Input::Alerts(alerts) => alerts.into_iter().for_each(|alert| self.receive(now, alert, &mut effects)),
            Input::SetSilence { draft, fresh } => {
                effects.answer = Some(Answer::SilenceSet(self.set_silence(now, draft, fresh, &mut effects)));
            }
            Input::ExpireSilence(id) => {
                effects.answer = Some(Answer::SilenceExpired(self.expire_silence(now, id, &mut effects)));
            }
            Input::Delivered { attempt, outcome } => self.delivered(now, attempt, outcome, &mut effects),
            Input::Peers(peers) => self.peers_changed(now, peers, &mut effects),
            Input::Members(members) => self.take_members(now, members, &mut effects),
            Input::News(records) => records.into_iter().for_each(|record| self.merge(now, record, &mut effects)),
            Input::Settled => self.settled(now),
            Input::Overslept => self.overslept(before, now, &mut effects),
        }
        effects
    }

    /// Does what has become due by `now`, or a part of it; call again while [`next_deadline`](Self::next_deadline) is
    /// not after `now`.
    pub fn advance(&mut self, now: Timestamp) -> Effects {
        self.follow_clock(now);
        let mut effects = Effects::default();
        for _ in 0..TIMERS_A_CALL {
            let Some((due, timer)) = self.timers.take_due(now) else { break };
            match timer {
                Timer::Flush(group) => self.flush(now, due, group, &mut effects),
                Timer::Delivery(key) => self.attempt(now, &key, &mut effects),
                Timer::SilenceEnds(id) => self.silence_ends(now, id),
                Timer::SilenceForgotten(id) => self.forget_silence(id, &mut effects),
                Timer::NflogForgotten(key) => self.forget_nflog(&key, &mut effects),
                Timer::IntentForgotten(key) => self.forget_intent(&key, &mut effects),
                Timer::AlertGc => self.collect_alerts(now),
                Timer::Vigil(cause) => self.keep_vigil(now, cause, &mut effects),
                Timer::Heartbeat(name) => self.beat(now, name, &mut effects),
            }
        }
        effects
    }

    /// When [`advance`](Self::advance) must be called next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// What is known, for those who ask.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The log entry of one integration of one group.
    pub fn told(&self, key: &NflogKey) -> Option<&Arc<NflogEntry>> {
        self.nflog.get(key)
    }

    /// All log entries in order of their keys.
    pub fn nflog(&self) -> impl ExactSizeIterator<Item = &Arc<NflogEntry>> {
        self.nflog.values()
    }

    /// How many things are waited for, and how many attempts are under way: both bounded by the number of groups,
    /// integrations and silences.
    pub fn load(&self) -> (usize, usize) {
        (self.timers.len(), self.in_flight.len())
    }

    /// How many claims of other nodes are held; bounded.
    pub fn claims_held(&self) -> usize {
        self.turns.claims_held()
    }

    pub(crate) fn edit(&self, now: Timestamp) -> Edit {
        Edit { now, node: self.options.node, limits: self.options.silences }
    }

    pub(crate) fn next_attempt(&mut self) -> AttemptId {
        self.last_attempt += 1;
        AttemptId(self.last_attempt)
    }

    /// The next number of a xorshift generator: nodes need not agree, a replay must.
    pub(crate) fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests;
