//! What nodes tell each other, as bytes: the record's own frame, whose first byte says which kind it is.

use std::sync::Arc;

use watchbell_engine::replica::Record;

use super::frame::Kind;
use super::{RecordError, decode, encode};

/// The bytes of `record`.
pub fn encode_replica(record: &Record) -> Result<Vec<u8>, RecordError> {
    match record {
        Record::Silence(silence) => encode(&**silence),
        Record::Nflog(entry) => encode(&**entry),
        Record::Claim(claim) => encode(claim),
    }
}

/// The record that `bytes` spell; never panics, whatever they are.
pub fn decode_replica(bytes: &[u8]) -> Result<Record, RecordError> {
    let letter = *bytes.first().ok_or(RecordError::Truncated)?;
    match Kind::from_letter(letter) {
        Some(Kind::Silence) => decode(bytes).map(Arc::new).map(Record::Silence),
        Some(Kind::Nflog) => decode(bytes).map(Arc::new).map(Record::Nflog),
        Some(Kind::Claim) => decode(bytes).map(Record::Claim),
        Some(Kind::Alert | Kind::Group) | None => Err(RecordError::NotExchanged(letter)),
    }
}
