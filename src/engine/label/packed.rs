//! Pairs of texts in one text: how many there are, then each name and each value behind its length. Equal sets are equal
//! texts.
//!
//! A number is written in bytes of six bits, the lowest first; bit 0x40 says that another follows. All of them are ASCII,
//! so the whole is a text and its parts are cut out of it as texts.

use std::sync::Arc;

/// Bits of a number in one byte, and the mark that another byte follows.
const BITS: u32 = 6;
const MORE: u8 = 1 << BITS;

/// The packed form of `pairs`; none at all are the empty text.
pub(super) fn pack<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Arc<str> {
    if pairs.is_empty() {
        return Arc::default();
    }
    let texts: usize = pairs.iter().map(|(name, value)| name.as_ref().len() + value.as_ref().len()).sum();
    let mut packed = String::with_capacity(texts + pairs.len() * 4 + 2);
    push_number(&mut packed, pairs.len());
    for (name, value) in pairs {
        for text in [name.as_ref(), value.as_ref()] {
            push_number(&mut packed, text.len());
            packed.push_str(text);
        }
    }
    packed.into()
}

fn push_number(to: &mut String, mut number: usize) {
    loop {
        let low = (number as u8) & (MORE - 1);
        number >>= BITS;
        if number == 0 {
            return to.push(char::from(low));
        }
        to.push(char::from(low | MORE));
    }
}

/// A name and its value.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// The first pairs in which two packed texts of as many pairs differ: what lies before is the same bytes, and need not be
/// taken apart twice.
pub(super) fn first_difference<'a>(mine: &'a str, theirs: &'a str) -> Option<(Pair<'a>, Pair<'a>)> {
    let same = same_bytes(mine.as_bytes(), theirs.as_bytes());
    let mut pairs = Pairs::of(mine);
    loop {
        let Pairs { at, left, .. } = pairs;
        let pair = pairs.next()?;
        if pairs.at > same {
            return Some((pair, Pairs { packed: theirs, at, left }.next()?));
        }
    }
}

/// How many bytes are the same from the beginning.
fn same_bytes(mine: &[u8], theirs: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let blocks = mine.chunks_exact(BLOCK).zip(theirs.chunks_exact(BLOCK)).take_while(|(mine, theirs)| mine == theirs);
    let at = BLOCK * blocks.count();
    at + mine[at..].iter().zip(&theirs[at..]).take_while(|(mine, theirs)| mine == theirs).count()
}

/// Goes through the pairs of a packed text.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a> {
    packed: &'a str,
    /// Where what is left begins.
    at: usize,
    left: usize,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(packed: &'a str) -> Self {
        let mut pairs = Self { packed, at: 0, left: 0 };
        if !packed.is_empty() {
            pairs.left = pairs.number();
        }
        pairs
    }

    fn number(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.packed.as_bytes()[self.at];
            self.at += 1;
            number |= usize::from(byte & (MORE - 1)) << shift;
            if byte & MORE == 0 {
                return number;
            }
            shift += BITS;
        }
    }

    fn text(&mut self) -> &'a str {
        let length = self.number();
        let from = self.at;
        self.at += length;
        &self.packed[from..self.at]
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.text(), self.text()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_out(pairs in vec((".{0,9}", ".{0,9}"), 0..9)) {
            let packed = pack(&pairs);
            let unpacked: Vec<_> = Pairs::of(&packed).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(Pairs::of(&packed).len(), pairs.len());
            prop_assert_eq!(unpacked, pairs);
        }
    }

    proptest! {
        #[test]
        fn the_first_difference_is_found(
            pairs in vec(("[ab]{0,2}", "[abü]{0,20}"), 1..5),
            others in vec(("[ab]{0,2}", "[abü]{0,20}"), 1..5),
            same in 0_usize..5,
        ) {
            let others: Vec<_> = pairs.iter().take(same).chain(others.iter().cycle()).take(pairs.len()).cloned().collect();
            let (mine, theirs) = (pack(&pairs), pack(&others));
            let expected = Pairs::of(&mine).zip(Pairs::of(&theirs)).find(|(mine, theirs)| mine != theirs);
            prop_assert_eq!(first_difference(&mine, &theirs), expected);
        }
    }

    #[test]
    fn long_texts_and_many_pairs_come_out() {
        for length in [63, 64, 4095, 4096, 300_000] {
            let pairs = vec![("n".repeat(length), "ü".repeat(length)); if length < 5000 { 70 } else { 1 }];
            let packed = pack(&pairs);
            assert!(Pairs::of(&packed).eq(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        }
    }
}
