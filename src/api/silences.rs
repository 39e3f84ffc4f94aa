//! `/api/v2/silences` and `/api/v2/silence/{id}`: silences made, listed and shown.

use std::cmp::Reverse;
use std::sync::Arc;

use watchbell_engine::matcher::parse::Syntax;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::silence::edit::{Draft, RawMatcher, SilenceError, matcher_set};
use watchbell_engine::silence::{Silence, SilenceId, SilenceState};
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::View;

use super::error::Refusal;
use super::params::Query;
use super::pieces::{List, Walk};
use super::wire::posted::{PostedMatcher, PostedSilence};
use super::wire::shown::{Object, ShownMatcher, ShownSilence, SilenceStatus, Text};
use super::wire::time::ZonedTime;
use crate::driver::Refused;

/// How long the texts of a silence may be altogether, in bytes. A silence is kept and passed on as one record, which must
/// stay small; no person writes more than some kilobytes.
const MAX_TEXT_BYTES: usize = 512 << 10;

/// How many silences one step of a walk writes.
const SILENCES_A_STEP: usize = 16;

/// What a complete posted silence asks for.
pub(super) fn draft(posted: PostedSilence, syntax: Syntax, now: Timestamp) -> Result<Draft, Refusal> {
    posted.check()?;
    let (starts_at, ends_at) = (posted.starts_at.unwrap_or_default(), posted.ends_at.unwrap_or_default());
    if starts_at.at >= ends_at.at {
        return Err(Refusal::bad_request("Failed to create silence: start time must be before end time"));
    }
    if ends_at.at < now {
        return Err(Refusal::bad_request("Failed to create silence: end time can't be in the past"));
    }
    if posted.text_bytes() > MAX_TEXT_BYTES {
        let too_large = SilenceError::TooLarge { size: posted.text_bytes(), limit: MAX_TEXT_BYTES };
        return Err(Refused::from(too_large).into());
    }
    let raw: Vec<RawMatcher> = posted.matchers.into_iter().flatten().flatten().map(raw_matcher).collect();
    let matchers = matcher_set(&raw, syntax).map_err(Refused::from)?;
    Ok(Draft {
        id: known_id(posted.id.as_deref().unwrap_or_default())?,
        matcher_sets: vec![matchers],
        starts_at: starts_at.unless_zero().map(|time| time.at),
        ends_at: ends_at.at,
        created_by: posted.created_by.unwrap_or_default().into(),
        comment: posted.comment.unwrap_or_default().into(),
        annotations: posted.annotations.unwrap_or_default(),
    })
}

/// An id that is no UUID is not wrong here, but there is no silence that has it.
fn known_id(id: &str) -> Result<Option<SilenceId>, Refusal> {
    if id.is_empty() {
        return Ok(None);
    }
    SilenceId::parse(id).map(Some).ok_or_else(|| Refused::from(SilenceError::NotFound).into())
}

fn raw_matcher(posted: PostedMatcher) -> RawMatcher {
    let op = match (posted.is_equal.unwrap_or(true), posted.is_regex.unwrap_or(false)) {
        (true, false) => MatchOp::Equal,
        (false, false) => MatchOp::NotEqual,
        (true, true) => MatchOp::Regex,
        (false, true) => MatchOp::NotRegex,
    };
    RawMatcher { name: posted.name.unwrap_or_default(), op, value: posted.value.unwrap_or_default() }
}

/// Goes through the silences asked for: the active ones by their end, the pending ones by their start, then the expired
/// ones, the last ended first.
pub(super) struct SilenceWalk {
    silences: std::vec::IntoIter<Arc<Silence>>,
    now: Timestamp,
}

impl SilenceWalk {
    pub(super) fn new(view: &View, filter: &SilenceFilter, now: Timestamp) -> Self {
        let all = view.shown_silences(now).map(|silence| (state(silence, now), silence));
        let asked = |(state, silence): &(SilenceState, &Arc<Silence>)| filter.wants(*state, silence);
        let mut silences: Vec<(SilenceState, &Arc<Silence>)> = all.filter(asked).collect();
        silences.sort_by_key(|(state, silence)| match state {
            SilenceState::Active => (*state, Reverse(Timestamp::EPOCH), silence.ends_at),
            SilenceState::Pending => (*state, Reverse(Timestamp::EPOCH), silence.starts_at),
            SilenceState::Expired => (*state, Reverse(silence.ends_at), Timestamp::EPOCH),
        });
        let silences: Vec<_> = silences.into_iter().map(|(_, silence)| Arc::clone(silence)).collect();
        Self { silences: silences.into_iter(), now }
    }
}

impl Walk for SilenceWalk {
    fn go_on(&mut self, to: &mut List) -> bool {
        self.silences.by_ref().take(SILENCES_A_STEP).for_each(|silence| to.item(&shown(&silence, self.now)));
        self.silences.len() > 0
    }
}

/// Which silences are asked for. A matcher asks for silences that have this very one.
#[derive(Debug)]
pub(super) struct SilenceFilter {
    matchers: Vec<Matcher>,
    states: Vec<SilenceState>,
}

impl SilenceFilter {
    pub(super) fn new(query: &Query, syntax: Syntax) -> Result<Self, Refusal> {
        let states = [SilenceState::Active, SilenceState::Pending, SilenceState::Expired];
        let states = states.into_iter().filter(|state| query.is_on(state.as_str())).collect();
        Ok(Self { matchers: query.filters(syntax)?, states })
    }

    fn wants(&self, state: SilenceState, silence: &Silence) -> bool {
        self.states.contains(&state) && self.matchers.iter().all(|asked| matchers(silence).contains(asked))
    }
}

/// Where a silence stands as clients are told: the end is outside.
pub(super) fn state(silence: &Silence, now: Timestamp) -> SilenceState {
    if silence.ends_at == now { SilenceState::Expired } else { silence.state(now) }
}

/// The matchers that the API can show. More than one set comes from imports only; the API has no place for them.
fn matchers(silence: &Silence) -> &[Matcher] {
    silence.matcher_sets.first().map_or(&[], Vec::as_slice)
}

/// A silence as clients see it.
pub(super) fn shown(silence: &Silence, now: Timestamp) -> ShownSilence<'_> {
    ShownSilence {
        id: Text(silence.id),
        status: SilenceStatus { state: state(silence, now).as_str() },
        updated_at: ZonedTime::utc(silence.updated_at),
        annotations: Object(&silence.annotations),
        comment: &silence.comment,
        created_by: &silence.created_by,
        ends_at: ZonedTime::utc(silence.ends_at),
        matchers: matchers(silence).iter().map(shown_matcher).collect(),
        starts_at: ZonedTime::utc(silence.starts_at),
    }
}

fn shown_matcher(matcher: &Matcher) -> ShownMatcher<'_> {
    ShownMatcher {
        is_equal: matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex),
        is_regex: matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex),
        name: matcher.name(),
        value: matcher.value(),
    }
}
