//! As much of protobuf's encoding as the snapshots need: fields by number, nested messages, packed numbers. It knows no
//! message.

use crate::record::RecordError;
use crate::record::bytes::Reader;

/// A message's fields in the order in which they were written.
#[derive(Debug)]
pub(super) struct Message<'a>(Vec<(u64, Field<'a>)>);

/// A field's value as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A varint.
    Number(u64),
    /// A text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// Four bytes, little-endian.
    Fixed32(u32),
}

type Read<T> = Result<T, RecordError>;

/// The messages of a file in which each stands behind its length. An error is the last item.
pub(super) fn delimited(file: &[u8]) -> impl Iterator<Item = Read<Message<'_>>> {
    let mut rest = Some(Reader::new(file));
    std::iter::from_fn(move || {
        let reader = rest.as_mut().filter(|reader| !reader.is_empty())?;
        let bytes = reader.length().and_then(|length| reader.raw(length));
        if bytes.is_err() {
            rest = None;
        }
        Some(bytes.and_then(Message::read))
    })
}

/// UTF-8, as every protobuf string is.
pub(super) fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| RecordError::Malformed("text is not UTF-8"))
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Read<Self> {
        let mut reader = Reader::new(bytes);
        let mut fields = Vec::new();
        while !reader.is_empty() {
            let tag = reader.number()?;
            fields.push((tag >> 3, field(tag & 7, &mut reader)?));
        }
        Ok(Self(fields))
    }

    /// The last field with any of these numbers, which is the one that holds.
    pub(super) fn last(&self, numbers: &[u64]) -> Option<(u64, Field<'a>)> {
        self.0.iter().rev().find(|(number, _)| numbers.contains(number)).copied()
    }

    /// A number; 0 if it is not there.
    pub(super) fn number(&self, field: u64) -> Read<u64> {
        match self.last(&[field]) {
            None => Ok(0),
            Some((_, Field::Number(number))) => Ok(number),
            Some(_) => Err(RecordError::Malformed("number")),
        }
    }

    /// A text; empty if it is not there.
    pub(super) fn text(&self, field: u64) -> Read<&'a str> {
        self.last(&[field]).map_or(Ok(""), |(_, field)| text(field.bytes()?))
    }

    /// A nested message.
    pub(super) fn message(&self, field: u64) -> Read<Option<Self>> {
        self.last(&[field]).map(|(_, field)| field.bytes().and_then(Self::read)).transpose()
    }

    /// All nested messages of a repeated field.
    pub(super) fn messages(&self, field: u64) -> impl Iterator<Item = Read<Self>> {
        self.all(field).map(|field| field.bytes().and_then(Self::read))
    }

    /// All numbers of a repeated field, packed or not.
    pub(super) fn numbers(&self, field: u64) -> Read<Vec<u64>> {
        let mut numbers = Vec::new();
        for field in self.all(field) {
            match field {
                Field::Number(number) => numbers.push(number),
                field => {
                    let mut reader = Reader::new(field.bytes()?);
                    while !reader.is_empty() {
                        numbers.push(reader.number()?);
                    }
                }
            }
        }
        Ok(numbers)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = Field<'a>> {
        self.0.iter().filter(move |(number, _)| *number == field).map(|(_, field)| *field)
    }
}

impl<'a> Field<'a> {
    fn bytes(self) -> Read<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(RecordError::Malformed("field is not of its type")),
        }
    }
}

/// The value behind a tag whose lowest three bits are `wire_type`.
fn field<'a>(wire_type: u64, reader: &mut Reader<'a>) -> Read<Field<'a>> {
    match wire_type {
        0 => reader.number().map(Field::Number),
        1 => reader.array().map(u64::from_le_bytes).map(Field::Fixed64),
        2 => reader.length().and_then(|length| reader.raw(length)).map(Field::Bytes),
        5 => reader.array().map(u32::from_le_bytes).map(Field::Fixed32),
        _ => Err(RecordError::Malformed("wire type")),
    }
}
