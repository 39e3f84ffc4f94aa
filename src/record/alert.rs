//! An alert's bytes.

use smol_str::SmolStr;
use watchbell_engine::alert::Alert;

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

impl Framed for Alert {
    const KIND: Kind = Kind::Alert;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.labels(&self.labels);
        to.labels(&self.annotations);
        to.time(self.starts_at);
        to.offset(self.starts_offset);
        to.time(self.ends_at);
        to.offset(self.ends_offset);
        to.time(self.updated_at);
        to.text(&self.generator_url);
        to.byte(u8::from(self.timeout));
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            labels: from.labels()?,
            annotations: from.labels()?,
            starts_at: from.time()?,
            starts_offset: from.offset()?,
            ends_at: from.time()?,
            ends_offset: from.offset()?,
            updated_at: from.time()?,
            generator_url: SmolStr::new(from.text()?),
            timeout: match from.byte()? {
                0 => false,
                1 => true,
                _ => return Err(RecordError::Malformed("timeout")),
            },
        })
    }
}
