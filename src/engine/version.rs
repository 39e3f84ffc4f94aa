//! Which of two states of one record is the newer, whatever the clocks of those who wrote them.

use crate::time::Timestamp;

/// A node's identity: random, kept on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// Orders the states of one record in the whole cluster: the larger wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The writer's clock, but at least one microsecond after the version it edited.
    pub stamp: Timestamp,
    /// Who wrote it; breaks ties.
    pub node: NodeId,
}

impl Version {
    /// The version of an edit made by `node` at `now` of a record that had the version `previous`.
    pub fn after(previous: Option<Self>, now: Timestamp, node: NodeId) -> Self {
        let floor = previous.map(|p| Timestamp::from_micros(p.stamp.as_micros() + 1));
        Self { stamp: floor.map_or(now, |f| f.max(now)), node }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_newer_than_what_it_edits_whatever_the_clock_says() {
        let first = Version::after(None, Timestamp::from_secs(100), NodeId(1));
        let edit = Version::after(Some(first), Timestamp::from_secs(50), NodeId(0));
        assert!(edit > first);
        assert!(Version::after(None, Timestamp::from_secs(100), NodeId(2)) > first);
    }
}
