//! How matchers are written and read: the classic syntax, the UTF-8 syntax, and Alertmanager's way between both.

mod classic;
mod utf8;

#[cfg(test)]
mod tests;

use std::fmt;

use watchbell_golang::RegexError;
use watchbell_golang::quote::quote;

use super::{MatchOp, Matcher};

/// How long an input may be, in bytes: room for the longest regular expression with each of its bytes escaped, and
/// as much again for other matchers. It bounds what one request or one line of a configuration can make us do.
pub const MAX_INPUT_BYTES: usize = 4 * watchbell_golang::regex::MAX_PATTERN_BYTES;

/// How matchers are read, and which label names are valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// By both syntaxes. Where they differ the classic one wins, with a warning; where only one can read the input,
    /// that one does.
    #[default]
    Fallback,
    /// By the UTF-8 syntax alone (`utf8-strict-mode`).
    Utf8,
    /// By the classic syntax alone (`classic-mode`).
    Classic,
}

/// What was read, and what its author should be told although it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// The matchers, or the matcher.
    pub value: T,
    /// Set if the two syntaxes see the input differently; only in [`Syntax::Fallback`].
    pub warning: Option<Warning>,
}

/// How the two syntaxes differ on an input. The classic one was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The UTF-8 syntax cannot read it.
    Incompatible {
        /// What was to be read.
        input: String,
        /// What the UTF-8 syntax says against it.
        error: ParseError,
        /// How to write it so that both read the same.
        suggestion: String,
    },
    /// Each reads something else.
    Disagreement {
        /// What was to be read.
        input: String,
    },
}

/// Why an input is not the matchers it should be. The texts are Alertmanager's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The input is longer than [`MAX_INPUT_BYTES`].
    #[error("matchers of {0} bytes are too long, at most {MAX_INPUT_BYTES} are allowed")]
    TooLong(usize),
    /// A single matcher stands without braces.
    #[error("unexpected open or close brace: {0}")]
    Brace(String),
    /// There is nothing where one matcher should be.
    #[error("no matchers")]
    NoMatchers,
    /// There are several where one should be.
    #[error("expected 1 matcher, found {0}")]
    Several(usize),
    /// The classic syntax finds no name, operator and value in this piece.
    #[error("bad matcher format: {0}")]
    Format(String),
    /// The classic syntax finds a quote inside this value, or only one of two around it.
    #[error("matcher value contains unescaped double quote: {0}")]
    UnescapedQuote(String),
    /// The UTF-8 syntax: where (in characters, `start:end`), what was found and what was expected.
    #[error("{0}")]
    Grammar(String),
    /// The classic syntax: the value is no regular expression.
    #[error(transparent)]
    Regex(#[from] RegexError),
    /// The UTF-8 syntax: the value is no regular expression.
    #[error("failed to create matcher: {0}")]
    Create(RegexError),
}

/// Reads any number of matchers, `a="b",c=~"d"`, with or without braces around them.
pub fn matchers(syntax: Syntax, input: &str) -> Result<Parsed<Vec<Matcher>>, ParseError> {
    bound(input)?;
    match syntax {
        Syntax::Utf8 => utf8::matchers(input).map(Parsed::plain),
        Syntax::Classic => classic::matchers(input).map(Parsed::plain),
        Syntax::Fallback => {
            // Alertmanager tells the empty list of one syntax from that of the other.
            let agree = |utf8: &Vec<Matcher>, classic: &Vec<Matcher>| utf8 == classic && !utf8.is_empty();
            fall_back(input, utf8::matchers(input), classic::matchers(input), agree, |found| join(found))
        }
    }
}

/// Reads exactly one matcher, as the API's `filter` and the tool's arguments hold it.
pub fn matcher(syntax: Syntax, input: &str) -> Result<Parsed<Matcher>, ParseError> {
    bound(input)?;
    if syntax == Syntax::Classic {
        return classic::matcher(input).map(Parsed::plain);
    }
    if input.starts_with('{') || input.ends_with('}') {
        return Err(ParseError::Brace(input.to_owned()));
    }
    let utf8 = utf8::matchers(input).and_then(only);
    match syntax {
        Syntax::Fallback => fall_back(input, utf8, classic::matcher(input), Matcher::eq, Matcher::to_string),
        _ => utf8.map(Parsed::plain),
    }
}

/// Whether `name` can name a label.
pub fn is_valid_label_name(syntax: Syntax, name: &str) -> bool {
    match syntax {
        Syntax::Fallback | Syntax::Utf8 => !name.is_empty(),
        Syntax::Classic => {
            let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            starts_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }
    }
}

/// A matcher in canonical form, `name="value"`. A name that the UTF-8 syntax cannot take bare is quoted, and then the
/// value is quoted as Go quotes.
pub fn canonical(name: &str, op: MatchOp, value: &str) -> String {
    if name.contains(utf8::is_reserved) {
        return format!("{}{}{}", quote(name), op.as_str(), quote(value));
    }
    let escaped = value.replace('\\', r"\\").replace('\n', r"\n").replace('"', "\\\"");
    format!("{name}{}\"{escaped}\"", op.as_str())
}

/// Matchers as a route's key holds them, `{a="1",b=~"x"}`, in the order given.
pub fn braced(matchers: &[Matcher]) -> String {
    format!("{{{}}}", join(matchers))
}

impl<T> Parsed<T> {
    fn plain(value: T) -> Self {
        Self { value, warning: None }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incompatible { input, error, suggestion } => write!(
                f,
                "the matchers {input} are incompatible with the UTF-8 syntax ({error}) and were read by the classic \
                 syntax; write them as {suggestion}"
            ),
            Self::Disagreement { input } => write!(
                f,
                "Matchers input has disagreement: {input} means something else in the UTF-8 syntax than in the classic \
                 syntax, by which it was read"
            ),
        }
    }
}

/// Chooses between what the two syntaxes say of an input.
fn fall_back<T>(
    input: &str,
    utf8: Result<T, ParseError>,
    classic: Result<T, ParseError>,
    agree: impl Fn(&T, &T) -> bool,
    print: impl Fn(&T) -> String,
) -> Result<Parsed<T>, ParseError> {
    let input = || input.to_owned();
    let (value, warning) = match (utf8, classic) {
        (Ok(utf8), Err(_)) => (utf8, None),
        (Err(_), Err(error)) => return Err(error),
        (Ok(utf8), Ok(classic)) if agree(&utf8, &classic) => (classic, None),
        (Ok(_), Ok(classic)) => (classic, Some(Warning::Disagreement { input: input() })),
        (Err(error), Ok(classic)) => {
            let suggestion = print(&classic);
            (classic, Some(Warning::Incompatible { input: input(), error, suggestion }))
        }
    };
    Ok(Parsed { value, warning })
}

fn bound(input: &str) -> Result<(), ParseError> {
    if input.len() > MAX_INPUT_BYTES { Err(ParseError::TooLong(input.len())) } else { Ok(()) }
}

fn only(mut matchers: Vec<Matcher>) -> Result<Matcher, ParseError> {
    match (matchers.pop(), matchers.len()) {
        (None, _) => Err(ParseError::NoMatchers),
        (Some(matcher), 0) => Ok(matcher),
        (Some(_), others) => Err(ParseError::Several(others + 1)),
    }
}

fn join(matchers: &[Matcher]) -> String {
    matchers.iter().map(Matcher::to_string).collect::<Vec<_>>().join(",")
}
