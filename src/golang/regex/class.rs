//! Character classes: `[a-z\d[:alpha:]]`, `\d`, `\pL`, read by Go's rules and written for the `regex` crate.
//!
//! Case folding is not done here: whoever places the class turns the crate's own on or off around it.

use super::RegexError;
use super::cursor::Cursor;
use super::escape::{self, push_code_point};
use super::unicode::{self, EVERYTHING};

/// Reads a class in brackets; the cursor stands at `[`.
pub(super) fn bracketed(cursor: &mut Cursor<'_>) -> Result<String, RegexError> {
    let start = cursor.at();
    cursor.bump();
    let negated = cursor.eat("^");
    let mut items = String::new();
    let mut first = true;
    while first || cursor.peek() != Some(']') {
        first = false;
        match named(cursor)? {
            Some(class) => items.push_str(&class),
            None => range(cursor, start, &mut items)?,
        }
    }
    cursor.bump();
    Ok(enclose(negated, &items))
}

/// Reads a class written with a backslash, `\d`, `\W`, `\pL` or `\P{Greek}`, if one comes next. What it becomes can
/// stand alone as well as inside brackets.
pub(super) fn escaped(cursor: &mut Cursor<'_>) -> Result<Option<String>, RegexError> {
    let mut letters = cursor.rest().chars().skip(1);
    let Some(letter) = letters.next().filter(|_| cursor.peek() == Some('\\')) else { return Ok(None) };
    let ranges = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\x0c\r\x20",
        'w' => "0-9A-Za-z_",
        'p' => return property(cursor).map(Some),
        _ => return Ok(None),
    };
    cursor.bump();
    cursor.bump();
    Ok(Some(enclose(letter.is_ascii_uppercase(), ranges)))
}

/// A class that can be one item among others in brackets.
fn named(cursor: &mut Cursor<'_>) -> Result<Option<String>, RegexError> {
    match posix(cursor)? {
        Some(class) => Ok(Some(class)),
        None => escaped(cursor),
    }
}

/// `[:alpha:]` or `[:^alpha:]`. Without an end it is no class, but a bracket and a colon like any others.
fn posix(cursor: &mut Cursor<'_>) -> Result<Option<String>, RegexError> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    ];
    let start = cursor.at();
    let begun = cursor.rest().strip_prefix("[:").is_some_and(|rest| rest.contains(":]"));
    if !begun {
        return Ok(None);
    }
    cursor.eat("[:");
    let name = cursor.eat_until(":]").unwrap_or_default();
    if NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        Ok(Some(cursor.since(start).to_owned()))
    } else {
        Err(invalid_range(cursor.since(start)))
    }
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}` or the same with a capital P.
fn property(cursor: &mut Cursor<'_>) -> Result<String, RegexError> {
    let start = cursor.at();
    cursor.bump();
    let negated = cursor.bump() == Some('P');
    let name = if cursor.eat("{") {
        cursor.eat_until("}").ok_or_else(|| invalid_range(cursor.all_from(start)))?
    } else {
        let name_start = cursor.at();
        cursor.bump();
        cursor.since(name_start)
    };
    let plain = name.strip_prefix('^');
    let items = unicode::property(plain.unwrap_or(name)).ok_or_else(|| invalid_range(cursor.since(start)))?;
    Ok(enclose(negated != plain.is_some(), &items))
}

/// One character, or a range of them. `class_start` is where the class began.
fn range(cursor: &mut Cursor<'_>, class_start: usize, items: &mut String) -> Result<(), RegexError> {
    let start = cursor.at();
    let first = member(cursor, class_start)?;
    let mut ahead = cursor.rest().chars();
    let has_end = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
    let last = if has_end {
        cursor.bump();
        member(cursor, class_start)?
    } else {
        first
    };
    if last < first {
        return Err(invalid_range(cursor.since(start)));
    }
    push_range(items, first, last);
    Ok(())
}

fn member(cursor: &mut Cursor<'_>, class_start: usize) -> Result<u32, RegexError> {
    if cursor.peek() == Some('\\') {
        return escape::code_point(cursor);
    }
    cursor.bump().map(u32::from).ok_or_else(|| RegexError::at("missing closing ]", cursor.all_from(class_start)))
}

/// Writes a range without the surrogates in it, which no text contains and the crate refuses.
fn push_range(items: &mut String, first: u32, last: u32) {
    const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);
    for (first, last) in [(first, last.min(SURROGATES.0 - 1)), (first.max(SURROGATES.1 + 1), last)] {
        if first > last {
            continue;
        }
        push_code_point(items, first);
        if first < last {
            items.push('-');
            push_code_point(items, last);
        }
    }
}

/// A class of `items`; of none, the class that holds nothing.
pub(super) fn enclose(negated: bool, items: &str) -> String {
    let (negated, items) = if items.is_empty() { (!negated, EVERYTHING) } else { (negated, items) };
    let caret = if negated { "^" } else { "" };
    format!("[{caret}{items}]")
}

fn invalid_range(piece: &str) -> RegexError {
    RegexError::at("invalid character class range", piece)
}
