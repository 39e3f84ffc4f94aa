//! A value together with the place where it stands, for checks that come after reading.

use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::config::error::{Place, Position};

/// The name under which [`At`] asks the deserializer for the place; no type has it.
pub(super) const MARKER: &str = "$watchbell::config::At";

/// A value and its place. It is read by this module's deserializer only, and printed as the value alone.
#[derive(Clone, Debug)]
pub(in crate::config) struct At<T> {
    /// What was read.
    pub(in crate::config) value: T,
    /// Where it stands.
    pub(in crate::config) place: Place,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MARKER, AtVisitor(PhantomData))
    }
}

/// Takes line, column, key and value, in this order.
struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
        fn part<'de, A: SeqAccess<'de>, P: Deserialize<'de>>(seq: &mut A) -> Result<P, A::Error> {
            seq.next_element()?.ok_or_else(|| A::Error::custom("a value without its place"))
        }
        let position = Some(Position { line: part(&mut seq)?, column: part(&mut seq)? });
        let place = Place { position, key: part(&mut seq)? };
        Ok(At { value: part(&mut seq)?, place })
    }
}
