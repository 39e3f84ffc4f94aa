//! How the decoder walks lists, mappings, and values that want to know their place.

use std::rc::Rc;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::context::{Error, Path};
use super::decode::Decoder;
use super::document::{Entry, Node};

/// The items of a list, in turn.
pub(super) struct Items<'a> {
    list: Decoder<'a>,
    items: std::iter::Enumerate<slice::Iter<'a, Rc<Node>>>,
}

/// The entries of a mapping, in turn.
pub(super) struct Entries<'a> {
    mapping: Decoder<'a>,
    entries: std::vec::IntoIter<&'a Entry>,
    /// The entry whose key was handed out and whose value is still to come.
    current: Option<&'a Entry>,
}

/// A value's line, column and key, and then the value.
pub(super) struct AtAccess<'a> {
    decoder: Decoder<'a>,
    step: u8,
}

impl<'a> Items<'a> {
    pub(super) fn new(list: Decoder<'a>, items: &'a [Rc<Node>]) -> Self {
        Self { list, items: items.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let item = Decoder { node, path: &Path::Index(self.list.path, index), context: self.list.context };
        seed.deserialize(item).map(Some).map_err(|error| error.placed(|| item.place()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

impl<'a> Entries<'a> {
    pub(super) fn new(mapping: Decoder<'a>, entries: Vec<&'a Entry>) -> Self {
        Self { mapping, entries: entries.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.entries.next();
        let Some((node, _)) = self.current else { return Ok(None) };
        let key = Decoder { node, ..self.mapping };
        seed.deserialize(key.text_only()?).map(Some).map_err(|error| error.placed(|| key.place()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) = self.current.take().expect("serde asks for a value only after its key");
        let path = Path::Key(self.mapping.path, key.text().unwrap_or_default());
        let value = Decoder { node, path: &path, context: self.mapping.context };
        seed.deserialize(value).map_err(|error| error.placed(|| value.place()))
    }
}

impl<'a> AtAccess<'a> {
    pub(super) fn new(decoder: Decoder<'a>) -> Self {
        Self { decoder, step: 0 }
    }
}

impl<'de> SeqAccess<'de> for AtAccess<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.step += 1;
        let position = self.decoder.node.position;
        match self.step {
            1 => seed.deserialize(position.line.into_deserializer()).map(Some),
            2 => seed.deserialize(position.column.into_deserializer()).map(Some),
            3 => seed.deserialize(self.decoder.path.to_string().into_deserializer()).map(Some),
            4 => seed.deserialize(self.decoder).map(Some),
            _ => Ok(None),
        }
    }
}

impl<'a> Decoder<'a> {
    /// A key: a scalar, taken by its text.
    fn text_only(self) -> Result<StrDeserializer<'a, Error>, Error> {
        let text = self
            .node
            .text()
            .ok_or_else(|| Error::Message("a key must be a text".to_owned()).placed(|| self.place()))?;
        Ok(text.into_deserializer())
    }
}
