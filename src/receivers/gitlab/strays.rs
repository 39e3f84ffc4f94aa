//! Groups for which we wanted an issue made and do not know what came of it: it may turn up seconds later. It must not
//! know how issues are made or looked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When an issue was last asked for, by group. Who asks does not forget in a crash only: then the next notification's
/// look finds the stray.
#[derive(Default)]
pub(super) struct Strays(Mutex<HashMap<String, Instant>>);

impl Strays {
    /// An issue of `group` may turn up from now on. What is older than `lasts` is forgotten.
    pub(super) fn expect(&self, group: &str, lasts: Duration) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.retain(|_, since| since.elapsed() < lasts);
        groups.insert(group.to_owned(), Instant::now());
    }

    /// Whether one may still turn up.
    pub(super) fn expects(&self, group: &str, lasts: Duration) -> bool {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.get(group).is_some_and(|since| since.elapsed() < lasts)
    }

    /// All that may have been made was looked for.
    pub(super) fn settle(&self, group: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
    }
}
