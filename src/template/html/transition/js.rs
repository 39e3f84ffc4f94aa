//! JavaScript in a template's own text: strings, template literals, regular expressions and comments.

use super::until;
use crate::html::context::{Context, Js, Slash, State};
use crate::html::problem::{Problem, excerpt};

/// The characters that end a line of JavaScript.
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// White space, of which a `/` takes no notice.
const SPACE: [char; 7] = ['\t', '\n', '\x0c', '\r', ' ', '\u{2028}', '\u{2029}'];

/// The words after which an expression begins, so that a `/` begins a regular expression.
const BEFORE_EXPRESSION: [&str; 14] = [
    "break",
    "case",
    "continue",
    "delete",
    "do",
    "else",
    "finally",
    "in",
    "instanceof",
    "return",
    "throw",
    "try",
    "typeof",
    "void",
];

pub(super) fn step(context: &mut Context, js: Js, text: &str) -> Result<usize, Problem> {
    match js {
        Js::Code => code(context, text),
        Js::DoubleQuoted => string(context, text, '"'),
        Js::SingleQuoted => string(context, text, '\''),
        Js::Template => template(context, text),
        Js::Regexp => regexp(context, text),
        Js::BlockComment => Ok(until(context, text, "*/", State::Js(Js::Code))),
        Js::LineComment | Js::OpenComment | Js::CloseComment => Ok(line_comment(context, text)),
    }
}

/// Reads code to the next character that may begin something else, and that character.
fn code(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let Some(at) = text.find(['"', '\'', '`', '/', '{', '}', '<', '-', '#']) else {
        context.slash = slash_after(text, context.slash);
        return Ok(text.len());
    };
    context.slash = slash_after(&text[..at], context.slash);
    let rest = &text[at..];
    let next = match rest.as_bytes()[0] {
        b'"' => Some((Js::DoubleQuoted, 1)),
        b'\'' => Some((Js::SingleQuoted, 1)),
        b'`' => Some((Js::Template, 1)),
        b'/' => return slash(context, rest).map(|length| at + length),
        b'{' | b'}' => return Ok(at + brace(context, rest)),
        _ => line_comment_start(rest),
    };
    let Some((next, length)) = next else { return Ok(at + 1) };
    enter(context, next);
    Ok(at + length)
}

/// Goes from code into something else. A literal is an operand, but what a comment follows stays.
fn enter(context: &mut Context, next: Js) {
    context.state = State::Js(next);
    if matches!(next, Js::DoubleQuoted | Js::SingleQuoted | Js::Template) {
        context.slash = Slash::Regexp;
    }
}

/// The comment that `rest` begins with, if it does with one of the rarer kinds, and the length of its mark.
fn line_comment_start(rest: &str) -> Option<(Js, usize)> {
    let kinds = [("<!--", Js::OpenComment), ("-->", Js::CloseComment), ("#!", Js::LineComment)];
    kinds.into_iter().find(|(mark, _)| rest.starts_with(mark)).map(|(mark, js)| (js, mark.len()))
}

/// A `/`: a comment, a division or a regular expression.
fn slash(context: &mut Context, rest: &str) -> Result<usize, Problem> {
    match (rest.as_bytes().get(1), context.slash) {
        (Some(b'/'), _) => enter(context, Js::LineComment),
        (Some(b'*'), _) => enter(context, Js::BlockComment),
        (_, Slash::Regexp) => {
            context.state = State::Js(Js::Regexp);
            return Ok(1);
        }
        (_, Slash::Division) => {
            context.slash = Slash::Regexp;
            return Ok(1);
        }
        (_, Slash::Unknown) => return Err(Problem::Slash(excerpt(rest))),
    }
    Ok(2)
}

/// A brace, which matters inside of `${…}`: the one that closes it leads back into the template literal.
fn brace(context: &mut Context, rest: &str) -> usize {
    let opens = rest.starts_with('{');
    match context.braces.last_mut() {
        Some(0) if !opens => {
            context.braces.pop();
            context.state = State::Js(Js::Template);
            return 1;
        }
        Some(depth) if opens => *depth += 1,
        Some(depth) => *depth -= 1,
        None => {}
    }
    context.slash = Slash::Regexp;
    1
}

/// What a `/` after `text` would begin, if it is `before` ahead of it.
fn slash_after(text: &str, before: Slash) -> Slash {
    let text = text.trim_end_matches(SPACE);
    match text.chars().next_back() {
        None => before,
        // `x++ / 2`, but `x + /re/`.
        Some('+') => {
            let run = text.len() - text.trim_end_matches('+').len();
            if run % 2 == 1 { Slash::Regexp } else { Slash::Division }
        }
        // `42. / 2`.
        Some('.') => {
            let number = text[..text.len() - 1].ends_with(|c: char| c.is_ascii_digit());
            if number { Slash::Division } else { Slash::Regexp }
        }
        Some(',' | '=' | '>' | '*' | '%' | '&' | '|' | '^' | '?' | '!' | '~' | '(' | '[' | ':' | ';') => Slash::Regexp,
        Some(_) if BEFORE_EXPRESSION.contains(&last_word(text)) => Slash::Regexp,
        Some(_) => Slash::Division,
    }
}

/// The identifier or keyword that `text` ends with, or nothing.
fn last_word(text: &str) -> &str {
    let start = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_')).len();
    &text[start..]
}

/// Reads to the end of a quoted string.
fn string(context: &mut Context, text: &str, quote: char) -> Result<usize, Problem> {
    match unescaped(text, |_, c| c == quote)? {
        Some(at) => Ok(close(context, at)),
        None => Ok(text.len()),
    }
}

/// Reads to the end of a regular expression. `</script` does not end it, for it is going to be written otherwise.
fn regexp(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let mut in_charset = false;
    let end = unescaped(text, |at, c| {
        match c {
            '[' => in_charset = true,
            ']' => in_charset = false,
            _ => {}
        }
        c == '/' && !in_charset && !is_script_end(text, at)
    })?;
    match end {
        Some(at) => Ok(close(context, at)),
        None if in_charset => Err(Problem::PartialCharset(excerpt(text))),
        None => Ok(text.len()),
    }
}

/// Whether the `/` at `at` is that of `</script`.
fn is_script_end(text: &str, at: usize) -> bool {
    at > 0 && text.as_bytes().get(at - 1..at + 7).is_some_and(|tag| tag.eq_ignore_ascii_case(b"</script"))
}

/// The place of the first character that is not escaped and `ends` the literal.
fn unescaped(text: &str, mut ends: impl FnMut(usize, char) -> bool) -> Result<Option<usize>, Problem> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if ends(at, c) => return Ok(Some(at)),
            _ => {}
        }
    }
    if escaped { Err(Problem::PartialEscape { language: "JS", text: excerpt(text) }) } else { Ok(None) }
}

/// Ends a literal with the delimiter at `at`: it was an operand.
fn close(context: &mut Context, at: usize) -> usize {
    context.state = State::Js(Js::Code);
    context.slash = Slash::Division;
    at + 1
}

/// Reads to the end of a template literal or into its `${…}`.
fn template(context: &mut Context, text: &str) -> Result<usize, Problem> {
    let end = unescaped(text, |at, c| c == '`' || text[at..].starts_with("${"))?;
    let Some(at) = end else { return Ok(text.len()) };
    context.state = State::Js(Js::Code);
    if text[at..].starts_with('`') {
        return Ok(at + 1);
    }
    context.braces.push(0);
    context.slash = Slash::Regexp;
    Ok(at + 2)
}

/// A comment that ends before the end of its line.
fn line_comment(context: &mut Context, text: &str) -> usize {
    match text.find(LINE_ENDS) {
        Some(at) => {
            context.state = State::Js(Js::Code);
            at
        }
        None => text.len(),
    }
}
