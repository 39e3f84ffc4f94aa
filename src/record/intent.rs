//! The bytes of what an integration may have heard.

use watchbell_engine::intent::Intent;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::nflog::{read_hashes, read_key, write_hashes, write_key};
use super::{Framed, RecordError};

impl Framed for Intent {
    const KIND: Kind = Kind::Intent;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        write_key(&self.key, to);
        write_hashes(&self.unsure, to);
        to.time(self.forget_at);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self { key: read_key(from)?, unsure: read_hashes(from)?, forget_at: from.time()? })
    }
}
