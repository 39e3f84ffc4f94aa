//! The bytes of what is stored and published: one file a kind, each with a version of its own. It knows the engine's
//! types and nothing of where the bytes go.
//!
//! The encoding is a small binary one: numbers and texts in a fixed order inside a [`frame`] with kind, version
//! and checksum. One value has exactly one spelling, so equal records are equal bytes on every node. A record that
//! changes its shape gets a new version and keeps the reader of each older one; `fixtures/record` holds bytes of every
//! version ever written.

pub mod alert;
pub mod alertmanager;
pub mod bytes;
pub mod claim;
pub mod frame;
pub mod group;
pub mod intent;
pub mod news;
pub mod nflog;
pub mod peer;
pub mod sighting;
pub mod silence;
pub mod vigil;

use watchbell_engine::silence::SilenceId;

use bytes::{Reader, Writer};
use frame::Kind;

/// The longest record, in bytes. An nflog entry of 130,000 alerts fits; anything longer is a mistake or an attack.
pub const MAX_RECORD: usize = 1 << 20;

/// A kind of value that is stored and published.
pub trait Framed: Sized {
    /// Which kind.
    const KIND: Kind;
    /// The version that [`encode`] writes.
    const VERSION: u8;

    /// Writes the fields of [`Self::VERSION`].
    fn write(&self, to: &mut Writer);

    /// Reads the fields as `version` wrote them; `version` lies between 1 and [`Self::VERSION`].
    fn read(version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError>;
}

/// The bytes of `record`.
pub fn encode<R: Framed>(record: &R) -> Result<Vec<u8>, RecordError> {
    let mut payload = Writer::default();
    record.write(&mut payload);
    let bytes = frame::seal(R::KIND, R::VERSION, payload.as_bytes());
    if bytes.len() > MAX_RECORD { Err(RecordError::TooLong(bytes.len())) } else { Ok(bytes) }
}

/// The record that `bytes` spell; never panics, whatever they are.
pub fn decode<R: Framed>(bytes: &[u8]) -> Result<R, RecordError> {
    if bytes.len() > MAX_RECORD {
        return Err(RecordError::TooLong(bytes.len()));
    }
    let (version, payload) = frame::open(R::KIND, R::VERSION, bytes)?;
    let mut reader = Reader::new(payload);
    let record = R::read(version, &mut reader)?;
    reader.finish()?;
    Ok(record)
}

/// Why bytes are not a record that this program can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Longer than [`MAX_RECORD`].
    #[error("record of {0} bytes is longer than {MAX_RECORD} bytes")]
    TooLong(usize),
    /// Too short to hold what it announces.
    #[error("record ends too early")]
    Truncated,
    /// The checksum does not fit the bytes.
    #[error("checksum of the record does not fit its bytes")]
    Checksum,
    /// A record of another kind.
    #[error("record is not of kind {expected:?} but starts with byte {found:#04x}")]
    Kind {
        /// What was asked for.
        expected: Kind,
        /// The kind byte that was found.
        found: u8,
    },
    /// Written by a later version of the program.
    #[error("{kind:?} record has version {found}, this program reads up to {newest}: a later watchbell wrote it")]
    Version {
        /// What kind of record.
        kind: Kind,
        /// Its version.
        found: u8,
        /// The newest version known here.
        newest: u8,
    },
    /// A field holds what no writer writes.
    #[error("record has a malformed field: {0}")]
    Malformed(&'static str),
    /// A silence's regular expression does not compile.
    #[error("silence {id}: {error}")]
    Pattern {
        /// The silence.
        id: SilenceId,
        /// What is wrong with its pattern.
        error: String,
    },
}

#[cfg(test)]
mod tests;
