//! How nodes come to hold equal records: versions, and merging by the larger one.

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
