//! `gitlab_configs`: projects in which an issue stands for a group of alerts.

use serde::{Deserialize, Serialize};

use super::lenient::nullable;

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GitlabConfig {
    /// Whether it wants to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
}
