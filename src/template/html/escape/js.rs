//! JavaScript: values in code, and text in its literals.

use super::replace;

/// A value in code, from its JSON. Spaces keep it from growing together with a word at its side.
pub(super) fn value(json: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_');
    if json.starts_with(is_word) || json.ends_with(is_word) { format!(" {json} ") } else { json.into() }
}

/// The body of a quoted string.
pub(super) fn string(text: &str) -> String {
    replace(text, special)
}

/// A part of a template literal.
pub(super) fn template(text: &str) -> String {
    replace(text, |c| match c {
        '$' => Some("\\u0024"),
        '{' => Some("\\u007b"),
        '}' => Some("\\u007d"),
        _ => special(c),
    })
}

/// A part of a regular expression that means these characters. It must not be empty, or `//` would begin a comment.
pub(super) fn regexp(text: &str) -> String {
    if text.is_empty() {
        return "(?:)".into();
    }
    replace(text, |c| match c {
        '$' => Some("\\$"),
        '(' => Some("\\("),
        ')' => Some("\\)"),
        '*' => Some("\\*"),
        '-' => Some("\\-"),
        '.' => Some("\\."),
        '?' => Some("\\?"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '^' => Some("\\^"),
        '{' => Some("\\{"),
        '|' => Some("\\|"),
        '}' => Some("\\}"),
        '`' => None,
        _ => special(c),
    })
}

/// What ends a literal, what HTML gives a meaning, and control characters.
fn special(c: char) -> Option<&'static str> {
    if c < ' ' {
        return Some(CONTROLS[usize::try_from(u32::from(c)).expect("a control character's number is below 32")]);
    }
    Some(match c {
        '"' => "\\u0022",
        '`' => "\\u0060",
        '&' => "\\u0026",
        '\'' => "\\u0027",
        '+' => "\\u002b",
        '/' => "\\/",
        '<' => "\\u003c",
        '>' => "\\u003e",
        '\\' => "\\\\",
        '\u{2028}' => "\\u2028",
        '\u{2029}' => "\\u2029",
        _ => return None,
    })
}

/// The control characters from 0 to 31.
const CONTROLS: [&str; 32] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\u0008", "\\t", "\\n",
    "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015",
    "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
];
