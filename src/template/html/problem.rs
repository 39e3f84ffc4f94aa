//! Why a template cannot be escaped: its text leaves open what a browser would make of a value.

use thiserror::Error;
use watchbell_golang::quote::quote;

use super::context::Context;

/// What is wrong with a template's text or with a value's place in it, in the words of Go's `html/template`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Problem {
    #[error("{} in attribute name: {}", quote(.0), quote(.1))]
    AttributeName(String, String),
    #[error("expected space, attr name, or end of tag, but got {}", quote(.0))]
    Tag(String),
    #[error("{} in unquoted attr: {}", quote(.0), quote(.1))]
    Unquoted(String, String),
    #[error("unfinished escape sequence in {language} string: {}", quote(.text))]
    PartialEscape { language: &'static str, text: String },
    #[error("unfinished JS regexp charset: {}", quote(.0))]
    PartialCharset(String),
    #[error("'/' could start a division or regexp: {}", quote(.0))]
    Slash(String),
    #[error("{{{{{0}}}}} branches end in different contexts: {1}, {2}")]
    Branches(&'static str, Context, Context),
    #[error("{0}: {1}")]
    Loop(&'static str, Box<Self>),
    #[error("ends in a non-text context: {0}")]
    End(Context),
    #[error("{0} appears in an ambiguous context within a URL")]
    Url(String),
    #[error("predefined escaper {} disallowed in template", quote(.0))]
    Predefined(String),
    #[error("no such template {}", quote(.0))]
    NoSuchTemplate(String),
    #[error("cannot compute output context for template {0}")]
    OutputContext(String),
    #[error("branches and templates nest more than {0} deep")]
    TooDeep(usize),
    #[error("escaping the template takes more than {0} steps")]
    TooMuch(usize),
}

/// The beginning of `text`, as much as an error message should quote.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}
