//! Quoted strings as Go's `strconv` writes and reads them.

mod unquote;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::LazyLock;

pub use self::unquote::{UnquoteError, unquote, unquote_char};

/// Quotes `text` as Go's `strconv.Quote` does: what can be printed stays, all else is escaped.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if is_printable(c) => out.push(c),
            _ => push_escape(&mut out, c),
        }
    }
    out.push('"');
    out
}

/// Whether Go's `strconv.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space. The `regex`
/// crate knows the categories, of a Unicode version that may be newer than Go's, so that the two can differ on
/// characters of the last years.
pub fn is_printable(c: char) -> bool {
    static PRINTABLE: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(r"\A[\p{L}\p{M}\p{N}\p{P}\p{S}]").expect("the pattern is a constant, and a valid one")
    });
    if c.is_ascii() { c == ' ' || c.is_ascii_graphic() } else { PRINTABLE.is_match(c.encode_utf8(&mut [0; 4])) }
}

fn push_escape(out: &mut String, c: char) {
    const LETTERS: [(char, &str); 7] = [
        ('\x07', r"\a"),
        ('\x08', r"\b"),
        ('\x0C', r"\f"),
        ('\n', r"\n"),
        ('\r', r"\r"),
        ('\t', r"\t"),
        ('\x0B', r"\v"),
    ];
    if let Some((_, escape)) = LETTERS.iter().find(|(letter, _)| *letter == c) {
        return out.push_str(escape);
    }
    let code_point = u32::from(c);
    let written = match code_point {
        0..0x80 => write!(out, r"\x{code_point:02x}"),
        0x80..0x1_0000 => write!(out, r"\u{code_point:04x}"),
        _ => write!(out, r"\U{code_point:08x}"),
    };
    written.expect("a String takes whatever is written");
}
