//! The frame around each record: kind, version and checksum. It knows nothing of what lies inside.
//!
//! ```text
//! byte 0      kind, an ASCII letter
//! byte 1      version of the payload, from 1
//! byte 2..6   CRC-32 (IEEE) of kind, version and payload, little-endian
//! byte 6..    payload
//! ```

use super::RecordError;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An alert.
    Alert = b'a',
    /// What a node says it is doing.
    Claim = b'c',
    /// An aggregation group's timer.
    Group = b'g',
    /// What an integration may have heard.
    Intent = b'i',
    /// An entry of the notification log.
    Nflog = b'n',
    /// Another node.
    Peer = b'p',
    /// An alert of its own that a node has raised.
    Raised = b'r',
    /// That a node has received an expected alert.
    Seen = b'e',
    /// What a node sees of a group.
    Sighting = b'w',
    /// A silence.
    Silence = b's',
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Alert,
        Self::Claim,
        Self::Group,
        Self::Intent,
        Self::Nflog,
        Self::Peer,
        Self::Raised,
        Self::Seen,
        Self::Sighting,
        Self::Silence,
    ];

    /// The letter that stands for the kind, in records and in keys.
    pub const fn letter(self) -> u8 {
        self as u8
    }

    /// The kind that `letter` stands for.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }
}

const HEADER: usize = 6;

/// Puts `payload` into a frame.
pub(super) fn seal(kind: Kind, version: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend([kind.letter(), version]);
    bytes.extend(checksum(kind.letter(), version, payload).to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// The version and the payload of a frame of `kind` that is not newer than `newest`.
pub(super) fn open(kind: Kind, newest: u8, bytes: &[u8]) -> Result<(u8, &[u8]), RecordError> {
    let (&[letter, found, a, b, c, d], payload) = bytes.split_first_chunk::<HEADER>().ok_or(RecordError::Truncated)?;
    if letter != kind.letter() {
        return Err(RecordError::Kind { expected: kind, found: letter });
    }
    if u32::from_le_bytes([a, b, c, d]) != checksum(letter, found, payload) {
        return Err(RecordError::Checksum);
    }
    match found {
        0 => Err(RecordError::Malformed("version 0")),
        _ if found > newest => Err(RecordError::Version { kind, found, newest }),
        _ => Ok((found, payload)),
    }
}

fn checksum(letter: u8, version: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[letter, version]);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened() {
        let bytes = seal(Kind::Silence, 3, b"payload");
        assert_eq!(open(Kind::Silence, 3, &bytes), Ok((3, b"payload".as_slice())));
        assert_eq!(open(Kind::Silence, 9, &bytes), Ok((3, b"payload".as_slice())));
    }

    #[test]
    fn a_later_version_says_so() {
        let error = open(Kind::Silence, 2, &seal(Kind::Silence, 3, b"payload")).unwrap_err();
        assert_eq!(error, RecordError::Version { kind: Kind::Silence, found: 3, newest: 2 });
        assert!(error.to_string().contains("a later watchbell wrote it"));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let sound = seal(Kind::Nflog, 1, b"payload");
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Kind::Nflog, 1, &bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_kind_is_its_letter() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_letter(kind.letter()), Some(kind));
        }
        assert_eq!(Kind::from_letter(b'?'), None);
    }
}
