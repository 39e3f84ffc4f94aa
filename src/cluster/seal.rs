//! Sealing the frames of one connection, in one direction: AES-256-GCM under a key that only this connection has, with
//! the frame's number as the nonce. So a frame that is changed, left out, repeated or put into another connection is not
//! opened. It knows nothing of what frames say.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};

/// Bytes that sealing adds.
pub(super) const OVERHEAD: usize = 16;

/// Seals or opens frames, one after the other.
#[derive(Debug)]
pub(super) struct Seal {
    key: LessSafeKey,
    /// Frames so far. A connection would need centuries to use up the numbers.
    frames: u64,
}

/// A frame that was not sealed by who holds the key, or not as the next one of this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

impl Seal {
    pub(super) fn new(key: LessSafeKey) -> Self {
        debug_assert_eq!(key.algorithm(), &AES_256_GCM);
        Self { key, frames: 0 }
    }

    /// Makes `frame` unreadable for others.
    pub(super) fn seal(&mut self, frame: &mut Vec<u8>) {
        let nonce = self.next_nonce();
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), frame).expect("a frame is shorter than AES-GCM allows");
    }

    /// Makes the next `frame` readable, in its place.
    pub(super) fn open(&mut self, frame: &mut Vec<u8>) -> Result<(), Forged> {
        let nonce = self.next_nonce();
        let length = self.key.open_in_place(nonce, Aad::empty(), frame).map_err(|_| Forged)?.len();
        frame.truncate(length);
        Ok(())
    }

    fn next_nonce(&mut self) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.frames.to_le_bytes());
        self.frames += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::UnboundKey;

    use super::*;

    fn seal() -> Seal {
        Seal::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap()))
    }

    fn sealed(frames: &[&str]) -> Vec<Vec<u8>> {
        let mut seal = seal();
        let sealed = |frame: &&str| {
            let mut bytes = frame.as_bytes().to_vec();
            seal.seal(&mut bytes);
            bytes
        };
        frames.iter().map(sealed).collect()
    }

    #[test]
    fn frames_come_out_in_their_order_only() {
        let frames = sealed(&["one", "two"]);
        assert_eq!(frames[0].len(), 3 + OVERHEAD);
        let mut opener = seal();
        let [mut one, mut two] = [frames[0].clone(), frames[1].clone()];
        assert_eq!((opener.open(&mut one), opener.open(&mut two)), (Ok(()), Ok(())));
        assert_eq!((one.as_slice(), two.as_slice()), (b"one".as_slice(), b"two".as_slice()));
        assert_eq!(seal().open(&mut frames[1].clone()), Err(Forged), "the second frame came first");
        assert_eq!(opener.open(&mut frames[1].clone()), Err(Forged), "a frame came twice");
    }

    #[test]
    fn a_frame_that_was_touched_is_not_opened() {
        let frame = sealed(&["one"]).remove(0);
        for bit in 0..frame.len() * 8 {
            let mut touched = frame.clone();
            touched[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal().open(&mut touched), Err(Forged), "bit {bit}");
        }
        for length in 0..frame.len() {
            assert_eq!(seal().open(&mut frame[..length].to_vec()), Err(Forged), "{length} bytes");
        }
    }
}
