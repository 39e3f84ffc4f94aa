//! Strings and characters under their verbs.

use super::Output;
use super::spec::Spec;
use watchbell_golang::quote::quote;

impl Spec {
    /// A string under `%v`, `%s`, `%q`, `%x` or `%X`; false if the verb is none of these.
    pub(super) fn text(&self, text: &str, out: &mut Output) -> bool {
        match self.verb {
            'q' | 'v' if self.verb == 'q' || self.source => self.pad(&self.quoted(self.cut(text)), out),
            'v' | 's' => self.pad(self.cut(text), out),
            'x' | 'X' => self.pad(&self.hexadecimal(text.as_bytes()), out),
            _ => return false,
        }
        true
    }

    /// A character under `%c`.
    pub(super) fn character(&self, code: u64, out: &mut Output) {
        self.pad(to_char(code).encode_utf8(&mut [0; 4]), out);
    }

    /// A character under `%q`.
    pub(super) fn quoted_character(&self, code: u64, out: &mut Output) {
        let quoted = match to_char(code) {
            '\'' => r"'\''".to_owned(),
            '"' => "'\"'".to_owned(),
            c => {
                let double = quote(c.encode_utf8(&mut [0; 4]));
                format!("'{}'", &double[1..double.len() - 1])
            }
        };
        self.pad(&if self.plus { to_ascii(&quoted) } else { quoted }, out);
    }

    /// A character under `%U`.
    pub(super) fn code_point(&self, code: u64, out: &mut Output) {
        let digits = self.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{code:0digits$X}");
        if let Some(c) = u32::try_from(code).ok().and_then(char::from_u32).filter(|&c| self.sharp && is_printable(c)) {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_with_spaces(&text, out);
    }

    /// As many characters as the precision allows.
    fn cut<'a>(&self, text: &'a str) -> &'a str {
        let end = self.precision.and_then(|limit| text.char_indices().nth(limit));
        end.map_or(text, |(at, _)| &text[..at])
    }

    fn quoted(&self, text: &str) -> String {
        if self.sharp && can_backquote(text) {
            return format!("`{text}`");
        }
        let quoted = quote(text);
        if self.plus { to_ascii(&quoted) } else { quoted }
    }

    fn hexadecimal(&self, bytes: &[u8]) -> String {
        let shown = &bytes[..self.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let upper = self.verb == 'X';
        let prefix = if !self.sharp {
            ""
        } else if upper {
            "0X"
        } else {
            "0x"
        };
        let mut text = String::with_capacity(shown.len() * 2);
        for (index, byte) in shown.iter().enumerate() {
            let separated = self.space && index > 0;
            text.push_str(if separated { " " } else { "" });
            text.push_str(if index == 0 || separated { prefix } else { "" });
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        text
    }
}

/// The character of a code, or the replacement character.
fn to_char(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether Go's quoting shows the character as it is.
fn is_printable(c: char) -> bool {
    c == '"' || c == '\\' || quote(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() + 2
}

fn can_backquote(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || !(c.is_ascii_control() || c == '`' || c == '\u{feff}'))
}

/// A quoted text with its other than ASCII characters as escapes.
fn to_ascii(quoted: &str) -> String {
    let mut ascii = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        match u32::from(c) {
            0..0x80 => ascii.push(c),
            code @ 0x80..0x1_0000 => ascii.push_str(&format!("\\u{code:04x}")),
            code => ascii.push_str(&format!("\\U{code:08x}")),
        }
    }
    ascii
}
