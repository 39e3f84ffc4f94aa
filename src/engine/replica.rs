//! How nodes come to hold equal records: what they tell each other, which of two states of a record stays, and by which
//! digests they find what differs. How the records travel is not known here.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::decide::Told;
use crate::digest::{Digest, Horizon, Trace, trace_nflog, trace_silence};
use crate::effect::{Effects, Note};
use crate::engine::Engine;
use crate::expect::Seen;
use crate::nflog::NflogEntry;
use crate::peers::{Claim, ClaimState};
use crate::sighting::Sighting;
use crate::silence::Silence;
use crate::time::Timestamp;
use crate::version::Version;
use crate::vigil::Raised;

/// What nodes tell each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A silence, as it is now.
    Silence(Arc<Silence>),
    /// A log entry, as it is now.
    Nflog(Arc<NflogEntry>),
    /// What the sender does.
    Claim(Claim),
    /// What the sender knows of the alerts that another node asked about.
    Sighting(Sighting),
    /// An alert that is over and whose end the sender cannot tell, since it sees nothing of what fires elsewhere.
    Ended(Arc<Alert>),
    /// The sender has received an expected alert.
    Seen(Seen),
    /// An alert of its own that the sender has raised.
    Raised(Raised),
}

/// How far ahead of our clock a record may have been written. What is further ahead is refused: it would win against
/// everything that is written until then, and be remembered for as much longer.
const MAX_AHEAD: Duration = Duration::from_secs(3600);

impl Engine {
    /// What this node holds, in a form that is quickly compared: constant work, however much it holds.
    pub fn digest(&self, horizon: Horizon) -> Digest {
        self.ledger.digest(horizon)
    }

    /// The silences and log entries of these shards.
    pub fn records_of(&self, shards: &[u8]) -> Vec<Record> {
        let silences = self.view.silences.iter().filter(|silence| shards.contains(&trace_silence(silence).shard));
        let entries = self.nflog.values().filter(|entry| shards.contains(&trace_nflog(entry).shard));
        silences.cloned().map(Record::Silence).chain(entries.cloned().map(Record::Nflog)).collect()
    }

    /// Takes another node's record if it is newer than ours and not yet to be forgotten.
    pub(crate) fn merge(&mut self, now: Timestamp, record: Record, effects: &mut Effects) {
        match record {
            Record::Silence(silence) => self.merge_silence(now, silence, effects),
            Record::Nflog(entry) => self.merge_nflog(now, entry, effects),
            Record::Claim(claim) => self.merge_claim(now, claim, effects),
            Record::Sighting(sighting) => self.take_sighting(now, sighting, effects),
            Record::Ended(alert) => self.take_ended(now, alert, effects),
            Record::Seen(seen) => self.take_seen(now, seen, effects),
            Record::Raised(raised) => self.take_raised(now, raised, effects),
        }
    }

    fn merge_silence(&mut self, now: Timestamp, silence: Arc<Silence>, effects: &mut Effects) {
        let known = self.view.silences.get(silence.id);
        let known = known.map(|known| (known.version, trace_silence(known)));
        let newer = is_newer((silence.version, trace_silence(&silence)), known);
        if newer && silence.forget_at > now && self.is_believed(now, silence.version, effects) {
            self.keep_silence(now, silence, effects);
        }
    }

    fn merge_nflog(&mut self, now: Timestamp, entry: Arc<NflogEntry>, effects: &mut Effects) {
        let known = self.nflog.get(&entry.key).map(|known| (known.version, trace_nflog(known)));
        let newer = is_newer((entry.version, trace_nflog(&entry)), known);
        if newer && entry.expires_at > now && self.is_believed(now, entry.version, effects) {
            self.turns.settle(&entry.key);
            let key = entry.key.clone();
            let told = Told { firing: entry.firing.clone(), resolved: entry.resolved.clone() };
            self.strike_out(now, &key, &told, effects);
            let unmentioned = self.told_apart(&entry);
            self.intend(now, &key, &unmentioned, effects);
            self.keep_nflog(entry, effects);
            self.attempt(now, &key, effects);
        }
    }

    /// What the log says here to be firing, is known here, and is not mentioned by a newer entry: it was told in a
    /// partition, and the receiver may believe it still. What an older life wrote down was not.
    fn told_apart(&self, newer: &NflogEntry) -> Vec<u64> {
        let entry = self.nflog.get(&newer.key).filter(|entry| entry.version.stamp >= self.born_at);
        let Some(entry) = entry else { return Vec::new() };
        let mut unmentioned: Vec<u64> = entry.firing.iter().copied().filter(|hash| !newer.knows(*hash)).collect();
        if !unmentioned.is_empty() {
            let mine = self.hashes_of(&newer.key);
            unmentioned.retain(|hash| mine.contains(hash));
        }
        unmentioned
    }

    fn merge_claim(&mut self, now: Timestamp, claim: Claim, effects: &mut Effects) {
        if claim.state == ClaimState::Announced && !claim.alerts.is_empty() {
            self.answer(now, &claim, effects);
        }
        let (key, written) = (claim.key.clone(), self.nflog.get(&claim.key).map(|entry| entry.version));
        let is_settled = written.is_some_and(|told| told.node == claim.node && told.stamp >= claim.stamp);
        if !is_settled {
            self.turns.claim(claim, now);
            self.attempt(now, &key, effects);
        }
    }

    fn is_believed(&self, now: Timestamp, version: Version, effects: &mut Effects) -> bool {
        let believed = version.stamp <= now + MAX_AHEAD;
        if !believed {
            effects.notes.push(Note::ClockAhead(version));
        }
        believed
    }
}

/// The larger version wins. Two states of one version can only come from a node whose disk was set back; which of them
/// stays does not matter, as long as all nodes keep the same.
fn is_newer(record: (Version, Trace), known: Option<(Version, Trace)>) -> bool {
    known.is_none_or(|known| (record.0, record.1.hash) > (known.0, known.1.hash))
}

#[cfg(test)]
mod tests;
