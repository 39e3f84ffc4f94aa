//! What reading shares: where the decoder stands, how much it has read, and what it has found wrong.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::MAX_VALUES;
use crate::config::error::{Place, Problem, note};

/// What the whole decoding shares.
#[derive(Default)]
pub(super) struct Context {
    problems: RefCell<Vec<Problem>>,
    visited: Cell<usize>,
}

/// The keys that lead to a value.
pub(super) enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

/// Why a value cannot become the type; the innermost place wins.
#[derive(Debug)]
pub(super) enum Error {
    /// Without a place yet.
    Message(String),
    Placed(Box<Problem>),
}

impl Context {
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    /// Keeps a problem that does not stop the reading.
    pub(super) fn note(&self, problem: Problem) {
        note(&mut self.problems.borrow_mut(), problem);
    }

    /// Counts a value read; aliases make a small text large.
    pub(super) fn visit(&self) -> Result<(), Error> {
        self.visited.set(self.visited.get() + 1);
        if self.visited.get() > MAX_VALUES {
            return Err(Error::Message(format!("the file holds more than {MAX_VALUES} values, aliases expanded")));
        }
        Ok(())
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Error {
    /// The error as a problem, at `place` if it has none yet.
    pub(super) fn into_problem(self, place: impl FnOnce() -> Place) -> Problem {
        match self {
            Self::Message(message) => place().problem(message),
            Self::Placed(problem) => *problem,
        }
    }

    pub(super) fn placed(self, place: impl FnOnce() -> Place) -> Self {
        Self::Placed(Box::new(self.into_problem(place)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Placed(problem) => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }
}
