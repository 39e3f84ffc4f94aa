//! The bytes of what nodes tell each other: those of the record itself, which begin with its kind.

use std::sync::Arc;

use watchbell_engine::replica::Record;

use super::frame::Kind;
use super::{RecordError, decode, encode};

/// The bytes of `record`.
pub fn encode_news(record: &Record) -> Result<Vec<u8>, RecordError> {
    match record {
        Record::Silence(silence) => encode(&**silence),
        Record::Nflog(entry) => encode(&**entry),
        Record::Claim(claim) => encode(claim),
        Record::Sighting(sighting) => encode(sighting),
        Record::Ended(alert) => encode(&**alert),
        Record::Seen(seen) => encode(seen),
        Record::Raised(raised) => encode(raised),
    }
}

/// The record that `bytes` spell; never panics, whatever they are.
pub fn decode_news(bytes: &[u8]) -> Result<Record, RecordError> {
    let letter = *bytes.first().ok_or(RecordError::Truncated)?;
    match Kind::from_letter(letter) {
        Some(Kind::Silence) => decode(bytes).map(|silence| Record::Silence(Arc::new(silence))),
        Some(Kind::Nflog) => decode(bytes).map(|entry| Record::Nflog(Arc::new(entry))),
        Some(Kind::Claim) => decode(bytes).map(Record::Claim),
        Some(Kind::Sighting) => decode(bytes).map(Record::Sighting),
        Some(Kind::Alert) => decode(bytes).map(|alert| Record::Ended(Arc::new(alert))),
        Some(Kind::Seen) => decode(bytes).map(Record::Seen),
        Some(Kind::Raised) => decode(bytes).map(Record::Raised),
        Some(Kind::Group | Kind::Intent | Kind::Peer) | None => Err(RecordError::Malformed("kind of news")),
    }
}
