//! Of all that journals hold, in the order in which it was written, the newest state of each record. It knows where
//! records lie, not what they hold.

use super::change::RecordKey;
use super::entry;

/// Where the newest state of a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The journal, counted from the first that was read.
    pub(super) file: usize,
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// Whose state it is; `None` if it was deleted.
pub(super) type Written = (RecordKey, Option<Place>);

/// What may wait to be sorted beside as much that is, so that journals that change little over and over do not take
/// much memory: a few megabytes.
const UNSORTED: usize = 1 << 16;

/// States, of which the last of each record counts. A sorted row takes half the time of a tree, and less memory.
#[derive(Default)]
pub(super) struct Newest {
    written: Vec<Written>,
    /// So many of `written` are sorted, and of one record each.
    sorted: usize,
}

impl Newest {
    /// Adds what was written next.
    pub(super) fn push(&mut self, key: RecordKey, place: Option<Place>) {
        self.written.push((key, place));
        if self.written.len() >= 2 * self.sorted + UNSORTED {
            self.sort();
        }
    }

    /// The newest state of each, in the order of their keys.
    pub(super) fn sorted(mut self) -> Vec<Written> {
        self.sort();
        self.written
    }

    fn sort(&mut self) {
        self.written.sort_by_key(|(key, _)| *key);
        self.written.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                *kept = *later;
            }
            same
        });
        self.sorted = self.written.len();
    }
}

/// Bytes of the entries that say so.
pub(super) fn bytes(newest: &[Written]) -> u64 {
    newest.iter().filter_map(|(_, place)| *place).map(|place| entry::HEAD as u64 + u64::from(place.length)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::frame::Kind;

    #[test]
    fn the_last_state_of_each_counts() {
        let mut newest = Newest::default();
        let key = |id| RecordKey { kind: Kind::Alert, id };
        let place = |offset| Some(Place { file: 0, offset, length: 79 });
        for offset in 0..10 * UNSORTED as u64 {
            newest.push(key(u128::from(offset % 7)), place(offset));
            assert!(newest.written.len() <= 2 * UNSORTED, "what is out of date is kept");
        }
        newest.push(key(3), None);
        let sorted = newest.sorted();
        let last = |id| (10 * UNSORTED as u64 - 1 - id) / 7 * 7 + id;
        let expected = (0..7).map(|id| (key(id.into()), if id == 3 { None } else { place(last(id)) }));
        assert_eq!(sorted, expected.collect::<Vec<_>>());
        assert_eq!(bytes(&sorted), 600);
    }
}
