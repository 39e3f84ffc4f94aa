//! `threading`: which mails make one thread.

use serde::{Deserialize, Serialize};

use super::super::lenient::{empty, nullable};
use super::super::{Invalid, at_most_one};

/// Which mails make a thread. Alertmanager knows `enabled` and `thread_by_date`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Threading {
    /// Whether there are threads.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub enabled: bool,
    /// What a thread is about; [`ThreadBy::Incident`] unless given.
    #[serde(skip_serializing_if = "empty")]
    pub by: Option<ThreadBy>,
    /// Alertmanager's spelling: `daily` begins a new thread each day, `none` does not.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub thread_by_date: String,
}

/// What a thread is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ThreadBy {
    /// One group from its first firing alert until all are resolved.
    Incident,
    /// One group on one day of this machine's zone.
    Daily,
    /// One group for ever.
    Group,
}

impl Threading {
    /// What threads are about; `None` if there are none.
    pub fn rule(&self) -> Option<ThreadBy> {
        let by_date = match self.thread_by_date.as_str() {
            "daily" => ThreadBy::Daily,
            "none" => ThreadBy::Group,
            _ => ThreadBy::Incident,
        };
        self.enabled.then(|| self.by.unwrap_or(by_date))
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if !self.enabled {
            return Ok(());
        }
        Invalid::when(
            !matches!(self.thread_by_date.as_str(), "" | "none" | "daily"),
            "threading.thread_by_date must be either 'none' or 'daily'",
        )?;
        at_most_one(&[
            ("threading.by", self.by.is_some()),
            ("threading.thread_by_date", !self.thread_by_date.is_empty()),
        ])
    }
}
