//! The bytes of what nodes tell each other of expected alerts and of alerts of their own. Neither is ever stored.

use watchbell_engine::expect::Seen;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::vigil::Raised;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

impl Framed for Seen {
    const KIND: Kind = Kind::Seen;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.text(&self.expect);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self { expect: from.text()?.into() })
    }
}

impl Framed for Raised {
    const KIND: Kind = Kind::Raised;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.fingerprint.0.to_le_bytes());
        to.time(self.starts_at);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self { fingerprint: Fingerprint(u64::from_le_bytes(from.array()?)), starts_at: from.time()? })
    }
}
