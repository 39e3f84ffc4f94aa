//! Template text as tokens. It knows the delimiters, trim markers and comments, not the grammar.

mod action;
mod number;

use crate::ast::Pos;

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const COMMENT_OPEN: &str = "/*";
const COMMENT_CLOSE: &str = "*/";
/// What trim markers remove, and what stands next to them.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// What a token is. Its text is the slice of the source that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Identifier,
    Keyword,
    Bool,
    Nil,
    Dot,
    Field,
    Variable,
    Number,
    Char,
    String,
    RawString,
    Pipe,
    Assign,
    Declare,
    LeftParen,
    RightParen,
    Comma,
    /// Any other printable ASCII character; no rule accepts it.
    Other,
    /// The lexer stopped here; the token's text is the message.
    Error,
    Eof,
}

/// One token. `text` borrows from the source, or is a message if the lexer failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) pos: Pos,
    pub(crate) text: std::borrow::Cow<'a, str>,
}

/// The tokens of `source`; the last one is `Eof` or `Error`.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { source, pos: 0, parens: 0, tokens: Vec::new() };
    if let Err((pos, message)) = lexer.run() {
        lexer.tokens.push(Token { kind: Kind::Error, pos, text: message.into() });
    }
    lexer.tokens
}

/// Where and why the lexer stopped.
type Failure = (Pos, String);

struct Lexer<'a> {
    source: &'a str,
    pos: Pos,
    parens: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), Failure> {
        let mut trim_start = false;
        loop {
            let open = self.rest().find(LEFT);
            self.text(open.unwrap_or(self.rest().len()), trim_start, open.is_some());
            if open.is_none() {
                self.push(Kind::Eof, 0);
                return Ok(());
            }
            trim_start = if self.comment_follows() { self.comment()? } else { self.action()? };
        }
    }

    /// Takes the text before the next delimiter, less what the trim markers on either side remove.
    fn text(&mut self, length: usize, trim_start: bool, action_follows: bool) {
        let (raw, after) = self.rest().split_at(length);
        let mut kept = if trim_start { raw.trim_start_matches(SPACES) } else { raw };
        let start = self.pos + raw.len() - kept.len();
        if action_follows && trims_before(&after[LEFT.len()..]) {
            kept = kept.trim_end_matches(SPACES);
        }
        if !kept.is_empty() {
            self.tokens.push(Token { kind: Kind::Text, pos: start, text: kept.into() });
        }
        self.pos += length;
    }

    fn comment_follows(&self) -> bool {
        let inside = &self.rest()[LEFT.len()..];
        let inside = if trims_before(inside) { &inside[2..] } else { inside };
        inside.starts_with(COMMENT_OPEN)
    }

    /// Skips a comment. Answers whether it trims the text after it.
    fn comment(&mut self) -> Result<bool, Failure> {
        let start = self.pos;
        let open = self.rest().find(COMMENT_OPEN).expect("a comment follows") + COMMENT_OPEN.len();
        let Some(close) = self.rest()[open..].find(COMMENT_CLOSE) else {
            return Err((start, "unclosed comment".into()));
        };
        self.pos += open + close + COMMENT_CLOSE.len();
        match closing_delimiter(self.rest()) {
            Some((length, trims)) => {
                self.pos += length;
                Ok(trims)
            }
            None => Err((start, "comment ends before closing delimiter".into())),
        }
    }

    /// Takes an action. Answers whether it trims the text after it.
    fn action(&mut self) -> Result<bool, Failure> {
        self.push(Kind::LeftDelim, LEFT.len());
        if trims_before(self.rest()) {
            self.pos += 2;
        }
        self.parens = 0;
        loop {
            if let Some((length, trims)) = closing_delimiter(self.rest()) {
                return self.close(length, trims);
            }
            self.inside_action()?;
        }
    }

    fn close(&mut self, length: usize, trims: bool) -> Result<bool, Failure> {
        if self.parens > 0 {
            return Err((self.pos, "unclosed left paren".into()));
        }
        self.push(Kind::RightDelim, length);
        Ok(trims)
    }

    fn rest(&self) -> &'a str {
        &self.source[self.pos..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = self.rest()[..length].into();
        self.tokens.push(Token { kind, pos: self.pos, text });
        self.pos += length;
    }
}

/// Whether the inside of an action begins with a trim marker.
fn trims_before(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

/// The length of the closing delimiter at the start of `rest`, and whether it trims.
fn closing_delimiter(rest: &str) -> Option<(usize, bool)> {
    if rest.starts_with(RIGHT) {
        return Some((RIGHT.len(), false));
    }
    let trims = rest.starts_with(SPACES) && rest[1..].starts_with("-}}");
    trims.then_some((RIGHT.len() + 2, true))
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, String)> {
        tokens(source).into_iter().map(|token| (token.kind, token.text.into_owned())).collect()
    }

    #[test]
    fn trim_markers_take_the_white_space_beside_them() {
        let texts = |source| {
            let texts = kinds(source).into_iter().filter(|(kind, _)| *kind == Kind::Text);
            texts.map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts("a \n{{- 1 -}}\t\r\n b"), ["a", "b"]);
        assert_eq!(texts("a {{/* c */}} b"), ["a ", " b"]);
        assert_eq!(texts("a {{- /* c */ -}} b"), ["a", "b"]);
        assert_eq!(texts(" {{- 1 -}} {{- 2 -}} "), Vec::<String>::new());
    }

    #[test]
    fn every_byte_of_an_action_belongs_to_a_token() {
        let source = "{{ $x := (.A.B \"}}\" `r` 'c' 0x1F)|f,true nil if}}";
        let mut end = 0;
        for token in tokens(source) {
            assert_eq!(token.pos, end, "{token:?}");
            end = token.pos + token.text.len();
        }
        assert_eq!(end, source.len());
    }

    #[test]
    fn a_minus_beside_a_delimiter_is_a_sign_unless_a_space_makes_it_a_marker() {
        let number = |source| kinds(source).into_iter().find(|(kind, _)| *kind == Kind::Number).map(|(_, text)| text);
        assert_eq!(number("{{-3}}").as_deref(), Some("-3"));
        assert_eq!(number("{{- 3}}").as_deref(), Some("3"));
    }

    #[test]
    fn the_last_token_says_how_it_ended() {
        let last = |source| kinds(source).pop().expect("there is always one");
        assert_eq!(last("text").0, Kind::Eof);
        assert_eq!(last("{{ \"x }}"), (Kind::Error, "unterminated quoted string".into()));
        assert_eq!(last("{{ x"), (Kind::Error, "unclosed action".into()));
        assert_eq!(last("{{ (x }}"), (Kind::Error, "unclosed left paren".into()));
    }
}
