//! A change of the saved state, and the keys and bytes that it comes down to. It knows nothing of the database.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};
use watchbell_engine::alert::Alert;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::silence::{Silence, SilenceId};

use crate::record::frame::Kind;
use crate::record::group::SavedGroup;
use crate::record::{RecordError, encode, group, nflog};

/// One thing to be saved or forgotten.
#[derive(Clone, Debug)]
pub enum Change {
    /// A silence is new or differs.
    PutSilence(Arc<Silence>),
    /// A silence is gone.
    DeleteSilence(SilenceId),
    /// An integration was told something.
    PutNflog(Arc<NflogEntry>),
    /// What an integration was told is forgotten.
    DeleteNflog(NflogKey),
    /// An alert is new or differs.
    PutAlert(Arc<Alert>),
    /// An alert is gone.
    DeleteAlert(Fingerprint),
    /// A group's timer was set.
    PutGroup(SavedGroup),
    /// A group is gone.
    DeleteGroup {
        /// Its route.
        route_id: Arc<str>,
        /// Its labels.
        labels: Labels,
    },
}

/// What is to be written, by key, so that a later change replaces an earlier one. `None` deletes.
pub(super) type Writes = BTreeMap<RecordKey, Option<Vec<u8>>>;

/// Names a record on disk: always 17 bytes, however long the record's own key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    /// What it is.
    pub(super) kind: Kind,
    /// Which one: a silence's or an alert's own id, or the MD5 of a longer key (as a name, not as a protection).
    pub(super) id: u128,
}

impl Change {
    /// The key and the bytes to be written under it.
    pub(super) fn to_write(&self) -> Result<(RecordKey, Option<Vec<u8>>), RecordError> {
        Ok(match self {
            Self::PutSilence(silence) => (RecordKey::silence(silence.id), Some(encode(&**silence)?)),
            Self::DeleteSilence(id) => (RecordKey::silence(*id), None),
            Self::PutNflog(entry) => (RecordKey::nflog(&entry.key), Some(encode(&**entry)?)),
            Self::DeleteNflog(key) => (RecordKey::nflog(key), None),
            Self::PutAlert(alert) => (RecordKey::alert(alert.fingerprint()), Some(encode(&**alert)?)),
            Self::DeleteAlert(fingerprint) => (RecordKey::alert(*fingerprint), None),
            Self::PutGroup(group) => (RecordKey::group(&group.route_id, &group.labels), Some(encode(group)?)),
            Self::DeleteGroup { route_id, labels } => (RecordKey::group(route_id, labels), None),
        })
    }
}

impl RecordKey {
    fn silence(id: SilenceId) -> Self {
        Self { kind: Kind::Silence, id: id.0 }
    }

    fn alert(fingerprint: Fingerprint) -> Self {
        Self { kind: Kind::Alert, id: fingerprint.0.into() }
    }

    fn nflog(key: &NflogKey) -> Self {
        Self { kind: Kind::Nflog, id: hashed(&nflog::key_bytes(key)) }
    }

    fn group(route_id: &str, labels: &Labels) -> Self {
        Self { kind: Kind::Group, id: hashed(&group::key_bytes(route_id, labels)) }
    }
}

fn hashed(bytes: &[u8]) -> u128 {
    u128::from_be_bytes(Md5::digest(bytes).into())
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Silence => write!(f, "silence {}", SilenceId(self.id)),
            Kind::Alert => write!(f, "alert {:016x}", self.id),
            Kind::Nflog => write!(f, "nflog entry {:032x}", self.id),
            Kind::Group => write!(f, "group {:032x}", self.id),
        }
    }
}
