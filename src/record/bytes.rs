//! Fields as bytes: numbers, texts, instants and label sets, one after the other. It knows nothing of records.

use std::iter;

use smol_str::SmolStr;
use watchbell_engine::label::Labels;
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::{NodeId, Version};

use super::RecordError;

/// Appends fields.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// What was written so far.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Exactly these bytes.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// One byte.
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Seven bits a byte, lowest first, the highest bit set on all but the last.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// A length in front of a list or a text.
    pub(crate) fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    /// The text's length and its bytes.
    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.raw(text.as_bytes());
    }

    /// Microseconds in eight bytes, little-endian.
    pub(crate) fn time(&mut self, time: Timestamp) {
        self.raw(&time.as_micros().to_le_bytes());
    }

    /// Minutes in two bytes, little-endian.
    pub(crate) fn offset(&mut self, offset: UtcOffset) {
        self.raw(&offset.0.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub(crate) fn node(&mut self, node: NodeId) {
        self.raw(&node.0.to_le_bytes());
    }

    /// The stamp and the node.
    pub(crate) fn version(&mut self, version: Version) {
        self.time(version.stamp);
        self.node(version.node);
    }

    /// The number of pairs, then each name and value.
    pub(crate) fn labels(&mut self, labels: &Labels) {
        self.length(labels.len());
        for (name, value) in labels.iter() {
            self.text(name);
            self.text(value);
        }
    }
}

/// Takes fields off the front of some bytes.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

type Read<T> = Result<T, RecordError>;

impl<'a> Reader<'a> {
    /// A reader that begins with the first of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Fails if something is left.
    pub(crate) fn finish(self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(RecordError::Malformed("bytes after the last field")) }
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All bytes that are left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// The next `count` bytes.
    pub(crate) fn raw(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(RecordError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Read<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A number as [`Writer::number`] writes it.
    pub(crate) fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            number |= bits << shift;
            if byte & 0x80 == 0 {
                let fits = bits << shift >> shift == bits;
                return if fits { Ok(number) } else { Err(RecordError::Malformed("number")) };
            }
        }
        Err(RecordError::Malformed("number"))
    }

    /// The length of a list or a text, each element of which takes at least a byte.
    pub(crate) fn length(&mut self) -> Read<usize> {
        let length = usize::try_from(self.number()?).map_err(|_| RecordError::Truncated)?;
        if length > self.0.len() { Err(RecordError::Truncated) } else { Ok(length) }
    }

    /// A list: its length, then as many times what `element` reads.
    pub(crate) fn list<T>(&mut self, element: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.length()?;
        iter::repeat_with(|| element(self)).take(length).collect()
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Read<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.raw(length)?).map_err(|_| RecordError::Malformed("text is not UTF-8"))
    }

    /// An instant.
    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        self.array().map(|bytes| Timestamp::from_micros(i64::from_le_bytes(bytes)))
    }

    /// A zone's distance from UTC.
    pub(crate) fn offset(&mut self) -> Read<UtcOffset> {
        self.array().map(|bytes| UtcOffset(i16::from_le_bytes(bytes)))
    }

    /// A node's identity.
    pub(crate) fn node(&mut self) -> Read<NodeId> {
        self.array().map(|bytes| NodeId(u64::from_le_bytes(bytes)))
    }

    /// A record's version in the cluster.
    pub(crate) fn version(&mut self) -> Read<Version> {
        Ok(Version { stamp: self.time()?, node: self.node()? })
    }

    /// A label set, its names in order.
    pub(crate) fn labels(&mut self) -> Read<Labels> {
        let pairs = self.list(|r| Ok((SmolStr::new(r.text()?), SmolStr::new(r.text()?))))?;
        let ascending = pairs.is_sorted_by(|(earlier, _), (later, _)| earlier < later);
        if ascending { Ok(pairs.into_iter().collect()) } else { Err(RecordError::Malformed("order of labels")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_come_back() {
        for number in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1]).chain([u64::MAX]) {
            let mut writer = Writer::default();
            writer.number(number);
            let mut reader = Reader::new(writer.as_bytes());
            assert_eq!((reader.number(), reader.finish()), (Ok(number), Ok(())));
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        let mut bytes = vec![0xFF; 9];
        bytes.push(0x02);
        assert_eq!(Reader::new(&bytes).number(), Err(RecordError::Malformed("number")));
        assert_eq!(Reader::new(&[0xFF; 11]).number(), Err(RecordError::Malformed("number")));
    }

    #[test]
    fn a_huge_length_costs_no_memory() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        assert_eq!(Reader::new(writer.as_bytes()).list(|r| r.byte()), Err(RecordError::Truncated));
    }

    #[test]
    fn labels_out_of_order_are_refused() {
        let mut writer = Writer::default();
        writer.length(2);
        for text in ["b", "1", "a", "2"] {
            writer.text(text);
        }
        assert_eq!(Reader::new(writer.as_bytes()).labels(), Err(RecordError::Malformed("order of labels")));
    }
}
