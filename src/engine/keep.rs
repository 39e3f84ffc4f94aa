//! Records that outlive a moment, silences and the notification log: made here, kept, forgotten.

use std::sync::Arc;

use crate::digest::{trace_nflog, trace_silence};
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
        let previous = draft.id.and_then(|id| self.view.silence(id, now));
        // Counted only where it matters: there may be many.
        let limited = self.options.silences.count > 0;
        let count = if limited { self.view.shown_silences(now).count() } else { 0 };
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
        let silence = self.view.silence(id, now).ok_or(SilenceError::NotFound)?;
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

    pub(crate) fn keep_silence(&mut self, now: Timestamp, silence: Arc<Silence>, effects: &mut Effects) {
        if silence.state(now) != SilenceState::Expired {
            self.timers.set(Timer::SilenceEnds(silence.id), silence.ends_at);
        }
        self.timers.set(Timer::SilenceForgotten(silence.id), silence.forget_at);
        let old = self.view.silences.get(silence.id).map(|old| trace_silence(old));
        self.ledger.replace(old, Some(trace_silence(&silence)));
        Arc::make_mut(&mut self.view.silences).insert(Arc::clone(&silence), now);
        effects.persist.push(Change::PutSilence(silence));
    }

    /// The end itself still hushes; the index lets go of the silence a moment later.
    pub(crate) fn silence_ends(&mut self, now: Timestamp, id: SilenceId) {
        let Some(silence) = self.view.silences.get(id) else { return };
        if silence.state(now) == SilenceState::Expired {
            Arc::make_mut(&mut self.view.silences).close(id);
        } else {
            self.timers.set(Timer::SilenceEnds(id), silence.ends_at.next());
        }
    }

    pub(crate) fn forget_silence(&mut self, id: SilenceId, effects: &mut Effects) {
        self.timers.cancel(&Timer::SilenceEnds(id));
        let old = Arc::make_mut(&mut self.view.silences).remove(id);
        self.ledger.replace(old.map(|old| trace_silence(&old)), None);
        effects.persist.push(Change::DeleteSilence(id));
    }

    pub(crate) fn keep_nflog(&mut self, entry: Arc<NflogEntry>, effects: &mut Effects) {
        self.note_told(&entry.key, entry.version.stamp);
        self.timers.set(Timer::NflogForgotten(entry.key.clone()), entry.expires_at);
        let old = self.nflog.insert(entry.key.clone(), Arc::clone(&entry));
        self.ledger.replace(old.map(|old| trace_nflog(&old)), Some(trace_nflog(&entry)));
        effects.persist.push(Change::PutNflog(entry));
    }

    pub(crate) fn forget_nflog(&mut self, key: &NflogKey, effects: &mut Effects) {
        self.watch.failing.remove(key);
        let old = self.nflog.remove(key);
        self.ledger.replace(old.map(|old| trace_nflog(&old)), None);
        effects.persist.push(Change::DeleteNflog(key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::Options;
    use crate::effect::{Answer, Input};
    use crate::label::Labels;
    use crate::matcher::{MatchOp, Matcher};
    use crate::policy::{GroupBy, Policy, Receiver, Route, Vigil};
    use crate::silence::edit::SilenceLimits;
    use crate::version::{NodeId, Version};

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn engine() -> Engine {
        let route = Route {
            id: "{}".into(),
            key: "{}".into(),
            matchers: vec![],
            receiver: "r".into(),
            group_by: GroupBy::Names(vec![]),
            group_wait: Duration::ZERO,
            group_interval: HOUR,
            repeat_interval: HOUR,
            mute_time_intervals: vec![],
            active_time_intervals: vec![],
            continues: false,
            children: vec![],
            labels: Labels::default(),
        };
        let receiver = Receiver { name: "r".into(), labels: Labels::default(), integrations: vec![] };
        let policy = Policy {
            routes: vec![route],
            inhibit_rules: vec![],
            time_intervals: BTreeMap::new(),
            receivers: vec![receiver],
            resolve_timeout: HOUR,
            vigil: Vigil::default(),
        };
        let options = Options {
            node: NodeId(1),
            silences: SilenceLimits { retention: HOUR, ..SilenceLimits::default() },
            alert_gc_interval: HOUR,
            per_alertname_limit: 0,
            peer_timeout: HOUR,
            start_delay: Duration::ZERO,
            settle_timeout: Duration::ZERO,
        };
        Engine::new(at(0), options, Arc::new(policy))
    }

    fn draft(ends_at: i64) -> Draft {
        Draft {
            id: None,
            matcher_sets: vec![vec![Matcher::new("a", MatchOp::Equal, "1").unwrap()]],
            starts_at: None,
            ends_at: at(ends_at),
            created_by: "me".into(),
            comment: "why".into(),
            annotations: Labels::default(),
        }
    }

    #[test]
    fn a_silence_cut_short_is_remembered_for_longer_than_it_is_shown() {
        let (mut engine, id) = (engine(), SilenceId(7));
        engine.handle(at(0), Input::SetSilence { draft: draft(100_000), fresh: id });
        engine.handle(at(10), Input::ExpireSilence(id));
        let shown = |engine: &Engine, seconds| engine.view().silence(id, at(seconds)).is_some();
        assert_eq!((shown(&engine, 3609), shown(&engine, 3611)), (true, false));
        let unknown = engine.handle(at(3611), Input::ExpireSilence(id)).answer;
        assert_eq!(unknown, Some(Answer::SilenceExpired(Err(SilenceError::NotFound))));
        let stale = Arc::new(Silence { ends_at: at(100_000), version: Version::default(), ..stored(&engine, id) });
        engine.handle(at(3612), Input::News(vec![Record::Silence(stale)]));
        assert!(!shown(&engine, 3612), "an old copy came back");
        assert_eq!(engine.advance(at(103_600)).persist, [Change::DeleteSilence(id)]);
    }

    fn stored(engine: &Engine, id: SilenceId) -> Silence {
        Silence::clone(engine.view().silences().get(id).unwrap())
    }
}
