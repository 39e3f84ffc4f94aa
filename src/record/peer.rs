//! A peer's bytes.

use watchbell_engine::members::KnownPeer;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

impl Framed for KnownPeer {
    const KIND: Kind = Kind::Peer;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.text(&self.name);
        to.node(self.node);
        to.text(&self.address);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self { name: from.text()?.into(), node: from.node()?, address: from.text()?.into() })
    }
}
