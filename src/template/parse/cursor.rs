//! A place in the tokens, and the errors that a wrong token there makes.

use std::sync::Arc;

use crate::ast::{Pos, Source};
use crate::error::TemplateError;
use crate::lex::{Kind, Token};
use watchbell_golang::quote::quote;

pub(super) struct Cursor<'a> {
    pub(super) source: Arc<Source>,
    tokens: &'a [Token<'a>],
    next: usize,
    /// Where the current action began; an error that shows lines later names it.
    pub(super) action_start: Pos,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &Arc<Source>, tokens: &'a [Token<'a>]) -> Self {
        Self { source: source.clone(), tokens, next: 0, action_start: 0 }
    }

    /// The next token, white space included. The last token is never passed.
    pub(super) fn peek(&self) -> &'a Token<'a> {
        self.ahead(0)
    }

    /// The token `distance` after the next one.
    pub(super) fn ahead(&self, distance: usize) -> &'a Token<'a> {
        &self.tokens[(self.next + distance).min(self.tokens.len() - 1)]
    }

    /// The next token that is not white space.
    pub(super) fn peek_word(&self) -> &'a Token<'a> {
        let skipped = usize::from(self.peek().kind == Kind::Space);
        self.ahead(skipped)
    }

    pub(super) fn next(&mut self) -> &'a Token<'a> {
        let token = self.peek();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn next_word(&mut self) -> &'a Token<'a> {
        if self.peek().kind == Kind::Space {
            self.next();
        }
        self.next()
    }

    /// Whether `{{ define` comes next.
    pub(super) fn at_definition(&self) -> bool {
        let skipped = usize::from(self.ahead(1).kind == Kind::Space);
        let keyword = self.ahead(1 + skipped);
        self.peek().kind == Kind::LeftDelim && keyword.kind == Kind::Keyword && keyword.text == "define"
    }

    pub(super) fn expect(&mut self, kind: Kind, context: &str) -> Result<(), Box<TemplateError>> {
        let token = self.next_word();
        if token.kind == kind { Ok(()) } else { Err(self.unexpected(token, context)) }
    }

    pub(super) fn error(&self, pos: Pos, message: String) -> Box<TemplateError> {
        Box::new(TemplateError::parse(&self.source, pos, message))
    }

    /// The error of a token that has no place in `context`, or the lexer's own error.
    pub(super) fn unexpected(&self, token: &Token<'_>, context: &str) -> Box<TemplateError> {
        if token.kind != Kind::Error {
            return self.error(token.pos, format!("unexpected {} in {context}", shown(token)));
        }
        let start = self.source.locate(self.action_start).0;
        let mut message = token.text.to_string();
        if start != self.source.locate(token.pos).0 {
            let noun = if message.ends_with(" action") { "" } else { " in action" };
            message.push_str(&format!("{noun} started at {}:{start}", self.source.name));
        }
        self.error(token.pos, message)
    }
}

/// A token as an error names it.
fn shown(token: &Token<'_>) -> String {
    const LONGEST: usize = 10;
    match token.kind {
        Kind::Eof => "EOF".into(),
        Kind::Keyword | Kind::Nil | Kind::Dot => format!("<{}>", token.text),
        _ if token.text.len() > LONGEST => {
            format!("{}...", quote(&token.text.chars().take(LONGEST).collect::<String>()))
        }
        _ => quote(&token.text),
    }
}
