//! What an integration may have heard: the alerts of which an attempt says something else than the log are written down
//! before it is sent, and struck out when its outcome is known. Whoever goes on after a kill inside the sending, or after
//! the death of the node that sent, tells their end to a receiver that may believe them to fire, and tells those that
//! fire to one that may believe them to be over.

use std::sync::Arc;

use crate::decide::{Told, is_in};
use crate::effect::{Change, Effects};
use crate::engine::Engine;
use crate::nflog::NflogKey;
use crate::notification::FailureKind;
use crate::time::Timestamp;
use crate::timer::Timer;

/// What one integration may have heard of one group beyond what the log says. Shared and never changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Who may have heard it.
    pub key: NflogKey,
    /// [`Labels::log_hash`](crate::label::Labels::log_hash) of the alerts that were told, perhaps, as firing or as over:
    /// it may believe either. Sorted.
    pub unsure: Vec<u64>,
    /// When nobody will ask any more.
    pub forget_at: Timestamp,
}

impl Engine {
    /// The alerts that the integration believes to fire, or may; sorted.
    pub(crate) fn believed_firing(&self, key: &NflogKey) -> Vec<u64> {
        let told = self.nflog.get(key).into_iter().flat_map(|entry| entry.told_firing());
        let mut believed: Vec<u64> = told.chain(self.unsure(key).iter().copied()).collect();
        believed.sort_unstable();
        believed.dedup();
        believed
    }

    /// Whether the integration believes this alert to be firing, or may.
    pub(crate) fn may_believe_firing(&self, key: &NflogKey, hash: u64) -> bool {
        self.nflog.get(key).is_some_and(|entry| entry.tells_firing(hash)) || is_in(hash, self.unsure(key))
    }

    /// The alerts of which nobody knows what the integration heard last; sorted.
    pub(crate) fn unsure(&self, key: &NflogKey) -> &[u64] {
        self.intents.get(key).map_or(&[], |intent| &intent.unsure)
    }

    /// The alerts of which an attempt with `told` says something else than the log.
    pub(crate) fn said_anew(&self, key: &NflogKey, told: &Told) -> Vec<u64> {
        let logged = |hash: u64| self.nflog.get(key).is_some_and(|entry| entry.tells_firing(hash));
        let news = told.firing.iter().copied().filter(|hash| !logged(*hash));
        news.chain(told.resolved.iter().copied().filter(|hash| logged(*hash))).collect()
    }

    /// Writes down that these alerts too may have been heard.
    pub(crate) fn intend(&mut self, now: Timestamp, key: &NflogKey, alerts: &[u64], effects: &mut Effects) {
        let new: Vec<u64> = alerts.iter().filter(|hash| !is_in(**hash, self.unsure(key))).copied().collect();
        if !new.is_empty() {
            self.set_intent(now, key, [self.unsure(key), &new].concat(), effects);
        }
    }

    /// The integration has been told this: what it heard of these alerts before does not matter any more.
    pub(crate) fn strike_out(&mut self, now: Timestamp, key: &NflogKey, told: &Told, effects: &mut Effects) {
        let open = |hash: &&u64| !is_in(**hash, &told.firing) && !is_in(**hash, &told.resolved);
        let left: Vec<u64> = self.unsure(key).iter().filter(open).copied().collect();
        if left.len() < self.unsure(key).len() {
            self.set_intent(now, key, left, effects);
        }
    }

    /// Replaces what an integration may have heard.
    pub(crate) fn set_intent(&mut self, now: Timestamp, key: &NflogKey, mut unsure: Vec<u64>, effects: &mut Effects) {
        unsure.sort_unstable();
        if unsure == self.unsure(key) {
            return;
        }
        if unsure.is_empty() {
            return self.forget_intent(key, effects);
        }
        let forget_at = now + self.options.silences.retention;
        let intent = Arc::new(Intent { key: key.clone(), unsure, forget_at });
        self.keep_intent(Arc::clone(&intent));
        effects.persist.push(Change::PutIntent(intent));
    }

    pub(crate) fn keep_intent(&mut self, intent: Arc<Intent>) {
        self.timers.set(Timer::IntentForgotten(intent.key.clone()), intent.forget_at);
        self.intents.insert(intent.key.clone(), intent);
    }

    pub(crate) fn forget_intent(&mut self, key: &NflogKey, effects: &mut Effects) {
        self.timers.cancel(&Timer::IntentForgotten(key.clone()));
        self.intents.remove(key);
        effects.persist.push(Change::DeleteIntent(key.clone()));
    }
}

/// Whether what failed in this way may have been heard all the same: the answer was waited for in vain.
pub(crate) fn may_have_arrived(failure: FailureKind) -> bool {
    matches!(failure, FailureKind::ContextDeadlineExceeded | FailureKind::ContextCanceled)
}
