//! Integers under their verbs.

use super::Output;
use super::spec::Spec;

impl Spec {
    /// A signed integer; false if the verb does not print integers.
    pub(super) fn signed(&self, value: i64, out: &mut Output) -> bool {
        match self.verb {
            'v' => self.integer(value < 0, value.unsigned_abs(), out),
            // Go takes the bits of a negative number for a code that no character has.
            'c' | 'q' | 'U' => return self.unsigned(value as u64, out),
            'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.integer(value < 0, value.unsigned_abs(), out),
            _ => return false,
        }
        true
    }

    /// An unsigned integer; false if the verb does not print integers.
    pub(super) fn unsigned(&self, value: u64, out: &mut Output) -> bool {
        match self.verb {
            'v' if self.source => {
                Self { verb: 'x', sharp: true, ..self.clone() }.integer(false, value, out);
            }
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.integer(false, value, out),
            'c' => self.character(value, out),
            'q' => self.quoted_character(value, out),
            'U' => self.code_point(value, out),
            _ => return false,
        }
        true
    }

    fn integer(&self, negative: bool, magnitude: u64, out: &mut Output) {
        if self.precision == Some(0) && magnitude == 0 {
            return self.pad_with_spaces("", out);
        }
        let sign = match () {
            () if negative => "-",
            () if self.plus => "+",
            () if self.space => " ",
            () => "",
        };
        let digits = self.digits(magnitude);
        let least = self.least_digits(sign.len());
        let filled = format!("{digits:0>least$}");
        let prefix = self.prefix(&filled);
        self.pad_with_spaces(&format!("{sign}{prefix}{filled}"), out);
    }

    fn digits(&self, magnitude: u64) -> String {
        match self.verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        }
    }

    /// How many digits the precision, or else the width with zeros, demands.
    fn least_digits(&self, sign: usize) -> usize {
        match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(sign),
            _ => 0,
        }
    }

    fn prefix(&self, digits: &str) -> &'static str {
        match self.verb {
            'O' => "0o",
            'b' if self.sharp => "0b",
            'o' if self.sharp && !digits.starts_with('0') => "0",
            'x' if self.sharp => "0x",
            'X' if self.sharp => "0X",
            _ => "",
        }
    }
}
