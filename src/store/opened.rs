//! What a data directory gave when it was opened: records, read one by one from their bytes.

use std::sync::Arc;

use watchbell_engine::resume::Saved;
use watchbell_engine::version::NodeId;

use super::change::RecordKey;
use super::directory::Identity;
use super::import::Imported;
use crate::record::frame::Kind;
use crate::record::{Framed, RecordError, decode};

/// What was found when the store was opened.
#[derive(Debug)]
pub struct Opened {
    /// This node, for as long as the directory lives.
    pub node: NodeId,
    /// How often the directory was opened, this time included; never the same twice.
    pub generation: u64,
    /// What the engine goes on with.
    pub saved: Saved,
    /// Records that could not be read. Their bytes are left where they are.
    pub damaged: Vec<Damaged>,
    /// What was taken over from Alertmanager, if this was the first start in its directory.
    pub imported: Option<Imported>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where it lies.
    pub place: String,
    /// What is wrong with it.
    pub error: RecordError,
}

impl Opened {
    pub(super) fn new(identity: Identity, imported: Option<Imported>) -> Self {
        let Identity { node, generation } = identity;
        Self { node, generation, saved: Saved::default(), damaged: Vec::new(), imported }
    }

    pub(super) fn add(&mut self, key: RecordKey, bytes: &[u8]) {
        let saved = &mut self.saved;
        let outcome = match key.kind {
            Kind::Alert => push(&mut saved.alerts, bytes, Arc::new),
            Kind::Claim | Kind::Sighting | Kind::Seen | Kind::Raised => {
                Err(RecordError::Malformed("news of a moment are never stored"))
            }
            Kind::Group => push(&mut saved.groups, bytes, |group| group),
            Kind::Intent => push(&mut saved.intents, bytes, Arc::new),
            Kind::Nflog => push(&mut saved.nflog, bytes, Arc::new),
            Kind::Peer => push(&mut saved.peers, bytes, |peer| peer),
            Kind::Silence => push(&mut saved.silences, bytes, Arc::new),
        };
        self.damaged.extend(outcome.err().map(|error| Damaged { place: key.to_string(), error }));
    }
}

fn push<R: Framed, T>(list: &mut Vec<T>, bytes: &[u8], wrap: impl Fn(R) -> T) -> Result<(), RecordError> {
    list.push(wrap(decode(bytes)?));
    Ok(())
}
