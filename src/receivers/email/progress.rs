//! Who has heard of a notification that others are still to hear of. It is kept in memory only: after a restart
//! everybody hears again, under the same Message-ID.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smol_str::SmolStr;
use watchbell_engine::time::Timestamp;

/// Notifications that are told in part. There are that many only if as many groups have a recipient who is deferred;
/// the oldest gives way, and its recipients hear twice.
const MAX_NOTIFICATIONS: usize = 10_000;

/// How long a recipient may be deferred while others have heard. Then it counts as refused, because the others shall
/// get their repeats, which wait for the end of this notification. Greylists take minutes.
pub(super) const PATIENCE: Duration = Duration::from_secs(3600);

/// How long a notification is remembered that nobody speaks of any more, because another took its place.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What is known of each notification by its identity.
#[derive(Default)]
pub(super) struct Progress(Mutex<BTreeMap<SmolStr, Told>>);

/// Who is settled, and since when there is somebody.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// Recipients, and whether they accepted.
    pub(super) settled: BTreeMap<String, bool>,
    pub(super) since: Timestamp,
}

impl Told {
    /// Whether anybody has heard.
    pub(super) fn anybody(&self) -> bool {
        self.settled.values().any(|accepted| *accepted)
    }
}

impl Progress {
    pub(super) fn of(&self, identity: &str) -> Told {
        self.lock().get(identity).cloned().unwrap_or_default()
    }

    /// Remembers that these recipients are settled; nothing if there are none.
    pub(super) fn note(&self, identity: &SmolStr, settled: BTreeMap<String, bool>, now: Timestamp) {
        if settled.is_empty() {
            return;
        }
        let mut all = self.lock();
        all.retain(|_, told| now.since(told.since) < MEMORY);
        while all.len() >= MAX_NOTIFICATIONS && !all.contains_key(identity) {
            let oldest = all.iter().min_by_key(|(_, told)| told.since).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        let told = all.entry(identity.clone()).or_insert_with(|| Told { since: now, ..Told::default() });
        told.settled.extend(settled);
    }

    /// Forgets a notification that is over.
    pub(super) fn end(&self, identity: &str) {
        self.lock().remove(identity);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SmolStr, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn settled(who: &str) -> BTreeMap<String, bool> {
        BTreeMap::from([(who.to_owned(), true)])
    }

    #[test]
    fn who_is_settled_stays_so_until_the_end() {
        let progress = Progress::default();
        progress.note(&"x".into(), settled("a"), NOW);
        progress.note(&"x".into(), settled("b"), NOW + PATIENCE);
        let told = progress.of("x");
        assert_eq!((told.settled.len(), told.since, told.anybody()), (2, NOW, true));
        progress.end("x");
        assert!(progress.of("x").settled.is_empty());
    }

    #[test]
    fn memory_is_bounded_in_number_and_time() {
        let progress = Progress::default();
        progress.note(&"first".into(), settled("a"), NOW - Duration::from_secs(1));
        for index in 0..MAX_NOTIFICATIONS {
            progress.note(&format!("{index}").into(), settled("a"), NOW);
        }
        assert_eq!(progress.len(), MAX_NOTIFICATIONS);
        assert!(!progress.of("first").anybody() && progress.of("0").anybody());
        progress.note(&"last".into(), settled("a"), NOW + MEMORY);
        assert_eq!(progress.len(), 1);
    }
}
