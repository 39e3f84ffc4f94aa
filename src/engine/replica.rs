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
        if entry.expires_at <= now || !self.is_believed(now, entry.version, effects) {
            return;
        }
        let key = entry.key.clone();
        let known = self.nflog.get(&key).cloned();
        let held = known.as_ref().map_or_else(|| Arc::clone(&entry), |known| unite(known, &entry));
        if known.as_ref() == Some(&held) {
            return;
        }
        if known.as_ref().is_none_or(|known| known.version < entry.version) {
            let told = Told { firing: entry.firing.clone(), resolved: entry.resolved.clone() };
            self.turns.settle(&key, entry.version.node, &told, now);
            self.strike_out(now, &key, &told, effects);
        }
        let unsure = known.map(|known| contradicted(&known, &entry, &held)).unwrap_or_default();
        // Who never hears of an end has heard nothing that contradicts.
        if !unsure.is_empty() && self.view.policy.hears_ends(&key) {
            self.intend(now, &key, &unsure, effects);
        }
        self.keep_nflog(held, effects);
        self.attempt(now, &key, effects);
    }

    fn merge_claim(&mut self, now: Timestamp, claim: Claim, effects: &mut Effects) {
        if claim.state == ClaimState::Announced && !claim.alerts.is_empty() {
            self.answer(now, &claim, effects);
        }
        let (key, claimed) = (claim.key.clone(), Version { stamp: claim.stamp, node: claim.node });
        let is_settled = self.nflog.get(&key).is_some_and(|entry| entry.follows(claimed));
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

/// What holds of what is known and what another node holds. Two states of one entry are not united.
fn unite(known: &Arc<NflogEntry>, other: &Arc<NflogEntry>) -> Arc<NflogEntry> {
    match (known.replaces(other), other.replaces(known)) {
        (true, false) => Arc::clone(known),
        (false, true) => Arc::clone(other),
        (false, false) => Arc::new(known.united(other)),
        (true, true) => {
            let newer = is_newer((other.version, trace_nflog(other)), Some((known.version, trace_nflog(known))));
            Arc::clone(if newer { other } else { known })
        }
    }
}

/// The alerts that one of two entries tells as resolved and the other, which did not know of that, as firing: nobody knows
/// what the integration heard last.
fn contradicted(one: &NflogEntry, other: &NflogEntry, both: &NflogEntry) -> Vec<u64> {
    let unknown = |this: &NflogEntry, that: &NflogEntry| -> Vec<u64> {
        this.ends().filter(|end| !that.follows(end.told)).map(|end| end.hash).collect()
    };
    let ended = [unknown(one, other), unknown(other, one)].concat();
    ended.into_iter().filter(|hash| both.tells_firing(*hash)).collect()
}

#[cfg(test)]
mod tests;
