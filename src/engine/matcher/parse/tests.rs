//! Matchers in both syntaxes, held against what Alertmanager makes of them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

/// One JSON object a line: an input, and what Alertmanager 0.34 makes of it in each mode as a list and as a single
/// matcher (`_one`): canonical matchers or an `_error`, and the warning of the fallback mode.
const CASES: &str = include_str!("../../../../fixtures/matchers/cases.jsonl");

const MODES: [(Syntax, &str); 3] =
    [(Syntax::Fallback, "fallback"), (Syntax::Utf8, "utf8"), (Syntax::Classic, "classic")];

/// Alertmanager takes this although it is no regular expression by itself (see `watchbell_golang::regex`).
const REFUSED: &str = "a=~a)|(b";

#[test]
fn every_input_is_read_as_alertmanager_reads_it() {
    let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).expect("a case is JSON")).collect();
    assert!(cases.len() > 200);
    for case in cases {
        let input = case["input"].as_str().expect("a case has an input");
        for (syntax, mode) in MODES {
            let warning_field =
                |suffix: &str| case.get(format!("warning{suffix}")).filter(|_| syntax == Syntax::Fallback);
            let list = matchers(syntax, input).map(|p| (p.value.iter().map(Matcher::to_string).collect(), p.warning));
            check(&case, mode, list, warning_field(""));
            let one = matcher(syntax, input).map(|p| (p.value.to_string().into(), p.warning));
            check(&case, &format!("{mode}_one"), one, warning_field("_one"));
        }
    }
}

fn check(case: &Value, field: &str, ours: Result<(Value, Option<Warning>), ParseError>, go_warning: Option<&Value>) {
    let place = format!("{} as {field}", case["input"]);
    match ours {
        _ if case["input"] == REFUSED => assert!(ours.is_err(), "{place}"),
        Ok((value, warning)) => {
            assert_eq!(case.get(field), Some(&value), "{place}");
            check_warning(&place, warning, go_warning);
        }
        // Alertmanager shows a pattern with the anchors around it, we show what was written.
        Err(error) => {
            let go = case[format!("{field}_error")].as_str().unwrap_or("no error");
            assert_eq!(go.replace("`^(?:", "`").replace(")$`", "`"), error.to_string(), "{place}");
        }
    }
}

fn check_warning(place: &str, ours: Option<Warning>, go: Option<&Value>) {
    match (ours, go) {
        (None, None) => {}
        (Some(Warning::Disagreement { .. }), Some(go)) => {
            assert_eq!(go["msg"], "Matchers input has disagreement", "{place}")
        }
        (Some(Warning::Incompatible { error, suggestion, .. }), Some(go)) => {
            assert_eq!((&go["err"], &go["suggestion"]), (&error.to_string().into(), &suggestion.into()), "{place}");
        }
        (ours, go) => panic!("{place}: {ours:?}, but Alertmanager warns {go:?}"),
    }
}

#[test]
fn a_long_input_is_refused_before_it_is_read() {
    let long = format!("a=\"{}\"", "b".repeat(MAX_INPUT_BYTES));
    for (syntax, _) in MODES {
        assert_eq!(matchers(syntax, &long).map(drop), Err(ParseError::TooLong(long.len())));
        assert_eq!(matcher(syntax, &long).map(drop), Err(ParseError::TooLong(long.len())));
    }
}

#[test]
fn label_names_are_any_text_or_classic() {
    for (name, utf8, classic) in [
        ("a_B9", true, true),
        ("_", true, true),
        ("9a", true, false),
        ("é", true, false),
        ("a:b", true, false),
        ("", false, false),
    ] {
        assert_eq!(is_valid_label_name(Syntax::Fallback, name), utf8, "{name}");
        assert_eq!(is_valid_label_name(Syntax::Utf8, name), utf8, "{name}");
        assert_eq!(is_valid_label_name(Syntax::Classic, name), classic, "{name}");
    }
}

#[test]
fn a_route_key_holds_matchers_in_braces() {
    let two = matchers(Syntax::Fallback, r#"a="1", "b c"=~"x""#).expect("these are matchers").value;
    assert_eq!(braced(&two), r#"{a="1","b c"=~"x"}"#);
    assert_eq!(braced(&[]), "{}");
}

/// The same cases in every run.
fn seeded() -> ProptestConfig {
    ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

fn any_op() -> impl Strategy<Value = MatchOp> {
    prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex])
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn canonical_matchers_read_back(name in any::<String>(), op in any_op(), value in any::<String>()) {
        let Ok(written) = Matcher::new(name, op, value) else { return Ok(()) };
        prop_assume!(!written.name().is_empty());
        for (syntax, _) in MODES {
            if syntax == Syntax::Classic && !is_valid_label_name(syntax, written.name()) {
                continue;
            }
            let read = matcher(syntax, &written.to_string());
            prop_assert_eq!(read, Ok(Parsed::plain(written.clone())));
            let list = matchers(syntax, &braced(&[written.clone(), written.clone()]));
            prop_assert_eq!(list, Ok(Parsed::plain(vec![written.clone(), written.clone()])));
        }
    }

    #[test]
    fn no_input_panics(input in "[a-c{}!=~,\\\\\"'` \nné(|)*]{0,16}") {
        for (syntax, _) in MODES {
            let one = matcher(syntax, &input).map(|parsed| parsed.value);
            let several = matchers(syntax, &input).map(|parsed| parsed.value).unwrap_or_default();
            for found in one.into_iter().chain(several) {
                found.matches_value("a");
            }
        }
    }
}
