//! The anchored patterns that are in use, so that equal ones are compiled once. It keeps none alive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Compiled;

/// By their patterns. As many as there are different ones in use, and those that are just going.
static IN_USE: Mutex<BTreeMap<Box<str>, Weak<Compiled>>> = Mutex::new(BTreeMap::new());

/// The compiled `pattern`, if it is in use.
pub(super) fn find(pattern: &str) -> Option<Arc<Compiled>> {
    in_use().get(pattern)?.upgrade()
}

/// Lets others find `compiled`. Of two that were compiled at the same time the later is found.
pub(super) fn note(compiled: &Arc<Compiled>) {
    in_use().insert(compiled.source.clone(), Arc::downgrade(compiled));
}

/// Forgets a `pattern` of which the last user has gone, unless there is a new one.
pub(super) fn forget(pattern: &str) {
    let mut in_use = in_use();
    if in_use.get(pattern).is_some_and(|compiled| compiled.strong_count() == 0) {
        in_use.remove(pattern);
    }
}

/// No table is left half changed by a panic.
fn in_use() -> MutexGuard<'static, BTreeMap<Box<str>, Weak<Compiled>>> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regex::Regex;

    #[test]
    fn equal_patterns_in_use_are_one_and_are_forgotten_with_their_last_user() {
        let pattern = "shared-[0-9]+";
        let first = Regex::anchored(pattern).unwrap();
        let second = Regex::anchored(pattern).unwrap();
        assert!(Arc::ptr_eq(&first.0, &second.0));
        drop(first);
        assert!(find(pattern).is_some() && second.is_match("shared-7"));
        drop(second);
        assert!(!in_use().contains_key(pattern));
    }

    #[test]
    fn the_same_pattern_unanchored_is_another() {
        let whole = Regex::anchored("apart").unwrap();
        let part = Regex::new("apart").unwrap();
        assert!(part.is_match("set apart") && !whole.is_match("set apart"));
        drop(part);
        assert!(find("apart").is_some());
    }
}
