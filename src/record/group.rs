//! The bytes of an aggregation group's timer, and those of the group's identity.

use watchbell_engine::group::SavedGroup;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

/// The bytes of a group's identity: different for different groups.
pub fn key_bytes(group: &SavedGroup) -> Vec<u8> {
    let mut to = Writer::default();
    to.text(&group.route_id);
    to.labels(&group.labels);
    to.as_bytes().to_vec()
}

impl Framed for SavedGroup {
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
