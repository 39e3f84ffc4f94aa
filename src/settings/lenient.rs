//! What serde needs to be told about nearly every key: null means empty, and what is empty is not shown.

use serde::{Deserialize, Deserializer};

/// Reads a value; null gives the empty one, as Alertmanager's YAML reader does.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(source: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(source)?.unwrap_or_default())
}

/// Whether `value` is what a key that was never given holds: such a key is left out when settings are shown.
pub(super) fn empty<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
