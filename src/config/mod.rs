//! Configuration: a file becomes a checked policy, or one error that names file, line, column and key.

pub mod error;
mod yaml;
