//! Chance, for pauses: two nodes must not come back in step.

/// A random number from 0 up to 1.
pub(super) fn share() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u64_pair().1 & 0xffff_ffff;
    bits as f64 / f64::from(u32::MAX)
}
