//! CSS in a template's own text: strings, URLs and comments.

use std::borrow::Cow;

use super::{until, url};
use crate::html::context::{Context, Css, State};
use crate::html::escape::css::decode;
use crate::html::problem::{Problem, excerpt};
use crate::html::transition::SPACE;

pub(super) fn step(context: &mut Context, css: Css, text: &str) -> Result<usize, Problem> {
    match css {
        Css::Code => Ok(code(context, text)),
        Css::DoubleQuoted | Css::DoubleQuotedUrl => string(context, text, &['"']),
        Css::SingleQuoted | Css::SingleQuotedUrl => string(context, text, &['\'']),
        Css::Url => string(context, text, &['\t', '\n', '\x0c', '\r', ' ', ')']),
        Css::BlockComment => Ok(until(context, text, "*/", State::Css(Css::Code))),
        Css::LineComment => Ok(line_comment(context, text)),
    }
}

/// Reads up to the next string, URL or comment.
fn code(context: &mut Context, text: &str) -> usize {
    for (at, mark) in text.match_indices(['(', '"', '\'', '/']) {
        let rest = &text[at + 1..];
        let (next, length) = match mark {
            "(" if ends_with_url(&text[..at]) => url_start(rest),
            "\"" => (Css::DoubleQuoted, 0),
            "'" => (Css::SingleQuoted, 0),
            "/" if rest.starts_with('/') => (Css::LineComment, 1),
            "/" if rest.starts_with('*') => (Css::BlockComment, 1),
            _ => continue,
        };
        context.state = State::Css(next);
        return at + 1 + length;
    }
    text.len()
}

/// Whether `text` ends with the word `url`, in any case and before any white space.
fn ends_with_url(text: &str) -> bool {
    let text = text.trim_end_matches(SPACE).as_bytes();
    let Some((before, word)) = text.split_last_chunk::<3>() else { return false };
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii();
    word.eq_ignore_ascii_case(b"url") && !before.last().is_some_and(|&byte| continues(byte))
}

/// What begins after `url(`, and how much of `rest` leads to it.
fn url_start(rest: &str) -> (Css, usize) {
    let trimmed = rest.trim_start_matches(SPACE);
    let space = rest.len() - trimmed.len();
    match trimmed.chars().next() {
        Some('"') => (Css::DoubleQuotedUrl, space + 1),
        Some('\'') => (Css::SingleQuotedUrl, space + 1),
        _ => (Css::Url, space),
    }
}

/// Reads to the end of a string or URL. What it says may be a URL, whatever it is used for. Go takes the next one for a
/// part of this one, and so do we.
fn string(context: &mut Context, text: &str, ends: &[char]) -> Result<usize, Problem> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if ends.contains(&c) => {
                context.state = State::Css(Css::Code);
                return Ok(at + 1);
            }
            _ => {}
        }
    }
    if escaped {
        return Err(Problem::PartialEscape { language: "CSS", text: excerpt(text) });
    }
    let decoded: Cow<'_, str> = decode(text);
    url::url(context, &decoded);
    Ok(text.len())
}

/// A `//` comment, which no standard knows but browsers have read, ends before the end of its line.
fn line_comment(context: &mut Context, text: &str) -> usize {
    match text.find(['\n', '\x0c', '\r']) {
        Some(at) => {
            context.state = State::Css(Css::Code);
            at
        }
        None => text.len(),
    }
}
