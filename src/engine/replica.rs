//! How nodes come to hold equal records: versions, merging by the larger one.

use std::sync::Arc;

use crate::nflog::NflogEntry;
use crate::peers::Claim;
use crate::silence::Silence;

/// What nodes tell each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A silence, as it is now.
    Silence(Arc<Silence>),
    /// A log entry, as it is now.
    Nflog(Arc<NflogEntry>),
    /// What the sender does.
    Claim(Claim),
}
