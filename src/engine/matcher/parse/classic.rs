//! The classic syntax: names of ASCII letters, values with or without quotes, braces that need not come in pairs.

use super::ParseError;
use crate::matcher::{MatchOp, Matcher};

/// Reads any number of matchers.
pub(super) fn matchers(input: &str) -> Result<Vec<Matcher>, ParseError> {
    let input = input.strip_prefix('{').unwrap_or(input);
    let input = input.strip_suffix('}').unwrap_or(input);
    pieces(input).into_iter().map(matcher).collect()
}

/// Reads one matcher; braces and commas have no meaning here.
pub(super) fn matcher(piece: &str) -> Result<Matcher, ParseError> {
    let (name, op, raw) = split(piece).ok_or_else(|| ParseError::Format(piece.to_owned()))?;
    let value = unescape(raw).ok_or_else(|| ParseError::UnescapedQuote(raw.to_owned()))?;
    Ok(Matcher::new(name, op, value)?)
}

/// The input cut at its commas, but for those in quotes. What follows the last comma counts only if it is not blank.
fn pieces(input: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in input.char_indices() {
        match c {
            ',' if !quoted => {
                pieces.push(&input[start..at]);
                start = at + 1;
            }
            ',' => {}
            '"' if !escaped => quoted = !quoted,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    let last = input[start..].trim();
    pieces.extend((!last.is_empty()).then_some(last));
    pieces
}

/// Name, operator and value as written.
fn split(piece: &str) -> Option<(&str, MatchOp, &str)> {
    // The operator that begins another comes after it.
    const OPERATORS: [MatchOp; 4] = [MatchOp::Regex, MatchOp::Equal, MatchOp::NotEqual, MatchOp::NotRegex];
    let piece = piece.trim_matches(is_space);
    let name_end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(piece.len());
    let (name, rest) = piece.split_at(name_end);
    let starts_well = name.starts_with(|c: char| !c.is_ascii_digit());
    let rest = rest.trim_start_matches(is_space);
    let op = OPERATORS.into_iter().find(|op| rest.starts_with(op.as_str()))?;
    starts_well.then(|| (name, op, rest[op.as_str().len()..].trim_start_matches(is_space)))
}

/// What Go's `\s` matches.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0C' | '\r' | ' ')
}

/// The value without the quotes around it and with `\"`, `\\` and `\n` replaced; any other backslash stays. `None` if
/// a quote is inside that is not escaped, or the quotes around are no pair.
fn unescape(raw: &str) -> Option<String> {
    let opened = raw.strip_prefix('"');
    let mut value = String::with_capacity(raw.len());
    let mut rest = opened.unwrap_or(raw).chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return (opened.is_some() && rest.as_str().is_empty()).then_some(value),
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                other => value.extend(['\\'].into_iter().chain(other)),
            },
            plain => value.push(plain),
        }
    }
    opened.is_none().then_some(value)
}
