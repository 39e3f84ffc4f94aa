//! Records that outlive a moment: silences and the notification log. Made here, merged from other nodes, forgotten.

use std::sync::Arc;

use crate::effect::{Change, Effects, Note};
use crate::engine::Engine;
use crate::nflog::{NflogEntry, NflogKey};
use crate::replica::Record;
use crate::silence::edit::{Draft, SilenceError};
use crate::silence::{Silence, SilenceId, SilenceState};
use crate::time::Timestamp;
use crate::timer::Timer;

impl Engine {
    pub(crate) fn set_silence(
        &mut self,
        now: Timestamp,
        draft: Draft,
        fresh: SilenceId,
        effects: &mut Effects,
    ) -> Result<SilenceId, SilenceError> {
        let previous = draft.id.and_then(|id| self.view.silences.get(id));
        let count = self.view.silences.len();
        let edited = self.edit(now).set(draft, previous.map(Arc::as_ref), count, fresh)?;
        let mut id = fresh;
        for silence in edited.into_iter().map(Arc::new) {
            id = silence.id;
            effects.notes.push(self.note_on(now, &silence));
            self.publish_silence(now, silence, effects);
        }
        Ok(id)
    }

    pub(crate) fn expire_silence(
        &mut self,
        now: Timestamp,
        id: SilenceId,
        effects: &mut Effects,
    ) -> Result<(), SilenceError> {
        let silence = self.view.silences.get(id).ok_or(SilenceError::NotFound)?;
        if let Some(ended) = self.edit(now).expire(silence).map(Arc::new) {
            effects.notes.push(Note::SilenceExpired(Arc::clone(&ended)));
            self.publish_silence(now, ended, effects);
        }
        Ok(())
    }

    fn note_on(&self, now: Timestamp, silence: &Arc<Silence>) -> Note {
        match self.view.silences.get(silence.id) {
            None => Note::SilenceCreated(Arc::clone(silence)),
            Some(_) if silence.ends_at <= now => Note::SilenceExpired(Arc::clone(silence)),
            Some(_) => Note::SilenceUpdated(Arc::clone(silence)),
        }
    }

    fn publish_silence(&mut self, now: Timestamp, silence: Arc<Silence>, effects: &mut Effects) {
        self.keep_silence(now, Arc::clone(&silence), effects);
        effects.publish.push(Record::Silence(silence));
    }

    /// Takes another node's record if it is newer than ours and not yet to be forgotten.
    pub(crate) fn merge(&mut self, now: Timestamp, record: Record, effects: &mut Effects) {
        match record {
            Record::Silence(silence) => {
                let known = self.view.silences.get(silence.id).map(|known| known.version);
                if silence.forget_at > now && known.is_none_or(|known| known < silence.version) {
                    self.keep_silence(now, silence, effects);
                }
            }
            Record::Nflog(entry) => {
                let known = self.nflog.get(&entry.key).map(|known| known.version);
                if entry.expires_at > now && known.is_none_or(|known| known < entry.version) {
                    self.turns.settle(&entry.key);
                    let key = entry.key.clone();
                    self.keep_nflog(entry, effects);
                    self.reconsider(now, &key, effects);
                }
            }
            Record::Claim(claim) => {
                let key = claim.key.clone();
                self.turns.claim(claim, now);
                self.reconsider(now, &key, effects);
            }
        }
    }

    pub(crate) fn keep_silence(&mut self, now: Timestamp, silence: Arc<Silence>, effects: &mut Effects) {
        if silence.state(now) != SilenceState::Expired {
            self.timers.set(Timer::SilenceEnds(silence.id), silence.ends_at);
        }
        self.timers.set(Timer::SilenceForgotten(silence.id), silence.forget_at);
        Arc::make_mut(&mut self.view.silences).insert(Arc::clone(&silence), now);
        effects.persist.push(Change::PutSilence(silence));
    }

    /// The end itself still hushes; the index lets go of the silence a moment later.
    pub(crate) fn silence_ends(&mut self, now: Timestamp, id: SilenceId) {
        let Some(silence) = self.view.silences.get(id) else { return };
        if silence.state(now) == SilenceState::Expired {
            Arc::make_mut(&mut self.view.silences).close(id);
        } else {
            let moment_later = Timestamp::from_micros(silence.ends_at.as_micros() + 1);
            self.timers.set(Timer::SilenceEnds(id), moment_later);
        }
    }

    pub(crate) fn forget_silence(&mut self, id: SilenceId, effects: &mut Effects) {
        self.timers.cancel(&Timer::SilenceEnds(id));
        Arc::make_mut(&mut self.view.silences).remove(id);
        effects.persist.push(Change::DeleteSilence(id));
    }

    pub(crate) fn keep_nflog(&mut self, entry: Arc<NflogEntry>, effects: &mut Effects) {
        self.timers.set(Timer::NflogForgotten(entry.key.clone()), entry.expires_at);
        self.nflog.insert(entry.key.clone(), Arc::clone(&entry));
        effects.persist.push(Change::PutNflog(entry));
    }

    pub(crate) fn forget_nflog(&mut self, key: &NflogKey, effects: &mut Effects) {
        self.nflog.remove(key);
        effects.persist.push(Change::DeleteNflog(key.clone()));
    }
}
