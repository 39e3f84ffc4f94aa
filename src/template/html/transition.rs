//! What a piece of a template's own text does to the context: the HTML parser's part. Scripts, styles and URLs have
//! files of their own.

mod css;
mod js;
mod url;

use super::context::{Attribute, Context, Element, Quote, State};
use super::entity;
use super::names;
use super::problem::{Problem, excerpt};

/// HTML's white space.
pub(super) const SPACE: [char; 5] = [' ', '\t', '\n', '\x0c', '\r'];

/// Reads a part of `text`: sets `context` to what it is after that part and returns the part's length, which is 0 only
/// if the context changed.
pub(super) fn advance(context: &mut Context, text: &str) -> Result<usize, Problem> {
    if context.quote != Quote::None {
        return in_value(context, text);
    }
    match end_tag(context, text) {
        Some(0) => {
            *context = Context::default();
            Ok(0)
        }
        Some(end) => step(context, &text[..end]),
        None => step(context, text),
    }
}

/// Reads a part of `text`, which lies wholly inside one attribute value, one raw element or outside of both.
fn step(context: &mut Context, text: &str) -> Result<usize, Problem> {
    match context.state {
        State::Text => Ok(content(context, text)),
        State::Tag => tag(context, text),
        State::AttributeName => attribute_name(context, text),
        State::AfterName => Ok(after_name(context, text)),
        State::BeforeValue => Ok(before_value(context, text)),
        State::Comment => Ok(until(context, text, "-->", State::Text)),
        State::Rcdata | State::Attribute | State::Srcset | State::Dead => Ok(text.len()),
        State::Url => Ok(url::url(context, text)),
        State::MetaContent => Ok(url::meta_content(context, text)),
        State::MetaUrl => Ok(until(context, text, ";", State::MetaContent)),
        State::Js(js) => js::step(context, js, text),
        State::Css(css) => css::step(context, css, text),
    }
}

/// Reads to the end of `mark`, where `next` begins, or to the end of `text`.
fn until(context: &mut Context, text: &str, mark: &str, next: State) -> usize {
    match text.find(mark) {
        Some(at) => {
            context.state = next;
            at + mark.len()
        }
        None => text.len(),
    }
}

/// Where the end tag of the raw element begins that we are in. The literals and comments of a script hide it: the
/// former are written so that a browser does not see it there, the latter are not written at all.
fn end_tag(context: &Context, text: &str) -> Option<usize> {
    let name = match context.element {
        Element::Script if context.is_script_literal() || context.is_comment() => return None,
        Element::Script => "script",
        Element::Style => "style",
        Element::Textarea => "textarea",
        Element::Title => "title",
        Element::Other | Element::Meta => return None,
    };
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let rest = &text.as_bytes()[at + 2..];
        rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && rest.get(name.len()).is_some_and(|&after| matches!(after, b'>' | b'/') || SPACE.contains(&after.into()))
    })
}

/// Text between tags: ends at a tag or a comment.
fn content(context: &mut Context, text: &str) -> usize {
    for (at, _) in text.match_indices('<') {
        let rest = &text[at + 1..];
        if rest.starts_with("!--") {
            context.state = State::Comment;
            return at + 4;
        }
        let (slash, name) = match rest.strip_prefix('/') {
            Some(name) => (1, name),
            None => (0, rest),
        };
        let length = tag_name(name);
        if length > 0 {
            let element = if slash == 1 { Element::Other } else { names::element(&name[..length]) };
            *context = Context::tag(element);
            return at + 1 + slash + length;
        }
    }
    text.len()
}

/// The length of the tag name that `text` begins with, 0 if it begins with none.
fn tag_name(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let belongs = |at: usize| match bytes[at] {
        b':' | b'-' => bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        byte => byte.is_ascii_alphanumeric(),
    };
    (1..bytes.len()).find(|&at| !belongs(at)).unwrap_or(bytes.len())
}

/// Inside a tag: an attribute's name or the tag's end.
fn tag(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let start = text.len() - text.trim_start_matches(SPACE).len();
    let rest = &text[start..];
    if rest.is_empty() {
        return Ok(text.len());
    }
    if rest.starts_with('>') {
        *context = Context::content(context.element);
        return Ok(start + 1);
    }
    let length = name_length(rest, text)?;
    if length == 0 {
        return Err(Problem::Tag(excerpt(rest)));
    }
    context.attribute = names::attribute(&rest[..length], context.element);
    context.state = if length == rest.len() { State::AttributeName } else { State::AfterName };
    Ok(start + length)
}

/// The rest of an attribute's name that a value began.
fn attribute_name(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let length = name_length(text, text)?;
    if length < text.len() {
        context.state = State::AfterName;
    }
    Ok(length)
}

/// The length of the attribute name that `rest` begins with; `text` is what an error quotes.
fn name_length(rest: &str, text: &str) -> Result<usize, Problem> {
    match rest.find(|c| matches!(c, '=' | '>' | '\'' | '"' | '<') || SPACE.contains(&c)) {
        Some(at) if rest[at..].starts_with(['\'', '"', '<']) => {
            Err(Problem::AttributeName(rest[at..=at].into(), excerpt(text)))
        }
        Some(at) => Ok(at),
        None => Ok(rest.len()),
    }
}

/// After an attribute's name: the `=`, or the next attribute.
fn after_name(context: &mut Context, text: &str) -> usize {
    let rest = text.trim_start_matches(SPACE);
    let start = text.len() - rest.len();
    if rest.is_empty() {
        return start;
    }
    let equals = rest.starts_with('=');
    context.state = if equals { State::BeforeValue } else { State::Tag };
    start + usize::from(equals)
}

/// After the `=`: the quote or the first byte of the value.
fn before_value(context: &mut Context, text: &str) -> usize {
    let rest = text.trim_start_matches(SPACE);
    let start = text.len() - rest.len();
    let quote = match rest.chars().next() {
        None => return start,
        Some('"') => Quote::Double,
        Some('\'') => Quote::Single,
        Some(_) => Quote::Space,
    };
    *context = context.value(quote);
    start + usize::from(quote != Quote::Space)
}

/// An attribute's value: to its end, or all of `text`.
fn in_value(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let end = match context.quote {
        Quote::Double => text.find('"'),
        Quote::Single => text.find('\''),
        Quote::Space | Quote::None => text.find(|c| c == '>' || SPACE.contains(&c)),
    };
    let value = &text[..end.unwrap_or(text.len())];
    if context.quote == Quote::Space
        && let Some(at) = value.find(['"', '\'', '<', '=', '`'])
    {
        return Err(Problem::Unquoted(value[at..=at].into(), excerpt(value)));
    }
    match end {
        Some(end) => Ok(end + leave_value(context, value)),
        None => decoded(context, value).map(|()| text.len()),
    }
}

/// Runs the language of an attribute over its value, which HTML's character references have been read from.
fn decoded(context: &mut Context, value: &str) -> Result<(), Problem> {
    let value = entity::decode(value);
    let mut rest = value.as_ref();
    while !rest.is_empty() {
        let length = step(context, rest)?;
        rest = &rest[length..];
    }
    Ok(())
}

/// Leaves the attribute whose value ends in `value`, and says how long the closing quote is. What a value leaves open
/// ends with it. A `script` of a foreign type is not a script.
fn leave_value(context: &mut Context, value: &str) -> usize {
    let foreign = context.attribute == Attribute::ScriptType && !names::is_script_type(value);
    let quote = usize::from(context.quote != Quote::Space);
    *context = Context::tag(if foreign { Element::Other } else { context.element });
    quote
}
