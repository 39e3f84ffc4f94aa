//! All silences that are kept, and which of them hush an alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Silence, SilenceId, SilenceState};
use crate::index::MatcherIndex;
use crate::label::Labels;
use crate::time::Timestamp;

/// The silences by id, with an index over those that are not over.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    by_id: BTreeMap<SilenceId, Arc<Silence>>,
    /// The silences that are active or pending, or were when they were last looked at.
    open: MatcherIndex<SilenceId>,
}

impl Silences {
    /// The silence with this id.
    pub fn get(&self, id: SilenceId) -> Option<&Arc<Silence>> {
        self.by_id.get(&id)
    }

    /// All silences in order of their ids, ended ones within their retention included.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Silence>> {
        self.by_id.values()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The active silences that match the labels, in order of their ids.
    pub fn silencing(&self, labels: &Labels, now: Timestamp) -> Vec<SilenceId> {
        let hushes = |id: &SilenceId| {
            let silence = &self.by_id[id];
            silence.state(now) == SilenceState::Active && silence.matches(labels)
        };
        self.open.candidates(labels).into_iter().filter(hushes).collect()
    }

    pub(crate) fn insert(&mut self, silence: Arc<Silence>, now: Timestamp) {
        self.close(silence.id);
        if silence.state(now) != SilenceState::Expired {
            for set in &silence.matcher_sets {
                self.open.insert(silence.id, set);
            }
        }
        self.by_id.insert(silence.id, silence);
    }

    pub(crate) fn remove(&mut self, id: SilenceId) -> Option<Arc<Silence>> {
        self.close(id);
        self.by_id.remove(&id)
    }

    /// Takes a silence that is over out of the index.
    pub(crate) fn close(&mut self, id: SilenceId) {
        let Some(silence) = self.by_id.get(&id) else { return };
        for set in &silence.matcher_sets {
            self.open.remove(id, set);
        }
    }
}
