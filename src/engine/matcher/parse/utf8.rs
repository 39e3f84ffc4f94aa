//! The UTF-8 syntax: any name, quoted where it must be; values always there; braces in pairs.
//!
//! ```text
//! input   := [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]
//! matcher := name ( "=" | "!=" | "=~" | "!~" ) value
//! ```

mod lexer;

use watchbell_golang::quote::unquote;

pub(in crate::matcher) use self::lexer::is_reserved;
use self::lexer::{Kind, Lexer, Token};
use super::ParseError;
use crate::matcher::Matcher;

/// Reads any number of matchers.
pub(super) fn matchers(input: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut parser = Parser { lexer: Lexer::new(input), opened: false };
    parser.input()
}

struct Parser<'i> {
    lexer: Lexer<'i>,
    /// Whether a brace was opened.
    opened: bool,
}

/// What a name or a value can be.
const WORD: [Kind; 2] = [Kind::Quoted, Kind::Unquoted];

impl<'i> Parser<'i> {
    fn input(&mut self) -> Result<Vec<Matcher>, ParseError> {
        let mut found = Vec::new();
        if self.lexer.peek()?.is_some_and(|token| token.kind == Kind::OpenBrace) {
            self.lexer.next()?;
            self.opened = true;
        }
        let mut more = self.lexer.peek()?.is_some_and(|token| token.kind != Kind::CloseBrace);
        while more {
            found.push(self.matcher()?);
            more = self.comma()?;
        }
        self.close()?;
        Ok(found)
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let name = self.expect(|kind| WORD.contains(&kind), "expected label name")?;
        let name = text(&name)?;
        let op = self.expect(|kind| kind.op().is_some(), "expected an operator such as '=', '!=', '=~' or '!~'")?;
        let op = op.kind.op().expect("only operators were let through");
        let value = self.expect(|kind| WORD.contains(&kind), "expected label value")?;
        Matcher::new(name, op, text(&value)?).map_err(ParseError::Create)
    }

    /// Reads what follows a matcher, and says whether another one does.
    fn comma(&mut self) -> Result<bool, ParseError> {
        const EXPECTED: &str = "expected a comma or close brace";
        const EXPECTED_AFTER: &str = "expected a matcher or close brace after comma";
        match self.peek(EXPECTED)? {
            Some(token) if token.kind == Kind::Comma => {}
            None | Some(Token { kind: Kind::CloseBrace, .. }) => return Ok(false),
            Some(token) => return Err(unexpected(&token, EXPECTED)),
        }
        self.lexer.next()?;
        match self.peek(EXPECTED_AFTER)? {
            Some(token) if WORD.contains(&token.kind) => Ok(true),
            None | Some(Token { kind: Kind::CloseBrace, .. }) => Ok(false),
            Some(token) => Err(unexpected(&token, EXPECTED_AFTER)),
        }
    }

    /// Reads the closing brace, if one was opened, and the end of the input.
    fn close(&mut self) -> Result<(), ParseError> {
        const EXPECTED: &str = "expected end of input";
        match (self.lexer.next()?, self.opened) {
            (None, true) => {
                return Err(ParseError::Grammar(format!(
                    "0:{}: end of input: expected close brace",
                    self.lexer.column()
                )));
            }
            (Some(token), false) => {
                return Err(ParseError::Grammar(format!("0:{}: {}: expected opening brace", token.end, token.text)));
            }
            (None, false) | (Some(_), true) => {}
        }
        match self.peek(EXPECTED)? {
            None => Ok(()),
            Some(token) => Err(ParseError::Grammar(format!("{token}: {EXPECTED}"))),
        }
    }

    fn expect(&mut self, accept: impl Fn(Kind) -> bool, expected: &str) -> Result<Token<'i>, ParseError> {
        let token = self.peek(expected)?.ok_or_else(|| ParseError::Grammar(format!("end of input: {expected}")))?;
        if !accept(token.kind) {
            return Err(unexpected(&token, expected));
        }
        self.lexer.next()?;
        Ok(token)
    }

    fn peek(&self, expected: &str) -> Result<Option<Token<'i>>, ParseError> {
        self.lexer.peek().map_err(|error| ParseError::Grammar(format!("{error}: {expected}")))
    }
}

fn unexpected(token: &Token<'_>, expected: &str) -> ParseError {
    ParseError::Grammar(format!("{}:{}: unexpected {}: {expected}", token.start, token.end, token.text))
}

/// What a name or a value means.
fn text(token: &Token<'_>) -> Result<String, ParseError> {
    if token.kind == Kind::Unquoted {
        return Ok(token.text.to_owned());
    }
    unquote(token.text).map_err(|_| ParseError::Grammar(format!("{token}: invalid input")))
}
