//! JSON as Go writes it: compact, safe inside HTML, with a line feed at the end.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Bytes of a message about an alert or two.
const COMMON: usize = 2048;

/// `value` in Go's spelling.
pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(COMMON);
    value
        .serialize(&mut Serializer::with_formatter(&mut text, HtmlSafe))
        .expect("texts, numbers, lists and maps by text can be written to memory");
    text.push(b'\n');
    text
}

struct HtmlSafe;

impl Formatter for HtmlSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (safe, special) = rest.split_at(at);
            let character = special.chars().next().expect("`find` found one here");
            write!(writer, "{safe}\\u{:04x}", u32::from(character))?;
            rest = &special[character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_would_take_for_markup_is_escaped() {
        let text = String::from_utf8(to_vec(&["<a&b>\u{2028}é\n\u{8}\"", ""])).unwrap();
        assert_eq!(text, "[\"\\u003ca\\u0026b\\u003e\\u2028é\\n\\b\\\"\",\"\"]\n");
    }
}
