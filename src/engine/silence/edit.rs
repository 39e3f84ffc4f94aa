//! How a silence is made, changed and ended: Alertmanager's rules. It decides; it stores nothing.

use std::sync::Arc;
use std::time::Duration;

use super::{Silence, SilenceId, SilenceState};
use crate::label::Labels;
use crate::matcher::parse::{Syntax, is_valid_label_name};
use crate::matcher::{MatchOp, Matcher};
use crate::time::Timestamp;
use crate::version::{NodeId, Version};

/// A silence as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The silence to change; `None` makes a new one.
    pub id: Option<SilenceId>,
    /// As [`Silence::matcher_sets`]; made by [`matcher_set`].
    pub matcher_sets: Vec<Vec<Matcher>>,
    /// `None` means at once.
    pub starts_at: Option<Timestamp>,
    /// When it shall end.
    pub ends_at: Timestamp,
    /// Who asks.
    pub created_by: Arc<str>,
    /// Why.
    pub comment: Arc<str>,
    /// Anything else to keep with it.
    pub annotations: Labels,
}

/// Why a silence was refused, in Alertmanager's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is no silence with this id.
    #[error("silence not found")]
    NotFound,
    /// It makes no sense.
    #[error("invalid silence: {0}")]
    Invalid(String),
    /// `--silences.max-silences` is reached.
    #[error("exceeded maximum number of silences: {count} (limit: {limit})")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// `--silences.max-silence-size-bytes` is exceeded.
    #[error("silence exceeded maximum size: {size} bytes (limit: {limit} bytes)")]
    TooLarge {
        /// Its size as Alertmanager counts it.
        size: usize,
        /// The largest size allowed.
        limit: usize,
    },
}

/// What limits silences; zero means no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilenceLimits {
    /// How many may be kept, expired ones included.
    pub count: usize,
    /// How large one may be, in bytes of Alertmanager's record.
    pub size: usize,
    /// How long an ended silence is kept.
    pub retention: Duration,
}

/// Who edits when, and what the edit may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    pub(crate) now: Timestamp,
    pub(crate) node: NodeId,
    pub(crate) limits: SilenceLimits,
}

/// One matcher of a silence as clients send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMatcher {
    /// The label's name.
    pub name: String,
    /// How to compare.
    pub op: MatchOp,
    /// With what.
    pub value: String,
}

/// Checks and compiles the only matcher set of a silence.
pub fn matcher_set(raw: &[RawMatcher], syntax: Syntax) -> Result<Vec<Matcher>, SilenceError> {
    if raw.is_empty() {
        return Err(SilenceError::Invalid("matcher set 0 is empty".into()));
    }
    let set: Vec<Matcher> = raw.iter().enumerate().map(|(i, m)| matcher(i, m, syntax)).collect::<Result<_, _>>()?;
    if set.iter().all(matches_empty) {
        let text = "matcher set 0: at least one matcher must not match the empty string";
        return Err(SilenceError::Invalid(text.into()));
    }
    Ok(set)
}

fn matcher(index: usize, raw: &RawMatcher, syntax: Syntax) -> Result<Matcher, SilenceError> {
    let refuse = |why: String| SilenceError::Invalid(format!("invalid label matcher {index} in set 0: {why}"));
    if !is_valid_label_name(syntax, &raw.name) {
        return Err(refuse(format!("invalid label name {:?}", raw.name)));
    }
    Matcher::new(raw.name.as_str(), raw.op, raw.value.as_str())
        .map_err(|why| refuse(format!("invalid regular expression {:?}: {why}", raw.value)))
}

/// The negative operators never count as matching the empty string, so that `foo!="x"` alone is a silence.
fn matches_empty(matcher: &Matcher) -> bool {
    matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex) && matcher.matches_value("")
}

impl Edit {
    /// What to store for `draft`: the silence it asks for, after the ended predecessor if it replaces one.
    /// `previous` is the silence it names, `count` how many there are, `fresh` the id of a new one.
    pub(crate) fn set(
        &self,
        draft: Draft,
        previous: Option<&Silence>,
        count: usize,
        fresh: SilenceId,
    ) -> Result<Vec<Silence>, SilenceError> {
        let starts_at = draft.starts_at.unwrap_or(self.now);
        if draft.ends_at < starts_at {
            return Err(SilenceError::Invalid("end time must not be before start time".into()));
        }
        match (draft.id, previous) {
            (Some(_), None) => Err(SilenceError::NotFound),
            (Some(_), Some(previous)) if self.may_update(previous, &draft, starts_at) => {
                Ok(vec![self.within_size(self.write(previous.id, draft, starts_at, Some(previous)))?])
            }
            _ => self.create(draft, starts_at.max(self.now), previous, count, fresh),
        }
    }

    /// The silence as it is after somebody ended it; `None` if it was over already.
    pub(crate) fn expire(&self, silence: &Silence) -> Option<Silence> {
        let mut ended = silence.clone();
        match silence.state(self.now) {
            SilenceState::Expired => return None,
            SilenceState::Active => ended.ends_at = self.now,
            SilenceState::Pending => (ended.starts_at, ended.ends_at) = (self.now, self.now),
        }
        ended.updated_at = self.now;
        ended.version = Version::after(Some(silence.version), self.now, self.node);
        Some(ended)
    }

    fn create(
        &self,
        draft: Draft,
        starts_at: Timestamp,
        previous: Option<&Silence>,
        count: usize,
        fresh: SilenceId,
    ) -> Result<Vec<Silence>, SilenceError> {
        let limit = self.limits.count;
        if limit > 0 && count + 1 > limit {
            return Err(SilenceError::TooMany { count, limit });
        }
        let created = self.within_size(self.write(fresh, draft, starts_at, None))?;
        let ended = previous.and_then(|silence| self.expire(silence));
        Ok(ended.into_iter().chain([created]).collect())
    }

    /// An edit in place: the same matchers in the same order, and no rewriting of what has happened already.
    fn may_update(&self, previous: &Silence, draft: &Draft, starts_at: Timestamp) -> bool {
        previous.matcher_sets == draft.matcher_sets
            && match previous.state(self.now) {
                SilenceState::Active => {
                    starts_at.as_secs() == previous.starts_at.as_secs() && draft.ends_at >= self.now
                }
                SilenceState::Pending => starts_at >= self.now,
                SilenceState::Expired => false,
            }
    }

    fn write(&self, id: SilenceId, draft: Draft, starts_at: Timestamp, previous: Option<&Silence>) -> Silence {
        let forget_at = draft.ends_at + self.limits.retention;
        Silence {
            id,
            matcher_sets: draft.matcher_sets,
            starts_at,
            ends_at: draft.ends_at,
            updated_at: self.now,
            forget_at: previous.map_or(forget_at, |p| p.forget_at.max(forget_at)),
            created_by: draft.created_by,
            comment: draft.comment,
            annotations: draft.annotations,
            version: Version::after(previous.map(|p| p.version), self.now, self.node),
        }
    }

    fn within_size(&self, silence: Silence) -> Result<Silence, SilenceError> {
        let (size, limit) = (wire_size(&silence), self.limits.size);
        if limit > 0 && size > limit { Err(SilenceError::TooLarge { size, limit }) } else { Ok(silence) }
    }
}

/// The size of the silence in Alertmanager's own record (protobuf `MeshSilence`), by which it is limited.
fn wire_size(silence: &Silence) -> usize {
    let sets: Vec<usize> = silence.matcher_sets.iter().map(|set| set.iter().map(matcher_size).sum()).collect();
    let annotations = silence.annotations.iter().map(|(name, value)| field(text(name) + text(value)));
    let times = [silence.starts_at, silence.ends_at, silence.updated_at].into_iter().map(|t| field(time_size(t)));
    let body = text(&silence.id.to_string())
        + sets.first().copied().unwrap_or(0)
        + times.sum::<usize>()
        + text(&silence.created_by)
        + text(&silence.comment)
        + annotations.sum::<usize>()
        + sets.iter().map(|size| field(*size)).sum::<usize>();
    field(body) + field(time_size(silence.forget_at))
}

fn matcher_size(matcher: &Matcher) -> usize {
    let kind = if matcher.op() == MatchOp::Equal { 0 } else { 2 };
    field(kind + text(matcher.name()) + text(matcher.value()))
}

/// A length-delimited field with a number below 16.
fn field(len: usize) -> usize {
    1 + varint(len as u64) + len
}

/// A text field, left out if empty.
fn text(value: &str) -> usize {
    if value.is_empty() { 0 } else { field(value.len()) }
}

fn time_size(at: Timestamp) -> usize {
    let number = |value: u64| if value == 0 { 0 } else { 1 + varint(value) };
    let nanos = at.as_micros().rem_euclid(1_000_000) * 1000;
    number(at.as_secs().cast_unsigned()) + number(nanos.cast_unsigned())
}

fn varint(value: u64) -> usize {
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests;
