//! How far a numeric constant reaches. Whether its value is one is the parser's question.

/// The length of the number at the start of `rest`, or the text that is not one.
pub(super) fn scan(rest: &str) -> Result<usize, &str> {
    let mut length = real(rest);
    if rest[length..].starts_with(['+', '-']) {
        // A complex constant such as `1+2i`; the imaginary part must follow without a space.
        length += real(&rest[length..]);
        if !rest[..length].ends_with('i') {
            return Err(&rest[..length]);
        }
    }
    match rest[length..].chars().next() {
        Some(c) if super::is_alphanumeric(c) => Err(&rest[..length + c.len_utf8()]),
        _ => Ok(length),
    }
}

/// The length of one signed number, with its base, point, exponent and `i`.
fn real(rest: &str) -> usize {
    let mut length = accept(rest, 0, 1, |c| "+-".contains(c));
    let (prefix, digits, exponent) = base(&rest[length..]);
    length += prefix;
    let many = usize::MAX;
    length = accept(rest, length, many, |c| digits.contains(c));
    if rest[length..].starts_with('.') {
        length = accept(rest, length + 1, many, |c| digits.contains(c));
    }
    if accept(rest, length, 1, |c| exponent.contains(c)) > length {
        length = accept(rest, length + 1, 1, |c| "+-".contains(c));
        length = accept(rest, length, many, |c| "0123456789_".contains(c));
    }
    accept(rest, length, 1, |c| c == 'i')
}

/// The length of the base's prefix, its digits and the letters of its exponent.
fn base(rest: &str) -> (usize, &'static str, &'static str) {
    match rest.as_bytes() {
        [b'0', b'x' | b'X', ..] => (2, "0123456789abcdefABCDEF_", "pP"),
        [b'0', b'o' | b'O', ..] => (2, "01234567_", ""),
        [b'0', b'b' | b'B', ..] => (2, "01_", ""),
        _ => (0, "0123456789_", "eE"),
    }
}

/// The position after at most `limit` characters from `start` that are `accepted`.
fn accept(rest: &str, start: usize, limit: usize, accepted: impl Fn(char) -> bool) -> usize {
    start + rest[start..].chars().take(limit).take_while(|&c| accepted(c)).map(char::len_utf8).sum::<usize>()
}
