//! The keys and bytes that a change of the saved state comes down to. It knows nothing of the database.

use std::collections::BTreeMap;
use std::fmt;

use md5::{Digest, Md5};
use watchbell_engine::effect::Change;
use watchbell_engine::group::SavedGroup;
use watchbell_engine::label::Fingerprint;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::silence::SilenceId;

use crate::record::frame::Kind;
use crate::record::{RecordError, encode, group, nflog};

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

/// The key of the record that `change` is about, and the bytes to be written under it.
pub(super) fn to_write(change: &Change) -> Result<(RecordKey, Option<Vec<u8>>), RecordError> {
    Ok(match change {
        Change::PutSilence(silence) => (RecordKey::silence(silence.id), Some(encode(&**silence)?)),
        Change::DeleteSilence(id) => (RecordKey::silence(*id), None),
        Change::PutNflog(entry) => (RecordKey::nflog(&entry.key), Some(encode(&**entry)?)),
        Change::DeleteNflog(key) => (RecordKey::nflog(key), None),
        Change::PutIntent(intent) => (RecordKey::intent(&intent.key), Some(encode(&**intent)?)),
        Change::DeleteIntent(key) => (RecordKey::intent(key), None),
        Change::PutAlert(alert) => (RecordKey::alert(alert.fingerprint()), Some(encode(&**alert)?)),
        Change::DeleteAlert(fingerprint) => (RecordKey::alert(*fingerprint), None),
        Change::PutGroup(group) => (RecordKey::group(group), Some(encode(group)?)),
        Change::DeleteGroup(group) => (RecordKey::group(group), None),
        Change::PutPeer(peer) => (RecordKey::peer(&peer.name), Some(encode(peer)?)),
        Change::DeletePeer(name) => (RecordKey::peer(name), None),
    })
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

    fn intent(key: &NflogKey) -> Self {
        Self { kind: Kind::Intent, id: hashed(&nflog::key_bytes(key)) }
    }

    fn peer(name: &str) -> Self {
        Self { kind: Kind::Peer, id: hashed(name.as_bytes()) }
    }

    fn group(group: &SavedGroup) -> Self {
        Self { kind: Kind::Group, id: hashed(&group::key_bytes(group)) }
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
            Kind::Claim => write!(f, "claim {:032x}", self.id),
            Kind::Sighting => write!(f, "sighting {:032x}", self.id),
            Kind::Nflog => write!(f, "nflog entry {:032x}", self.id),
            Kind::Intent => write!(f, "intent {:032x}", self.id),
            Kind::Group => write!(f, "group {:032x}", self.id),
            Kind::Peer => write!(f, "peer {:032x}", self.id),
            Kind::Seen | Kind::Raised => write!(f, "news {:032x}", self.id),
        }
    }
}
