//! The cluster's keys: a file of them, and what is derived from each. It knows nothing of connections.
//!
//! One key a line: 32 random bytes in base64, as `openssl rand -base64 32` prints them. Empty lines and lines that
//! begin with `#` do not count. The first key encrypts; all of them decrypt, so that a key is changed without a gap: add
//! the new one last on all nodes, then put it first on all, then remove the old one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Each key is tried on a connection that begins, so there are few.
const MAX_KEYS: usize = 8;

/// Bytes of a key.
const LENGTH: usize = 32;

/// Random bytes of one side of a connection.
pub(super) type Random = [u8; 32];

/// What says that a derived key seals frames, and which layout they have.
const FRAMES: &[u8] = b"watchbell cluster frames 1";
/// What says that a derived secret is for other uses than frames.
const OTHERS: &[u8] = b"watchbell cluster secret 1";

/// A secret that all nodes share. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key([u8; LENGTH]);

/// The keys of the cluster, never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing(Vec<Key>);

/// Why a file holds no keys that can be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct KeyError {
    path: PathBuf,
    reason: String,
}

impl KeyRing {
    /// The keys in the file.
    ///
    /// # Errors
    /// The file cannot be read, holds none or too many, or a line is not a key. The line is named, never shown.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        text.and_then(|text| Self::parse(&text)).map_err(|reason| KeyError { path: path.to_owned(), reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).enumerate();
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(index, line)| {
            let bytes = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok()).map(Key);
            bytes.ok_or_else(|| format!("line {} is not {LENGTH} bytes in base64", index + 1))
        });
        let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
        match keys.len() {
            0 => Err("there is no key in it".to_owned()),
            1..=MAX_KEYS => Ok(Self(keys)),
            count => Err(format!("{count} keys are more than {MAX_KEYS}")),
        }
    }

    /// Keys for tests, each named by a letter.
    #[cfg(test)]
    pub(super) fn of(letters: &str) -> Self {
        Self(letters.bytes().map(|letter| Key([letter; LENGTH])).collect())
    }

    /// The key that encrypts.
    pub(super) fn first(&self) -> &Key {
        &self.0[0]
    }

    /// All keys, the one that encrypts first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// Whether a connection that this key opened may stay.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    /// A secret that all nodes with the same first key share, from which no key can be had.
    pub fn secret(&self) -> Arc<[u8]> {
        let mut secret = [0; LENGTH];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(&self.first().0);
        let filled = derived.expand(&[OTHERS], Bytes).and_then(|okm| okm.fill(&mut secret));
        filled.expect("HKDF gives 32 bytes");
        secret.into()
    }
}

impl Key {
    /// The key of one connection, which has never been used before since each side brought something new.
    pub(super) fn for_connection(&self, client: &Random, server: &Random) -> LessSafeKey {
        let salt = Salt::new(HKDF_SHA256, &[client.as_slice(), server.as_slice()].concat());
        let derived = salt.extract(&self.0);
        let okm = derived.expand(&[FRAMES], &AES_256_GCM).expect("HKDF gives a key's length");
        LessSafeKey::new(UnboundKey::from(okm))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// The length of a derived secret.
struct Bytes;

impl KeyType for Bytes {
    fn len(&self) -> usize {
        LENGTH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const B: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn error(text: &str) -> String {
        KeyRing::parse(text).unwrap_err()
    }

    #[test]
    fn the_first_key_is_the_one_that_encrypts() {
        let ring = KeyRing::parse(&format!("# ours\n\n{A}\n {B} \n")).unwrap();
        assert_eq!(
            ring,
            KeyRing(vec![Key(std::array::from_fn(|n| n as u8)), Key(std::array::from_fn(|n| n as u8 + 32))])
        );
        assert_eq!(ring.secret(), KeyRing::parse(A).unwrap().secret());
        assert_ne!(ring.secret(), KeyRing::parse(B).unwrap().secret());
        assert_ne!(*ring.secret(), ring.first().0);
    }

    #[test]
    fn a_mistake_is_named_without_the_key() {
        assert_eq!(error("# nothing\n"), "there is no key in it");
        assert_eq!(error(&format!("{A}\nc2hvcnQ=\n")), "line 2 is not 32 bytes in base64");
        assert_eq!(error(&format!("{A}\n").repeat(9)), "9 keys are more than 8");
        assert_eq!(format!("{:?}", KeyRing::parse(A).unwrap()), "KeyRing([Key(hidden)])");
    }
}
