//! What a backslash stands for where it stands for one character, and how a character is written so that the
//! `regex` crate takes it for itself.

use super::RegexError;
use super::cursor::Cursor;

/// The largest code point.
pub(super) const MAX_CODE_POINT: u32 = 0x10_FFFF;

/// Reads an escape sequence, which begins with the backslash, as the one code point it stands for. That may be a
/// surrogate, which Go allows to be written although no text contains it.
pub(super) fn code_point(cursor: &mut Cursor<'_>) -> Result<u32, RegexError> {
    let start = cursor.at();
    cursor.bump();
    let Some(letter) = cursor.bump() else {
        return Err(RegexError::at("trailing backslash at end of expression", ""));
    };
    let value = match letter {
        '0' => Some(octal(cursor, 0)),
        '1'..='7' if matches!(cursor.peek(), Some('0'..='7')) => {
            Some(octal(cursor, u32::from(letter) - u32::from('0')))
        }
        'x' => hexadecimal(cursor),
        'a' => Some(0x07),
        'f' => Some(0x0C),
        'n' => Some(0x0A),
        'r' => Some(0x0D),
        't' => Some(0x09),
        'v' => Some(0x0B),
        other => (other.is_ascii() && !other.is_ascii_alphanumeric()).then_some(u32::from(other)),
    };
    value.ok_or_else(|| RegexError::at("invalid escape sequence", cursor.since(start)))
}

/// Writes `code_point`, outside or inside a class; it must not be a surrogate.
pub(super) fn push_code_point(out: &mut String, code_point: u32) {
    match char::from_u32(code_point) {
        Some(plain) if plain.is_ascii_alphanumeric() || (!plain.is_ascii() && !plain.is_control()) => out.push(plain),
        _ => out.push_str(&format!(r"\x{{{code_point:x}}}")),
    }
}

/// Up to two more octal digits after the first, whose value is `first`.
fn octal(cursor: &mut Cursor<'_>, first: u32) -> u32 {
    let mut value = first;
    for _ in 0..2 {
        let Some(digit) = cursor.peek().and_then(|c| c.to_digit(8)) else { break };
        cursor.bump();
        value = value * 8 + digit;
    }
    value
}

/// `FF` or `{10FFFF}`, after the `x`.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    let first = cursor.bump()?;
    if first == '{' {
        return hexadecimal_in_braces(cursor);
    }
    // The second character is read before the first is judged: Go's message shows both.
    let second = cursor.bump()?;
    Some(first.to_digit(16)? * 16 + second.to_digit(16)?)
}

fn hexadecimal_in_braces(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut value = None;
    loop {
        let next = cursor.bump()?;
        if next == '}' {
            return value;
        }
        let longer = value.unwrap_or(0) * 16 + next.to_digit(16)?;
        if longer > MAX_CODE_POINT {
            return None;
        }
        value = Some(longer);
    }
}
