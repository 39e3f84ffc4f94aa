//! The tokens of the UTF-8 syntax, and where they stand in the input, counted in characters.

use std::fmt;

use crate::matcher::MatchOp;
use crate::matcher::parse::ParseError;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenBrace,
    CloseBrace,
    Comma,
    Operator(MatchOp),
    Quoted,
    Unquoted,
}

#[derive(Clone, Copy)]
pub(super) struct Token<'i> {
    pub(super) kind: Kind,
    pub(super) text: &'i str,
    /// How many characters stand before it.
    pub(super) start: usize,
    /// How many characters stand before what follows it.
    pub(super) end: usize,
}

/// Reads tokens from the front of its input. Copies read on by themselves.
#[derive(Clone, Copy)]
pub(super) struct Lexer<'i> {
    rest: &'i str,
    /// How many characters stand before the end of the last token.
    column: usize,
}

/// Whether a character cannot be part of an unquoted name or value.
pub(in crate::matcher) fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

impl Kind {
    pub(super) fn op(self) -> Option<MatchOp> {
        match self {
            Self::Operator(op) => Some(op),
            _ => None,
        }
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.start, self.end, self.text)
    }
}

impl<'i> Lexer<'i> {
    pub(super) fn new(input: &'i str) -> Self {
        Self { rest: input, column: 0 }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// The next token, or `None` at the end; it is still there afterwards.
    pub(super) fn peek(&self) -> Result<Option<Token<'i>>, ParseError> {
        let mut ahead = *self;
        ahead.next()
    }

    /// The next token, or `None` at the end, with the white space before it.
    pub(super) fn next(&mut self) -> Result<Option<Token<'i>>, ParseError> {
        let text = self.rest.trim_start();
        let Some(first) = text.chars().next() else { return Ok(None) };
        self.column += self.rest[..self.rest.len() - text.len()].chars().count();
        self.rest = text;
        let token = match first {
            '{' => self.take(Kind::OpenBrace, 1),
            '}' => self.take(Kind::CloseBrace, 1),
            ',' => self.take(Kind::Comma, 1),
            '=' if text.starts_with("=~") => self.take(Kind::Operator(MatchOp::Regex), 2),
            '=' => self.take(Kind::Operator(MatchOp::Equal), 1),
            '!' => self.negated()?,
            '"' => self.quoted()?,
            reserved if is_reserved(reserved) => return Err(self.invalid(1, "invalid input")),
            _ => self.take(Kind::Unquoted, text.find(is_reserved).unwrap_or(text.len())),
        };
        Ok(Some(token))
    }

    fn negated(&mut self) -> Result<Token<'i>, ParseError> {
        match self.rest.as_bytes().get(1) {
            Some(b'=') => Ok(self.take(Kind::Operator(MatchOp::NotEqual), 2)),
            Some(b'~') => Ok(self.take(Kind::Operator(MatchOp::NotRegex), 2)),
            Some(_) => Err(self.invalid(1, "expected one of '=~'")),
            None => Err(ParseError::Grammar(format!(
                "{}:{}: unexpected end of input, expected one of '=~'",
                self.column,
                self.column + 1
            ))),
        }
    }

    fn quoted(&mut self) -> Result<Token<'i>, ParseError> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '"' if !escaped => return Ok(self.take(Kind::Quoted, at + 1)),
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err(self.invalid(self.rest.len(), "missing end \""))
    }

    /// Takes the next `length` bytes for a token.
    fn take(&mut self, kind: Kind, length: usize) -> Token<'i> {
        let (text, rest) = self.rest.split_at(length);
        let token = Token { kind, text, start: self.column, end: self.column + text.chars().count() };
        self.rest = rest;
        self.column = token.end;
        token
    }

    /// An error about the next `length` bytes.
    fn invalid(&self, length: usize, what: &str) -> ParseError {
        let mut ahead = *self;
        ParseError::Grammar(format!("{}: {what}", ahead.take(Kind::Unquoted, length)))
    }
}
