//! The table of edits: what keeps an id, what makes a new silence, what is refused.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn edit() -> Edit {
    let limits = SilenceLimits { retention: Duration::from_secs(100), ..SilenceLimits::default() };
    Edit { now: NOW, node: NodeId(1), limits }
}

fn draft(id: Option<u128>, starts: i64, ends: i64) -> Draft {
    let raw = RawMatcher { name: "a".into(), op: MatchOp::Equal, value: "1".into() };
    Draft {
        id: id.map(SilenceId),
        matcher_sets: vec![matcher_set(&[raw], Syntax::Fallback).unwrap()],
        starts_at: Some(at(starts)),
        ends_at: at(ends),
        created_by: "me".into(),
        comment: "why".into(),
        annotations: Labels::default(),
    }
}

fn stored(starts: i64, ends: i64) -> Silence {
    Edit { now: at(starts), ..edit() }.write(SilenceId(1), draft(None, starts, ends), at(starts), None)
}

/// The ids and spans of what an edit stores.
fn outcome(previous: &Silence, draft: Draft) -> Vec<(u128, i64, i64)> {
    let stored = edit().set(draft, Some(previous), 1, SilenceId(9)).unwrap();
    stored.iter().map(|s| (s.id.0, s.starts_at.as_secs(), s.ends_at.as_secs())).collect()
}

#[test]
fn an_active_silence_is_edited_in_place_if_its_start_stays() {
    assert_eq!(outcome(&stored(900, 1100), draft(Some(1), 900, 1200)), [(1, 900, 1200)]);
    assert_eq!(outcome(&stored(900, 1100), draft(Some(1), 950, 1200)), [(1, 900, 1000), (9, 1000, 1200)]);
}

#[test]
fn other_matchers_make_a_new_silence() {
    let mut other = draft(Some(1), 900, 1200);
    other.matcher_sets[0].push(Matcher::new("b", MatchOp::Equal, "2").unwrap());
    assert_eq!(outcome(&stored(900, 1100), other), [(1, 900, 1000), (9, 1000, 1200)]);
}

#[test]
fn a_pending_silence_may_be_moved_but_not_into_the_past() {
    assert_eq!(outcome(&stored(1100, 1200), draft(Some(1), 1050, 1300)), [(1, 1050, 1300)]);
    assert_eq!(outcome(&stored(1100, 1200), draft(Some(1), 900, 1300)), [(1, 1000, 1000), (9, 1000, 1300)]);
}

#[test]
fn an_ended_silence_is_never_revived() {
    assert_eq!(outcome(&stored(800, 900), draft(Some(1), 800, 1300)), [(9, 1000, 1300)]);
}

#[test]
fn limits_leave_the_old_silence_untouched() {
    let limits = SilenceLimits { count: 1, size: 50, retention: Duration::ZERO };
    let limited = Edit { limits, ..edit() };
    let old = stored(900, 1100);
    let refused = limited.set(draft(Some(1), 950, 1200), Some(&old), 1, SilenceId(9));
    assert_eq!(refused, Err(SilenceError::TooMany { count: 1, limit: 1 }));
    let refused = limited.set(draft(Some(1), 900, 1200), Some(&old), 1, SilenceId(9));
    assert!(matches!(refused, Err(SilenceError::TooLarge { limit: 50, .. })), "{refused:?}");
}

#[test]
fn what_names_an_unknown_silence_or_ends_before_it_starts_is_refused() {
    assert_eq!(edit().set(draft(Some(5), 900, 1200), None, 0, SilenceId(9)), Err(SilenceError::NotFound));
    let refused = edit().set(draft(None, 1300, 1200), None, 0, SilenceId(9)).unwrap_err();
    assert_eq!(refused.to_string(), "invalid silence: end time must not be before start time");
}

#[test]
fn a_set_that_matches_everything_is_refused() {
    let raw = |op, value: &str| RawMatcher { name: "a".into(), op, value: value.into() };
    for (op, value, ok) in [
        (MatchOp::Equal, "", false),
        (MatchOp::Regex, ".*", false),
        (MatchOp::NotEqual, "x", true),
        (MatchOp::NotRegex, "x", true),
    ] {
        assert_eq!(matcher_set(&[raw(op, value)], Syntax::Fallback).is_ok(), ok, "{op:?} {value}");
    }
    let refused = matcher_set(&[raw(MatchOp::Regex, "(")], Syntax::Fallback).unwrap_err().to_string();
    assert!(refused.starts_with("invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\""));
}

#[test]
fn an_ended_silence_is_remembered_as_long_as_an_old_copy_could_hush() {
    let ended = edit().expire(&stored(900, 5_000)).unwrap();
    assert_eq!((ended.ends_at, ended.forget_at), (NOW, at(5_100)));
    assert!(ended.version > stored(900, 5_000).version);
    assert_eq!(Edit { now: at(1_001), ..edit() }.expire(&ended), None);
}
