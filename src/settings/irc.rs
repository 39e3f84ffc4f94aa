//! `irc_servers` and `irc_configs`: the networks we speak on, and who is told there.

use serde::{Deserialize, Serialize};

use super::Invalid;
use super::lenient::{empty, nullable};
use super::secret::Secret;

/// A network; one session per node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcServer {
    /// What `irc_configs` call it.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// PASS.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password: Secret,
}

/// Who is told on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcConfig {
    /// Whether they want to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
}

impl IrcServer {
    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.name.is_empty(), "missing name in irc server")
    }
}
