//! CSS: strings, and values that must stay values.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::FAILSAFE;

/// The body of a CSS string.
pub(super) fn string(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            _ if is_special(c) => {
                escaped.push_str(&format!("\\{:x}", u32::from(c)));
                // A space ends the escape where the next character could belong to it.
                if characters.peek().is_none_or(|&next| next.is_ascii_hexdigit() || is_space(next)) {
                    escaped.push(' ');
                }
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A word, number, colour or the like; anything that could be more is refused.
pub(super) fn value(text: &str) -> String {
    let decoded = decode(text);
    let is_risky = |c| {
        matches!(c, '\0' | '"' | '\'' | '(' | ')' | '/' | ';' | '@' | '[' | '\\' | ']' | '`' | '{' | '}' | '<' | '>')
    };
    let letters: String = decoded.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let letters = letters.to_ascii_lowercase();
    let runs_scripts = letters.contains("expression") || letters.contains("mozbinding");
    if runs_scripts || decoded.contains("--") || decoded.contains(is_risky) { FAILSAFE.into() } else { decoded.into() }
}

/// CSS text with its `\…` escapes read.
pub(in crate::html) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => decoded.extend(escaped(&mut characters)),
            _ => decoded.push(c),
        }
    }
    Cow::Owned(decoded)
}

/// The character that an escape stands for, read from after its `\`: up to six hexadecimal digits and one space, or
/// the character itself.
fn escaped(characters: &mut Peekable<Chars<'_>>) -> Option<char> {
    let mut code = None;
    for _ in 0..6 {
        let Some(digit) = characters.peek().and_then(|c| c.to_digit(16)) else { break };
        code = Some(code.unwrap_or(0) * 16 + digit);
        characters.next();
    }
    let Some(code) = code else { return characters.next() };
    let is_return = characters.next_if(|&c| is_space(c)) == Some('\r');
    if is_return {
        characters.next_if_eq(&'\n');
    }
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// What is written as an escape in a string: control characters that end one, and what HTML gives a meaning.
fn is_special(c: char) -> bool {
    matches!(c, '\0' | '\t' | '\n' | '\x0c' | '\r')
        || matches!(c, '"' | '&' | '\'' | '(' | ')' | '+' | '/' | ':' | ';' | '<' | '>' | '{' | '}')
}
