//! The bytes of an aggregation group's timer, and those of the group's identity.

use std::sync::Arc;

use watchbell_engine::label::Labels;
use watchbell_engine::time::Timestamp;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Record, RecordError};

/// An aggregation group whose timer runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedGroup {
    /// The route it belongs to.
    pub route_id: Arc<str>,
    /// The labels that its alerts share.
    pub labels: Labels,
    /// When it is flushed next.
    pub next_flush: Timestamp,
}

/// The bytes of a group's identity: different for different groups.
pub fn key_bytes(route_id: &str, labels: &Labels) -> Vec<u8> {
    let mut to = Writer::default();
    to.text(route_id);
    to.labels(labels);
    to.as_bytes().to_vec()
}

impl Record for SavedGroup {
    const KIND: Kind = Kind::Group;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.text(&self.route_id);
        to.labels(&self.labels);
        to.time(self.next_flush);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self { route_id: from.text()?.into(), labels: from.labels()?, next_flush: from.time()? })
    }
}
