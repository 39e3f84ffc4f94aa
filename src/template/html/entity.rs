//! HTML's character references, as far as they can change what a script, style or URL in an attribute means.

use std::borrow::Cow;

/// The names of ASCII characters, and of the space that is not one of JavaScript's.
const NAMES: [(&str, &str); 49] = [
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("excl", "!"),
    ("quot", "\""),
    ("QUOT", "\""),
    ("num", "#"),
    ("dollar", "$"),
    ("percnt", "%"),
    ("amp", "&"),
    ("AMP", "&"),
    ("apos", "'"),
    ("lpar", "("),
    ("rpar", ")"),
    ("ast", "*"),
    ("midast", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("period", "."),
    ("sol", "/"),
    ("colon", ":"),
    ("semi", ";"),
    ("lt", "<"),
    ("LT", "<"),
    ("equals", "="),
    ("gt", ">"),
    ("GT", ">"),
    ("quest", "?"),
    ("commat", "@"),
    ("lsqb", "["),
    ("lbrack", "["),
    ("bsol", "\\"),
    ("rsqb", "]"),
    ("rbrack", "]"),
    ("Hat", "^"),
    ("lowbar", "_"),
    ("UnderBar", "_"),
    ("grave", "`"),
    ("DiacriticalGrave", "`"),
    ("lcub", "{"),
    ("lbrace", "{"),
    ("verbar", "|"),
    ("vert", "|"),
    ("VerticalLine", "|"),
    ("rcub", "}"),
    ("rbrace", "}"),
    ("fjlig", "fj"),
    ("nbsp", "\u{a0}"),
    ("NonBreakingSpace", "\u{a0}"),
    ("shy", "\u{ad}"),
];

/// The names that browsers read without their semicolon.
const LEGACY: [&str; 10] = ["quot", "QUOT", "amp", "AMP", "lt", "LT", "gt", "GT", "nbsp", "shy"];

/// `text` with its character references read. A reference that is not known here stays as it is.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (reference, length) = numeric(rest).or_else(|| named(rest)).unwrap_or((Cow::Borrowed("&"), 0));
        decoded.push_str(&reference);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// `#39;`, `#x27;`: the character and the length of the reference. The semicolon may be missing.
fn numeric(rest: &str) -> Option<(Cow<'static, str>, usize)> {
    let number = rest.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    if length == 0 {
        return None;
    }
    let code = u32::from_str_radix(&digits[..length], radix).unwrap_or(u32::MAX);
    let character = char::from_u32(code).filter(|&c| c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER);
    let end = rest.len() - digits.len() + length;
    Some((character.to_string().into(), end + usize::from(rest[end..].starts_with(';'))))
}

/// `quot;`: the character and the length of the reference.
fn named(rest: &str) -> Option<(Cow<'static, str>, usize)> {
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    if rest[length..].starts_with(';') {
        let (name, text) = NAMES.iter().find(|(name, _)| *name == &rest[..length])?;
        return Some((Cow::Borrowed(*text), name.len() + 1));
    }
    let name = LEGACY.iter().find(|name| rest.starts_with(**name))?;
    NAMES.iter().find(|(known, _)| known == name).map(|(name, text)| (Cow::Borrowed(*text), name.len()))
}
