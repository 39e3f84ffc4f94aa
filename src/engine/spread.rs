//! An ordered map by fingerprints, and a set of such. It is as deep with a million entries as with a dozen: fingerprints
//! are hashes, so their leading bits spread them over small maps. Where they do not, one of these grows, as any map does.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use crate::label::Fingerprint;

/// Entries a room, on average, above which there are to be twice as many rooms: about what a node of a map holds.
const CROWD: usize = 12;

/// Values by fingerprint, in the order of fingerprints.
#[derive(Clone, Debug)]
pub(crate) struct Spread<V> {
    /// Leading bits that all fingerprints here share.
    skip: u32,
    /// Bits behind them that say in which room a fingerprint is.
    bits: u32,
    rooms: Vec<BTreeMap<Fingerprint, V>>,
    len: usize,
}

impl<V> Spread<V> {
    /// A map for fingerprints of which the first `skip` bits are the same.
    pub(crate) fn new(skip: u32) -> Self {
        Self { skip, bits: 0, rooms: vec![BTreeMap::new()], len: 0 }
    }

    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<&V> {
        self.rooms[self.room_of(fingerprint)].get(&fingerprint)
    }

    pub(crate) fn get_mut(&mut self, fingerprint: Fingerprint) -> Option<&mut V> {
        let room = self.room_of(fingerprint);
        self.rooms[room].get_mut(&fingerprint)
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, value: V) -> Option<V> {
        let room = self.room_of(fingerprint);
        let old = self.rooms[room].insert(fingerprint, value);
        self.len += usize::from(old.is_none());
        if self.len > CROWD * self.rooms.len() {
            self.double();
        }
        old
    }

    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) -> Option<V> {
        let room = self.room_of(fingerprint);
        let old = self.rooms[room].remove(&fingerprint);
        self.len -= usize::from(old.is_some());
        old
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fingerprint, &V)> {
        self.after(None)
    }

    /// The entries after `last`, which has the leading bits that all share.
    pub(crate) fn after(&self, last: Option<Fingerprint>) -> impl Iterator<Item = (Fingerprint, &V)> {
        let rooms = &self.rooms[last.map_or(0, |last| self.room_of(last))..];
        let from = (last.map_or(Unbounded, Excluded), Unbounded);
        rooms.iter().flat_map(move |room| room.range(from)).map(|(fingerprint, value)| (*fingerprint, value))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn room_of(&self, fingerprint: Fingerprint) -> usize {
        let rest = fingerprint.0 << self.skip;
        rest.checked_shr(u64::BITS - self.bits).unwrap_or(0) as usize
    }

    /// Makes two rooms of each. That is one bit more, and there are never as many rooms as fingerprints have bits for.
    fn double(&mut self) {
        self.bits += 1;
        let mut rooms = Vec::with_capacity(2 * self.rooms.len());
        for mut lower in std::mem::take(&mut self.rooms) {
            let first = lower.keys().find(|fingerprint| self.room_of(**fingerprint) % 2 == 1).copied();
            let upper = first.map(|first| lower.split_off(&first)).unwrap_or_default();
            rooms.extend([lower, upper]);
        }
        self.rooms = rooms;
    }
}

/// A set of alerts, by fingerprint and in that order.
#[derive(Clone, Debug)]
pub struct Fingerprints(Spread<()>);

impl Fingerprints {
    /// Whether it is there.
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.0.get(fingerprint).is_some()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Fingerprint> {
        self.0.iter().map(|(fingerprint, ())| fingerprint)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint) {
        self.0.insert(fingerprint, ());
    }

    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) {
        self.0.remove(fingerprint);
    }
}

impl Default for Fingerprints {
    fn default() -> Self {
        Self(Spread::new(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// Does the same to a plain map, and compares.
    fn check(skip: u32, fingerprints: impl Fn(u64) -> u64) {
        let (mut spread, mut plain) = (Spread::new(skip), BTreeMap::new());
        for number in 0..5_000 {
            let fingerprint = Fingerprint(fingerprints(number % 3_000));
            assert_eq!(spread.insert(fingerprint, number), plain.insert(fingerprint, number));
            let gone = Fingerprint(fingerprints(number / 3));
            if number % 2 == 0 {
                assert_eq!(spread.remove(gone), plain.remove(&gone));
            }
            assert_eq!((spread.len(), spread.get(gone)), (plain.len(), plain.get(&gone)));
        }
        let same = |last: Option<Fingerprint>| {
            let from = (last.map_or(Unbounded, Excluded), Unbounded);
            spread.after(last).eq(plain.range(from).map(|(fingerprint, number)| (*fingerprint, number)))
        };
        assert!(same(None) && plain.keys().all(|last| same(Some(*last))));
    }

    #[test]
    fn it_is_an_ordered_map() {
        check(0, mixed);
        check(10, |number| 7 << 54 | mixed(number) >> 10);
    }

    #[test]
    fn fingerprints_that_do_not_spread_are_kept_all_the_same() {
        check(0, |number| number);
        check(10, |number| u64::MAX - number);
    }

    #[test]
    fn rooms_stay_small() {
        for entries in [10, 1_000, 100_000] {
            let mut spread = Spread::new(0);
            for number in 0..entries {
                spread.insert(Fingerprint(mixed(number)), ());
            }
            let largest = spread.rooms.iter().map(BTreeMap::len).max().unwrap();
            assert!(largest <= 3 * CROWD, "{largest} of {entries} in one room");
        }
    }
}
