//! Go's regular expressions (RE2 syntax, as Go 1.22 and later read it) on the `regex` crate.
//!
//! A pattern is read by Go's rules and refused in Go's words, and only then handed on, spelled so that the crate
//! gives it Go's meaning: `\d`, `\w`, `\s` and `\b` are ASCII, `{` may be a literal, `&&` in a class is two
//! ampersands. What clients get back from us they compile with Go, so nothing may pass here that Go would refuse.
//!
//! Differences that are left, all on the strict side: the bounds below are tighter than Go's; a matcher's pattern
//! must be whole by itself (`a)|(b` is refused, though Go takes it between `^(?:` and `)$`); and the names that only
//! Go 1.25 and later know in `\p{…}` (`\p{Letter}`, `\p{greek}`) are refused, as older clients refuse them.

mod class;
mod cursor;
mod escape;
mod replace;
mod shared;
mod translate;
mod unicode;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::translate::{Groups, Translation, translate};

/// How long a pattern may be, in bytes. A list of two thousand host names is an honest pattern of this length; a
/// longer one only costs memory on each node that holds it.
pub const MAX_PATTERN_BYTES: usize = 64 * 1024;

/// How much memory a compiled pattern may take, in bytes: `\pL{100}` stays below, a repetition that multiplies
/// Unicode classes a thousand times does not.
const MAX_COMPILED_BYTES: usize = 10 * 1024 * 1024;

/// How deep the syntax tree given to the crate may be. Each of our own levels (see [`translate::MAX_DEPTH`]) makes
/// at most four: group, alternation, concatenation, repetition.
const MAX_TREE_DEPTH: u32 = 4 * translate::MAX_DEPTH + 8;

/// A regular expression that means what Go means by it. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Regex(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: Box<str>,
    regex: regex::Regex,
    /// The names of the capture groups from the first on, `""` for one without a name. `None` if anchored.
    group_names: Option<Box<[Box<str>]>>,
}

/// Why a pattern was refused, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {0}")]
pub struct RegexError(pub String);

impl Regex {
    /// Compiles `pattern` unanchored, as templates use it.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let Translation { text, group_names } = translate_bounded(pattern, Groups::Capture)?;
        Ok(Self(Arc::new(Compiled::new(pattern, &text, Some(group_names.into()))?)))
    }

    /// Compiles `pattern` so that it must match the whole text, as matchers use it (`^(?:pattern)$`). Equal ones that are
    /// in use are one: many silences and routes say the same, and compiling costs a hundred times what matching does.
    pub fn anchored(pattern: &str) -> Result<Self, RegexError> {
        if let Some(known) = shared::find(pattern) {
            return Ok(Self(known));
        }
        let Translation { text, .. } = translate_bounded(pattern, Groups::Ignore)?;
        let compiled = Arc::new(Compiled::new(pattern, &format!(r"\A(?:{text})\z"), None)?);
        shared::note(&compiled);
        Ok(Self(compiled))
    }

    /// Whether the expression matches somewhere in `text` (everywhere, if it is anchored).
    pub fn is_match(&self, text: &str) -> bool {
        self.0.regex.is_match(text)
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.0.source
    }

    /// `text` with each match replaced by `template`, in which `$1`, `${1}`, `$name` and `${name}` stand for what a
    /// group matched and `$$` for a dollar: Go's `Regexp.ReplaceAllString`.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        replace::replace_all(&self.0.regex, self.0.group_names.as_deref().unwrap_or_default(), text, template)
    }
}

impl Compiled {
    fn new(pattern: &str, text: &str, group_names: Option<Box<[Box<str>]>>) -> Result<Self, RegexError> {
        let regex = regex::RegexBuilder::new(text)
            .size_limit(MAX_COMPILED_BYTES)
            .nest_limit(MAX_TREE_DEPTH)
            .build()
            .map_err(|error| RegexError::from_compiler(&error, pattern))?;
        Ok(Self { source: pattern.into(), regex, group_names })
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        if self.group_names.is_none() {
            shared::forget(&self.source);
        }
    }
}

impl RegexError {
    /// Go's form: what is wrong, and the piece of the pattern that is.
    fn at(what: &str, piece: &str) -> Self {
        Self(format!("{what}: `{piece}`"))
    }

    /// What was translated is well-formed, so the compiler can only find it too large or too deep.
    fn from_compiler(error: &regex::Error, pattern: &str) -> Self {
        match error {
            regex::Error::CompiledTooBig(_) => Self::at("expression too large", pattern),
            _ => Self::at("expression nests too deeply", pattern),
        }
    }
}

fn translate_bounded(pattern: &str, groups: Groups) -> Result<Translation, RegexError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let excess = format!("expression too large: {} bytes, at most {MAX_PATTERN_BYTES} are allowed", pattern.len());
        return Err(RegexError(excess));
    }
    translate(pattern, groups)
}
