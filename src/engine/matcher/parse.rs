//! How matchers are written and read: the classic syntax, the UTF-8 syntax, and Alertmanager's way between both.

use super::MatchOp;

/// A matcher in canonical form.
pub fn canonical(name: &str, op: MatchOp, value: &str) -> String {
    format!("{name}{}\"{value}\"", op.as_str())
}

/// stub
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// stub
    Fallback,
}

/// stub
pub fn is_valid_label_name(_: Syntax, name: &str) -> bool {
    !name.is_empty()
}
