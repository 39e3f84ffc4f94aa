//! A sighting's bytes. Sightings are published and never stored.

use watchbell_engine::sighting::Sighting;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::nflog::{read_hashes, read_key, write_hashes, write_key};
use super::{Framed, RecordError};

impl Framed for Sighting {
    const KIND: Kind = Kind::Sighting;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        write_key(&self.key, to);
        to.node(self.node);
        to.time(self.asked);
        write_hashes(&self.firing, to);
        write_hashes(&self.owed, to);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            key: read_key(from)?,
            node: from.node()?,
            asked: from.time()?,
            firing: read_hashes(from)?,
            owed: read_hashes(from)?,
        })
    }
}
