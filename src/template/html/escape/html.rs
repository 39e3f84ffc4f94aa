//! Text in HTML: between tags, in attribute values, and markup that is stripped of its tags.

use std::fmt::Write;

use super::{FAILSAFE, Trust, replace};
use crate::html::context::{Context, State};
use crate::html::transition::advance;

/// Text between tags. Trusted markup stays.
pub(super) fn element(text: &str, trust: Trust) -> String {
    if trust == Trust::Html { text.into() } else { replace(text, special) }
}

/// The text of a title or textarea. In trusted markup the character references stay.
pub(super) fn rcdata(text: &str, trust: Trust) -> String {
    if trust == Trust::Html { replace(text, markup) } else { replace(text, special) }
}

/// A quoted attribute value. Of trusted markup the text stays.
pub(super) fn attribute(text: &str, trust: Trust) -> String {
    if trust == Trust::Html { replace(&strip_tags(text), markup) } else { replace(text, special) }
}

/// An attribute value without quotes, which must not be empty.
pub(super) fn unquoted(text: &str, trust: Trust) -> String {
    if text.is_empty() {
        FAILSAFE.into()
    } else if trust == Trust::Html {
        encode_spaces(&replace(&strip_tags(text), markup))
    } else {
        encode_spaces(&replace(text, special))
    }
}

/// What the function `html` writes.
pub(super) fn predefined(text: &str) -> String {
    replace(text, |c| if c == '+' { None } else { special(c) })
}

/// What HTML would read as something else than the character.
fn special(c: char) -> Option<&'static str> {
    if c == '&' { Some("&amp;") } else { markup(c) }
}

/// The same for text in which the character references stay.
fn markup(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "\u{fffd}",
        '"' => "&#34;",
        '\'' => "&#39;",
        '+' => "&#43;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => return None,
    })
}

/// What would end an unquoted value, or what browsers disagree about in one.
fn encode_spaces(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        let is_special = matches!(c, '\t'..='\r' | ' ' | '=' | '`');
        let is_odd = matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}');
        let written = match c {
            _ if is_special => write!(encoded, "&#{};", u32::from(c)),
            _ if is_odd => write!(encoded, "&#x{:x};", u32::from(c)),
            _ => encoded.write_char(c),
        };
        written.expect("a string takes whatever is written to it");
    }
    encoded
}

/// The text of markup: without tags, comments, scripts and styles. What is no tag, or not a whole one, is text.
fn strip_tags(markup: &str) -> String {
    let mut context = Context::default();
    let mut stripped = String::new();
    let mut rest = markup;
    while !rest.is_empty() {
        let before = context.state;
        let Ok(length) = advance(&mut context, rest) else { break };
        if length == rest.len() && length == markup.len() {
            return markup.into();
        }
        if matches!(before, State::Text | State::Rcdata) {
            stripped.push_str(text_before(&rest[..length], before, context.state));
        }
        rest = &rest[length..];
    }
    stripped
}

/// `piece` without the tag or comment that it ends with.
fn text_before(piece: &str, before: State, after: State) -> &str {
    match piece.rfind('<') {
        Some(tag) if before != after => &piece[..tag],
        _ => piece,
    }
}
