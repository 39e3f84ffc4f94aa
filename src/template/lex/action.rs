//! What stands between the delimiters: names, constants, signs and white space.

use super::{Failure, Kind, Lexer, RIGHT, SPACES, is_alphanumeric, number};
use watchbell_golang::quote::quote;

impl Lexer<'_> {
    /// Takes the next token of an action.
    pub(super) fn inside_action(&mut self) -> Result<(), Failure> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err((self.pos, "unclosed action".into()));
        };
        match first {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.push(Kind::Assign, 1),
            ':' if rest.starts_with(":=") => self.push(Kind::Declare, 2),
            ':' => return Err((self.pos, "expected :=".into())),
            '|' => self.push(Kind::Pipe, 1),
            ',' => self.push(Kind::Comma, 1),
            '"' => return self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => return self.quoted('\'', Kind::Char, "unterminated character constant"),
            '`' => return self.raw_string(),
            '$' => return self.name(Kind::Variable, Kind::Variable),
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => return self.name(Kind::Dot, Kind::Field),
            '.' | '+' | '-' | '0'..='9' => return self.number(),
            '(' => self.open_paren(),
            ')' => return self.close_paren(),
            c if is_alphanumeric(c) => return self.identifier(),
            c if c.is_ascii_graphic() => self.push(Kind::Other, 1),
            c => return Err((self.pos, format!("unrecognized character in action: {}", code_point(c)))),
        }
        Ok(())
    }

    /// Takes white space, but leaves the space of a trim marker to it.
    fn space(&mut self) {
        let rest = self.rest();
        let mut length = rest.len() - rest.trim_start_matches(SPACES).len();
        if rest[length..].starts_with("-}}") {
            length -= 1;
        }
        if length > 0 {
            self.push(Kind::Space, length);
        }
    }

    fn open_paren(&mut self) {
        self.parens += 1;
        self.push(Kind::LeftParen, 1);
    }

    fn close_paren(&mut self) -> Result<(), Failure> {
        if self.parens == 0 {
            return Err((self.pos, "unexpected right paren".into()));
        }
        self.parens -= 1;
        self.push(Kind::RightParen, 1);
        Ok(())
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), Failure> {
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    self.push(kind, offset + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err((self.pos, unterminated.into()))
    }

    fn raw_string(&mut self) -> Result<(), Failure> {
        match self.rest()[1..].find('`') {
            Some(end) => {
                self.push(Kind::RawString, end + 2);
                Ok(())
            }
            None => Err((self.pos, "unterminated raw quoted string".into())),
        }
    }

    /// Takes `.name` or `$name`, or its first character `alone`.
    fn name(&mut self, alone: Kind, named: Kind) -> Result<(), Failure> {
        let rest = self.rest();
        let length = 1 + word_length(&rest[1..]);
        self.terminated(length)?;
        self.push(if length == 1 { alone } else { named }, length);
        Ok(())
    }

    fn identifier(&mut self) -> Result<(), Failure> {
        let length = word_length(self.rest());
        self.terminated(length)?;
        let kind = match &self.rest()[..length] {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            "block" | "break" | "continue" | "define" | "else" | "end" | "if" | "range" | "template" | "with" => {
                Kind::Keyword
            }
            _ => Kind::Identifier,
        };
        self.push(kind, length);
        Ok(())
    }

    /// Fails unless what follows the word of `length` bytes can stand next to it.
    fn terminated(&self, length: usize) -> Result<(), Failure> {
        let after = &self.rest()[length..];
        match after.chars().next() {
            Some(c) if !SPACES.contains(&c) && !".,|:)(".contains(c) && !after.starts_with(RIGHT) => {
                Err((self.pos, format!("bad character {}", code_point(c))))
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Result<(), Failure> {
        match number::scan(self.rest()) {
            Ok(length) => {
                self.push(Kind::Number, length);
                Ok(())
            }
            Err(text) => Err((self.pos, format!("bad number syntax: {}", quote(text)))),
        }
    }
}

fn word_length(rest: &str) -> usize {
    rest.find(|c| !is_alphanumeric(c)).unwrap_or(rest.len())
}

/// A character as Go's `%#U` shows it: `U+0021 '!'`.
fn code_point(c: char) -> String {
    let shown = if c.is_control() { String::new() } else { format!(" '{c}'") };
    format!("U+{:04X}{shown}", u32::from(c))
}
