//! Go's regular expressions (RE2 syntax) on the `regex` crate.

/// A regular expression that means what Go means by it.
#[derive(Clone, Debug)]
pub struct Regex {
    source: std::sync::Arc<str>,
    compiled: regex::Regex,
}

/// Why a pattern was refused, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {0}")]
pub struct RegexError(pub String);

impl Regex {
    /// Compiles `pattern` unanchored, as templates use it.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let compiled = regex::Regex::new(pattern).map_err(|e| RegexError(e.to_string()))?;
        Ok(Self { source: pattern.into(), compiled })
    }

    /// Compiles `pattern` so that it must match the whole text, as matchers use it (`^(?:pattern)$`).
    pub fn anchored(pattern: &str) -> Result<Self, RegexError> {
        let compiled = regex::Regex::new(&format!("^(?:{pattern})$")).map_err(|e| RegexError(e.to_string()))?;
        Ok(Self { source: pattern.into(), compiled })
    }

    /// Whether the expression matches somewhere in `text` (everywhere, if it is anchored).
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}
