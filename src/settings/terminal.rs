//! `terminal_configs`: notifications on the terminal that the program runs on, for a first look.

use serde::{Deserialize, Serialize};

use super::lenient::{empty, nullable};

/// Whoever looks at the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerminalConfig {
    /// Whether they want to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
    /// What is printed; a template. If empty, one line for the group and one for each alert.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub text: String,
}

impl Default for TerminalConfig {
    fn default() -> Self {
        Self { send_resolved: true, text: String::new() }
    }
}
