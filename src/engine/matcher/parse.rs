//! How matchers are written and read: the classic syntax, the UTF-8 syntax, and Alertmanager's way between both.

use super::MatchOp;

/// A matcher in canonical form.
pub fn canonical(name: &str, op: MatchOp, value: &str) -> String {
    format!("{name}{}\"{value}\"", op.as_str())
}
