//! Numbers that look random and are the same for the same seed.

use std::time::Duration;

/// A sequence of such numbers (xorshift64*, Vigna 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let span = u64::try_from((longest - shortest).as_millis()).expect("a short time").max(1);
        shortest + Duration::from_millis(self.next() % span)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, cases: u64) -> bool {
        self.next() % 100 < cases
    }
}
