//! Alerts and silences as a fuzzer sends them: sensible often enough to be taken, and else anything.

use proptest::collection::vec;
use proptest::prelude::*;

use super::START;
use crate::alert::posted::Posted;
use crate::label::Labels;
use crate::matcher::MatchOp;
use crate::silence::edit::RawMatcher;
use crate::time::{Timestamp, UtcOffset};

/// A silence as somebody asks for it.
#[derive(Clone, Debug)]
pub(super) struct SilenceBody {
    pub(super) matchers: Vec<RawMatcher>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Timestamp,
    /// Which of the known silences it changes.
    pub(super) edits: Option<usize>,
}

pub(super) fn alert() -> impl Strategy<Value = Posted> {
    let time = || prop::option::of((time(), any::<i16>().prop_map(UtcOffset)));
    let body = (labels(), labels(), time(), time(), ".{0,8}");
    body.prop_map(|(labels, annotations, starts_at, ends_at, url)| Posted {
        labels,
        annotations,
        starts_at,
        ends_at,
        generator_url: url.into(),
    })
}

pub(super) fn silence() -> impl Strategy<Value = SilenceBody> {
    let edits = prop_oneof![Just(None), (0_usize..4).prop_map(Some)];
    let body = (vec(matcher(), 0..4), prop::option::of(time()), time(), edits);
    body.prop_map(|(matchers, starts_at, ends_at, edits)| SilenceBody { matchers, starts_at, ends_at, edits })
}

fn matcher() -> impl Strategy<Value = RawMatcher> {
    let op = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
    let value = prop_oneof![4 => value(), 1 => prop::sample::select(vec![".*", "1|2", "(", "[^1]+", "\\d"]).prop_map(str::to_owned)];
    (name(), op, value).prop_map(|(name, op, value)| RawMatcher { name, op, value })
}

fn labels() -> impl Strategy<Value = Labels> {
    vec((name(), value()), 0..5).prop_map(|pairs| pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect())
}

fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec!["alertname", "host", "a", "b"]).prop_map(str::to_owned);
    let odd = prop::sample::select(vec!["", "0", "a-b", "ü", "__name__", "a\n"]).prop_map(str::to_owned);
    prop_oneof![12 => known, 1 => odd, 1 => ".{0,4}"]
}

fn value() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec!["1", "2", ""]).prop_map(str::to_owned);
    prop_oneof![12 => known, 1 => ".{0,4}"]
}

/// Near the history's beginning, at the ends of time, or anywhere.
fn time() -> impl Strategy<Value = Timestamp> {
    let near = (-3600_i64..20_000).prop_map(|seconds| Timestamp::from_secs(START.as_secs() + seconds));
    let ends = vec![Timestamp::GO_ZERO, Timestamp::EPOCH, Timestamp::MAX, Timestamp::from_micros(i64::MIN)];
    prop_oneof![8 => near, 1 => prop::sample::select(ends), 1 => any::<i64>().prop_map(Timestamp::from_micros)]
}
