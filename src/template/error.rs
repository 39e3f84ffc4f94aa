//! Why a template could not be read or rendered, in Go's words and with its place.

use std::fmt::{Display, Formatter, Result};

use crate::ast::{Pos, Source, Tree};
use watchbell_golang::quote::quote;

/// What went wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// At which step it went wrong.
    pub kind: ErrorKind,
    /// The base name of the file that holds the place, or "" for a field of the configuration.
    pub file: String,
    /// The line of the place, from 1; 0 if there is no place.
    pub line: usize,
    /// The byte within the line, from 0 as Go counts.
    pub column: usize,
    /// The name of the template that was executing, or "" for a field of the configuration.
    pub template: String,
    /// The part of the template that failed, as source text; `None` unless it was executing.
    pub context: Option<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

/// The step at which a template went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not a template: refused at load.
    Parse,
    /// The HTML escaper cannot tell what is safe at this place: refused at load.
    Escape,
    /// A value did not fit: seen when rendering.
    Execute,
    /// A bound was exceeded: recursion, steps or the size of the output.
    Limit,
}

impl TemplateError {
    /// An error at `pos` of `source`, found before execution.
    pub(crate) fn parse(source: &Source, pos: Pos, message: String) -> Self {
        let (line, column) = source.locate(pos);
        Self {
            kind: ErrorKind::Parse,
            file: source.name.clone(),
            line,
            column,
            template: source.name.clone(),
            context: None,
            message,
        }
    }

    /// An error at `pos` of `tree`, found by the HTML engine.
    pub(crate) fn escape(tree: &Tree, pos: Pos, problem: impl Display) -> Self {
        let template = tree.name.clone();
        Self { kind: ErrorKind::Escape, template, ..Self::parse(&tree.source, pos, problem.to_string()) }
    }

    /// The same error, with how the place was come to.
    pub(crate) fn within(self, way: &str) -> Self {
        Self { message: format!("{way}: {}", self.message), ..self }
    }

    /// An error of `kind` while `tree` executes the part that begins at `pos` and reads `context`.
    pub(crate) fn at(kind: ErrorKind, tree: &Tree, pos: Pos, context: String, message: String) -> Self {
        let (line, column) = tree.source.locate(pos);
        let file = tree.source.name.clone();
        Self { kind, file, line, column, template: tree.name.clone(), context: Some(context), message }
    }
}

impl Display for TemplateError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.context {
            None if self.kind == ErrorKind::Escape => {
                write!(f, "html/template:{}:{}:{}: {}", self.file, self.line, self.column, self.message)
            }
            None if self.line == 0 => write!(f, "template: {}", self.message),
            None => write!(f, "template: {}:{}: {}", self.file, self.line, self.message),
            Some(context) => write!(
                f,
                "template: {}:{}:{}: executing {} at <{context}>: {}",
                self.file,
                self.line,
                self.column,
                quote(&self.template),
                self.message
            ),
        }
    }
}

impl std::error::Error for TemplateError {}
