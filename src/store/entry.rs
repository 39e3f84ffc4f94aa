//! How a record's state is spelled in a row of such: in a journal's frames, and in the database. It knows neither.
//!
//! ```text
//! byte 0        kind, an ASCII letter
//! byte 1..17    id, big-endian, so that bytes sort as keys do
//! byte 17..21   length of the record, little-endian; 0xFFFF_FFFF says that it was deleted
//! byte 21..     the record
//! ```

use super::change::RecordKey;
use crate::record::frame::Kind;

/// Bytes before the record.
pub(super) const HEAD: usize = 21;

/// The length of a record that is not there any more.
const DELETED: u32 = u32::MAX;

/// What stands before a record: whose state follows, and how long it is; `None` if it was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key: RecordKey,
    pub(super) length: Option<u32>,
}

impl Head {
    /// Reads a head; `None` if these bytes are none.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let (&[letter], rest) = bytes.split_first_chunk()?;
        let (id, length) = rest.split_first_chunk()?;
        let key = RecordKey { kind: Kind::from_letter(letter)?, id: u128::from_be_bytes(*id) };
        let length = Some(u32::from_le_bytes(length.try_into().ok()?)).filter(|length| *length != DELETED);
        Some(Self { key, length })
    }
}

/// Appends the state of one record.
pub(super) fn append(to: &mut Vec<u8>, key: RecordKey, record: Option<&[u8]>) {
    let length = record.map(|record| u32::try_from(record.len()).expect("records are shorter than a megabyte"));
    to.push(key.kind.letter());
    to.extend(key.id.to_be_bytes());
    to.extend(length.unwrap_or(DELETED).to_le_bytes());
    to.extend(record.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_what_was_appended() {
        let key = RecordKey { kind: Kind::Nflog, id: 1 << 100 };
        for record in [None, Some(&b""[..]), Some(b"abc")] {
            let mut bytes = Vec::new();
            append(&mut bytes, key, record);
            let (head, rest) = bytes.split_first_chunk().unwrap();
            let length = record.map(|record| record.len() as u32);
            assert_eq!(Head::read(head), Some(Head { key, length }));
            assert_eq!(rest, record.unwrap_or_default());
        }
        assert_eq!(Head::read(&[b'?'; HEAD]), None);
    }
}
