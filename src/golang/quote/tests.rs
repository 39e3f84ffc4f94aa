//! Quoted strings, held against what Go makes of them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::fixtures::strconv_and_time;

#[test]
fn texts_are_quoted_as_go_quotes_them() {
    for case in strconv_and_time("quote") {
        let text = case["text"].as_str().expect("what is quoted is a text");
        assert_eq!(case["quote"], quote(text));
    }
}

#[test]
fn quoted_texts_are_read_as_go_reads_them() {
    for case in strconv_and_time("unquote") {
        let quoted = case["unquote"].as_str().expect("a quoted text is a text");
        match unquote(quoted) {
            Ok(text) => assert_eq!(case["text"], text, "{quoted}"),
            Err(UnquoteError::NotUtf8) => assert_eq!(case["error"], "utf8", "{quoted}"),
            Err(error) => assert_eq!(case["error"], error.to_string(), "{quoted}"),
        }
    }
}

#[test]
fn a_byte_between_single_quotes_is_a_character() {
    assert_eq!(unquote_char(r"'\xff'"), Ok('\u{ff}'));
    assert_eq!(unquote_char(r"'\377'"), Ok('\u{ff}'));
    for wrong in ["''", "'ab'", "'''", r"'\400'", r"'\ud800'", "\"a\"", "'", ""] {
        assert_eq!(unquote_char(wrong), Err(UnquoteError::Syntax), "{wrong}");
    }
}

/// The same cases in every run.
fn seeded() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn what_is_quoted_reads_back(text in any::<String>()) {
        prop_assert_eq!(unquote(&quote(&text)), Ok(text));
    }

    #[test]
    fn no_text_panics(text in "[\"'`\\\\xuU0-9a-f{}é]{0,8}") {
        let _ = (unquote(&text), unquote_char(&text), crate::duration::parse(&text));
    }
}
