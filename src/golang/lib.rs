//! Go's spellings that compatibility demands: regular expressions, quoted strings, durations.
//!
//! A leaf: it knows nothing of alerts, and nothing of ours is imported here.

pub mod duration;
#[cfg(test)]
mod fixtures;
pub mod quote;
pub mod regex;

pub use crate::regex::{Regex, RegexError};
