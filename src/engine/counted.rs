//! A value that counts how often it was laid hands on, so that what was made from it can be told to be still true. It must
//! not know what the value is.

use std::ops::{Deref, DerefMut};

/// A value and how often it was changed, or could have been. There is no way to change it that is not counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted<T> {
    value: T,
    changes: u64,
}

impl<T> Counted<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, changes: 0 }
    }

    /// How often the value was changed; never fewer than before.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Counted<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changes += 1;
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_does_not_count_and_changing_does() {
        let mut list = Counted::new(vec![1]);
        assert_eq!((list.len(), list.changes()), (1, 0));
        list.push(2);
        *list = vec![];
        assert_eq!((list.len(), list.changes()), (0, 2));
        assert_eq!(list.clone().changes(), 2);
    }
}
