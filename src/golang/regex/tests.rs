//! What we say of a pattern against what Go (1.26) says of it, and no panic whatever the pattern.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

/// One JSON object a line: a pattern, and either Go's error, or which texts `^(?:pattern)$` matches and what
/// `ReplaceAllString` makes of them with a template.
const CASES: &str = include_str!("../../../fixtures/regex/cases.jsonl");

/// What Go takes and we refuse on purpose; the module's text says why.
const STRICTER: [&str; 5] = [r"\p{Cn}", r"\p{Letter}", r"\p{greek}", "a)|(b", r"(\pL{100}){10}"];

fn cases() -> impl Iterator<Item = (String, Value)> {
    CASES.lines().map(|line| {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        (case["pattern"].as_str().expect("a case has a pattern").to_owned(), case)
    })
}

#[test]
fn every_case_is_answered_as_go_answers_it() {
    let wrong: Vec<String> = cases().filter_map(|(pattern, case)| difference(&pattern, &case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases().count() > 300);
}

/// Pieces of which random patterns are made: all of the syntax, and what only looks like it.
const PIECES: [&str; 48] = [
    "a",
    "b",
    "é",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?P<n>",
    "(?<",
    "(?",
    "[",
    "]",
    "[^",
    "[:alpha:]",
    "[:",
    "-",
    "^",
    "$",
    ".",
    "|",
    "*",
    "+",
    "?",
    "{",
    "}",
    "{2}",
    "{3,}",
    "{0,1000}",
    "{01}",
    ",",
    "\\",
    "\\d",
    "\\W",
    "\\b",
    "\\B",
    "\\pL",
    "\\p{^Greek}",
    "\\Q",
    "\\E",
    "\\x41",
    "\\x{D800}",
    "\\07",
    "&&",
    "~~",
    "(?-s:",
    "(?U)",
    "(?m)",
    "\n",
];

/// The same cases in every run.
fn seeded() -> ProptestConfig {
    ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn no_pattern_panics_and_what_is_taken_matches_or_not(picks in vec(0..PIECES.len(), 0..14), text in "[ab(\\n]{0,6}") {
        let pattern: String = picks.into_iter().map(|i| PIECES[i]).collect();
        match Regex::new(&pattern) {
            Ok(regex) => drop(regex.replace_all(&text, "$1${n}")),
            // Patterns as short as these are not deep: the crate refused our spelling.
            Err(error) => prop_assert!(!error.0.starts_with("expression"), "{}", error),
        }
        if let Ok(anchored) = Regex::anchored(&pattern) {
            prop_assert_eq!(anchored.as_str(), pattern);
            anchored.is_match(&text);
        }
    }

    #[test]
    fn text_without_meaning_of_its_own_matches_itself_only(text in "\\PC{0,12}", other in "\\PC{0,12}") {
        let regex = Regex::anchored(&format!("\\Q{}\\E", text.replace('\\', "/"))).expect("a quoted text is a pattern");
        let text = text.replace('\\', "/");
        prop_assert!(regex.is_match(&text));
        prop_assert_eq!(regex.is_match(&other), text == other);
    }
}

#[test]
fn what_is_refused_by_go_is_never_left_to_the_crate() {
    let deepest = format!("{}a{}", "(".repeat(120), ")*".repeat(120));
    assert!(Regex::anchored(&deepest).is_ok());
    assert!(Regex::anchored(&format!("(?:{deepest})")).is_err());
    assert!(Regex::anchored(&format!("a*{}", "(?i)*".repeat(120))).is_err());
    let refusals = [
        (
            "a".repeat(MAX_PATTERN_BYTES + 1),
            "error parsing regexp: expression too large: 65537 bytes, at most 65536 are allowed",
        ),
        (r"\pL{800}".to_owned(), r"error parsing regexp: expression too large: `\pL{800}`"),
    ];
    for (pattern, text) in refusals {
        assert_eq!(Regex::new(&pattern).map(drop).map_err(|e| e.to_string()), Err(text.to_owned()));
    }
}

fn difference(pattern: &str, case: &Value) -> Option<String> {
    if STRICTER.contains(&pattern) {
        return Regex::new(pattern).is_ok().then(|| format!("{pattern} is not refused"));
    }
    let regex = match (Regex::new(pattern), case["error"].as_str()) {
        (Err(ours), Some(go)) if ours.to_string() == go => return None,
        (Ok(regex), None) => regex,
        (ours, go) => return Some(format!("{pattern}: {:?} where Go says {go:?}", ours.map(|_| "accepted"))),
    };
    let anchored = match Regex::anchored(pattern) {
        Ok(anchored) => anchored,
        Err(_) if case["anchored_error"].is_string() => return None,
        Err(error) => return Some(format!("{pattern} as a matcher: {error}")),
    };
    if case["anchored_error"].is_string() {
        return Some(format!("{pattern} is taken as a matcher"));
    }
    let mut texts = case["texts"].as_object().into_iter().flatten();
    let mut replaced = case["replaced"].as_object().into_iter().flatten();
    let template = case["template"].as_str().unwrap_or_default();
    texts
        .find(|(text, go)| anchored.is_match(text) != **go)
        .map(|(text, go)| format!("{pattern} on {text:?}: Go says {go}"))
        .or_else(|| {
            replaced.find(|(text, go)| regex.replace_all(text, template) != **go).map(|(text, go)| {
                format!("{pattern} in {text:?} by {template}: {} not {go}", regex.replace_all(text, template))
            })
        })
}
