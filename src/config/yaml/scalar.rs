//! What a scalar means by the rules of YAML 1.1 as Go's `yaml.v2` has them: `yes` is a boolean, `010` is eight.

use serde_saphyr::granit_parser::{ScalarStyle, Tag};

/// A scalar as written, with escapes and folding undone.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    kind: Kind,
}

/// How a scalar asks to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// By its text.
    Plain,
    /// As text: it is quoted, or tagged with anything but the types below.
    Text,
    /// As nothing: `!!null`.
    Null,
}

/// A scalar's meaning where no type is asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub(super) fn new(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Self {
        let kind = match tag.and_then(Tag::core_suffix) {
            Some("null") => Kind::Null,
            Some("bool" | "int" | "float") => Kind::Plain,
            Some(_) => Kind::Text,
            None if tag.is_none() && style == ScalarStyle::Plain => Kind::Plain,
            None => Kind::Text,
        };
        Self { text, kind }
    }

    /// The value of a key without a value.
    pub(super) fn null() -> Self {
        Self { text: String::new(), kind: Kind::Null }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.meaning(), Meaning::Null)
    }

    /// Whether this, as a key, stands for the entries of another mapping.
    pub(super) fn is_merge(&self) -> bool {
        self.kind == Kind::Plain && self.text == "<<"
    }

    pub(super) fn meaning(&self) -> Meaning<'_> {
        match self.kind {
            Kind::Null => Meaning::Null,
            Kind::Text => Meaning::Text(&self.text),
            Kind::Plain => plain(&self.text),
        }
    }

    /// The tag by which `yaml.v2` names the type in its errors.
    pub(super) fn tag(&self) -> &'static str {
        match self.meaning() {
            Meaning::Null => "!!null",
            Meaning::Bool(_) => "!!bool",
            Meaning::Signed(_) | Meaning::Unsigned(_) => "!!int",
            Meaning::Float(_) => "!!float",
            Meaning::Text(_) => "!!str",
        }
    }
}

fn plain(text: &str) -> Meaning<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Meaning::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Meaning::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Meaning::Float(f64::NEG_INFINITY),
        _ => number(text).unwrap_or(Meaning::Text(text)),
    }
}

fn number(text: &str) -> Option<Meaning<'static>> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let text = text.replace('_', "");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    match unsigned(digits) {
        Some(value) if negative => 0i64.checked_sub_unsigned(value).map(Meaning::Signed),
        Some(value) => Some(i64::try_from(value).map_or(Meaning::Unsigned(value), Meaning::Signed)),
        None => float(&text),
    }
}

/// Digits with one of Go's prefixes for another base: `0x`, `0o`, `0b`, and a plain `0` for eight.
fn unsigned(digits: &str) -> Option<u64> {
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, base).ok() }
}

/// Only digits, a point and an exponent; not the words (`inf`, `nan`) that Rust reads as well.
fn float(text: &str) -> Option<Meaning<'static>> {
    let number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if number { text.parse().ok().map(Meaning::Float) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_means_what_yaml_1_1_says() {
        for (text, meaning) in [
            ("on", Meaning::Bool(true)),
            ("N", Meaning::Bool(false)),
            ("oN", Meaning::Text("oN")),
            ("~", Meaning::Null),
            ("010", Meaning::Signed(8)),
            ("0x1F", Meaning::Signed(31)),
            ("-12", Meaning::Signed(-12)),
            ("1_000", Meaning::Signed(1000)),
            ("18446744073709551615", Meaning::Unsigned(u64::MAX)),
            ("1.5e3", Meaning::Float(1500.0)),
            ("12:30", Meaning::Text("12:30")),
            ("inf", Meaning::Text("inf")),
            ("-", Meaning::Text("-")),
        ] {
            assert_eq!(plain(text), meaning, "{text}");
        }
    }
}
