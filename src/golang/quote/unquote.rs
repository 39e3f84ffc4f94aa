//! Reading what Go's source may hold between `"`, `` ` `` or `'`.

use std::str::Chars;

/// Why a text is not a quoted string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnquoteError {
    /// The quotes are not there or not in pairs, or an escape is none.
    #[error("invalid syntax")]
    Syntax,
    /// Go would make bytes of it that are not UTF-8 (`"\xff"`), which no text of ours can hold.
    #[error("the quoted text is not valid UTF-8")]
    NotUtf8,
}

/// The text that `quoted` stands for, as Go's `strconv.Unquote`: `"…"` with escapes, `` `…` `` without (carriage
/// returns are dropped), or `'…'` with one character.
pub fn unquote(quoted: &str) -> Result<String, UnquoteError> {
    match quoted.as_bytes() {
        [b'"', .., b'"'] if quoted.len() >= 2 => interpreted(&quoted[1..quoted.len() - 1]),
        [b'`', .., b'`'] if quoted.len() >= 2 => raw(&quoted[1..quoted.len() - 1]),
        [b'\'', .., b'\''] => unquote_char(quoted).map(String::from),
        _ => Err(UnquoteError::Syntax),
    }
}

/// The character that `quoted`, a `'…'`, stands for. `'\xff'` is the character U+00FF, as in a Go template.
pub fn unquote_char(quoted: &str) -> Result<char, UnquoteError> {
    let inside = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or(UnquoteError::Syntax)?;
    let mut rest = inside.chars();
    let value = match rest.next().ok_or(UnquoteError::Syntax)? {
        '\'' | '\n' => return Err(UnquoteError::Syntax),
        '\\' => match escape(&mut rest, '\'')? {
            Escape::Byte(byte) => char::from(byte),
            Escape::Char(value) => value,
        },
        plain => plain,
    };
    if rest.as_str().is_empty() { Ok(value) } else { Err(UnquoteError::Syntax) }
}

/// What an escape sequence stands for.
enum Escape {
    /// `\xNN` and `\NNN`: a byte of the text's encoding, not a character.
    Byte(u8),
    Char(char),
}

fn interpreted(inside: &str) -> Result<String, UnquoteError> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(next) = rest.next() {
        let value = match next {
            '"' | '\n' => return Err(UnquoteError::Syntax),
            '\\' => escape(&mut rest, '"')?,
            plain => Escape::Char(plain),
        };
        match value {
            Escape::Byte(byte) => bytes.push(byte),
            Escape::Char(value) => bytes.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    String::from_utf8(bytes).map_err(|_| UnquoteError::NotUtf8)
}

fn raw(inside: &str) -> Result<String, UnquoteError> {
    if inside.contains('`') { Err(UnquoteError::Syntax) } else { Ok(inside.replace('\r', "")) }
}

/// Reads what follows a backslash. Of the two quotes only the one that encloses the text may be escaped.
fn escape(rest: &mut Chars<'_>, enclosing: char) -> Result<Escape, UnquoteError> {
    let letter = rest.next().ok_or(UnquoteError::Syntax)?;
    let value = match letter {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        '\\' => '\\',
        '"' | '\'' if letter == enclosing => letter,
        'x' => return byte(digits(rest, 2, 16)?),
        '0'..='7' => return octal(rest, letter),
        'u' => code_point(digits(rest, 4, 16)?)?,
        'U' => code_point(digits(rest, 8, 16)?)?,
        _ => return Err(UnquoteError::Syntax),
    };
    Ok(Escape::Char(value))
}

fn octal(rest: &mut Chars<'_>, first: char) -> Result<Escape, UnquoteError> {
    let first = first.to_digit(8).ok_or(UnquoteError::Syntax)?;
    byte(first * 64 + digits(rest, 2, 8)?)
}

fn digits(rest: &mut Chars<'_>, count: usize, radix: u32) -> Result<u32, UnquoteError> {
    let mut value: u32 = 0;
    for _ in 0..count {
        let digit = rest.next().and_then(|c| c.to_digit(radix)).ok_or(UnquoteError::Syntax)?;
        value = value * radix + digit;
    }
    Ok(value)
}

fn byte(value: u32) -> Result<Escape, UnquoteError> {
    u8::try_from(value).map(Escape::Byte).map_err(|_| UnquoteError::Syntax)
}

fn code_point(value: u32) -> Result<char, UnquoteError> {
    char::from_u32(value).ok_or(UnquoteError::Syntax)
}
