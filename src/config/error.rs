//! What is wrong with a configuration: the file, the line and column, the key, and what would be right.
//!
//! No text of the file itself is quoted but names and values that cannot be secret.

use std::fmt;
use std::path::PathBuf;

/// A place in the file; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Where a value stands: its position and the keys that lead to it (`route.routes[2].receiver`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line and column, if known.
    pub position: Option<Position>,
    /// The keys from the top of the file; empty for the file as a whole.
    pub key: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, in Alertmanager's words where it has some, and what would be right.
    pub message: String,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("{}: cannot read the configuration file: {source}", path.display())]
    Read {
        /// The configuration file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is read, but what it says cannot be followed. There is at least one problem.
    #[error("{}", Report { path, problems })]
    Invalid {
        /// The configuration file.
        path: PathBuf,
        /// In the order in which they were found.
        problems: Vec<Problem>,
    },
}

/// After so many problems or warnings the rest are not kept: the first ones are what is read.
pub(super) const MAX_TOLD: usize = 100;

/// Adds a problem to those found, as far as they are told.
pub(super) fn note(problems: &mut Vec<Problem>, problem: Problem) {
    if problems.len() < MAX_TOLD {
        problems.push(problem);
    }
}

/// Prints problems one a line, each after the name of the file.
struct Report<'a> {
    path: &'a PathBuf,
    problems: &'a [Problem],
}

impl Place {
    /// The file as a whole.
    pub fn file() -> Self {
        Self { position: None, key: String::new() }
    }

    /// A key below this place; the position stays that of the whole.
    pub fn child(&self, key: &str) -> Self {
        let separator = if self.key.is_empty() { "" } else { "." };
        Self { position: self.position, key: format!("{}{separator}{key}", self.key) }
    }

    /// The problem `message` at this place.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { place: self.clone(), message: message.into() }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:{problem}", self.path.display())?;
        }
        if self.problems.len() >= MAX_TOLD {
            write!(f, "\n{}: there may be more problems than these {MAX_TOLD}", self.path.display())?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    /// `12:5: route.receiver: message`, as it follows the name of the file and a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.place.position {
            write!(f, "{line}:{column}:")?;
        }
        if !self.place.key.is_empty() {
            write!(f, " {}:", self.place.key)?;
        }
        write!(f, " {}", self.message)
    }
}
