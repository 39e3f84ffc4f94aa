//! YAML as Alertmanager reads it (Go's `yaml.v2`, strict), into any type that serde can build.
//!
//! The text becomes a tree first (`document`), and the tree becomes the type (`decode`). The tree is what lets
//! every problem name its line, column and key, lets several be told at once, and gives a key without a value Go's
//! meaning (the empty value). This module knows YAML, and nothing of alerts.

mod access;
mod at;
mod context;
mod decode;
mod document;
mod scalar;

use serde::de::DeserializeOwned;

pub(super) use at::At;

use super::error::Problem;

/// Deeper nesting is refused: a route costs two levels, and reading recurses.
const MAX_DEPTH: usize = 200;

/// How many values may be read, aliases and merges expanded; 10,000 routes of ten keys are about 200,000.
const MAX_VALUES: usize = 2_000_000;

/// Reads the first document of `text`. Unknown and duplicate keys are problems, whatever `T` says of them; a text
/// without a document gives what `T` makes of no keys at all.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Problem>> {
    let (root, mut problems) = document::parse(text).map_err(|problem| vec![problem])?;
    let context = context::Context::default();
    let value = decode::decode(&root, &context);
    problems.extend(context.into_problems());
    match value {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) => Err(problems),
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests;
