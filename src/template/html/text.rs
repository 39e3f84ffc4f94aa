//! A template's own text: what it does to the context, and what of it is written. Comments are not, and what a browser
//! could take for a tag where none is meant is spelled so that it cannot.

use std::borrow::Cow;

use super::context::{Context, Css, Js, Quote, State};
use super::problem::Problem;
use super::transition::advance;

/// Reads `text` from `context` on, which becomes the context after it. Returns what is to be written.
pub(super) fn read<'t>(context: &mut Context, text: &'t str) -> Result<Cow<'t, str>, Problem> {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let before = context.clone();
        let length = advance(context, rest)?;
        // An end tag that the text begins with ends a comment of the text before, which stands for that already.
        if length == 0 && rest.len() == text.len() {
            continue;
        }
        write_piece(&mut written, &before, context, &rest[..length]);
        rest = &rest[length..];
    }
    Ok(if written == text { Cow::Borrowed(text) } else { Cow::Owned(written) })
}

/// Writes what led from `before` to `after`.
fn write_piece(out: &mut String, before: &Context, after: &Context, piece: &str) {
    if before.quote == Quote::None && before.is_comment() {
        out.push_str(comment_space(before, piece));
        return;
    }
    let enters_comment = after.quote == Quote::None && after.is_comment();
    let piece = if enters_comment { &piece[..piece.len() - mark_length(after.state)] } else { piece };
    match before.state {
        State::Text | State::Rcdata => {
            let opens_tag = !enters_comment && before != after;
            write_text(out, piece, opens_tag);
        }
        _ if before.is_script_literal() => write_script_literal(out, piece),
        _ => out.push_str(piece),
    }
}

/// What stands for a piece of a comment: a block comment separates what is around it, as a line end if it holds one.
fn comment_space(before: &Context, piece: &str) -> &'static str {
    match before.state {
        State::Js(Js::BlockComment) if piece.contains(['\n', '\r', '\u{2028}', '\u{2029}']) => "\n",
        State::Js(Js::BlockComment) | State::Css(Css::BlockComment) => " ",
        _ => "",
    }
}

/// The length of the mark that begins a comment.
fn mark_length(comment: State) -> usize {
    match comment {
        State::Comment | State::Js(Js::OpenComment) => "<!--".len(),
        State::Js(Js::CloseComment) => "-->".len(),
        _ => "//".len(),
    }
}

/// Writes text between tags. A `<` that opens neither a tag nor the document type is one of the text.
fn write_text(out: &mut String, piece: &str, opens_tag: bool) {
    let tag = if opens_tag { piece.rfind('<') } else { None };
    for (at, c) in piece.char_indices() {
        match c {
            '<' if Some(at) != tag && !is_doctype(&piece[at..]) => out.push_str("&lt;"),
            _ => out.push(c),
        }
    }
}

fn is_doctype(text: &str) -> bool {
    text.as_bytes().get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE"))
}

/// Writes a part of a script's literal so that no browser sees the script's end or a comment in it.
fn write_script_literal(out: &mut String, piece: &str) {
    for (at, c) in piece.char_indices() {
        match c {
            '<' if is_special_in_script(&piece[at + 1..]) => out.push_str("\\x3C"),
            _ => out.push(c),
        }
    }
}

/// Whether a `<` before `rest` makes one of the marks that HTML looks for in scripts.
fn is_special_in_script(rest: &str) -> bool {
    ["!--", "script", "/script"]
        .iter()
        .any(|mark| rest.as_bytes().get(..mark.len()).is_some_and(|r| r.eq_ignore_ascii_case(mark.as_bytes())))
}
