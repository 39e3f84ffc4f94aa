//! An issue as GitLab's API shows it: the fields that we look at. It must not know what is decided by them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Issue {
    /// Its number in the whole instance.
    pub(super) id: u64,
    /// Its number in its project.
    pub(super) iid: u64,
    pub(super) project_id: u64,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: State,
    #[serde(deserialize_with = "time")]
    pub(super) created_at: Timestamp,
    #[serde(default, deserialize_with = "optional_time")]
    pub(super) closed_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    pub(super) author: User,
    #[serde(default)]
    pub(super) assignees: Vec<User>,
    /// Comments of people and ours; not what GitLab itself notes.
    #[serde(default)]
    pub(super) user_notes_count: u32,
    /// The instance-wide number of the issue that it became in another project.
    #[serde(default)]
    pub(super) moved_to_id: Option<u64>,
    /// An incident's; `UNKNOWN` for others.
    #[serde(default)]
    pub(super) severity: Option<String>,
    #[serde(default)]
    pub(super) references: References,
    #[serde(default, rename = "_links")]
    pub(super) links: Links,
}

/// Whether somebody still has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Opened,
    Closed,
}

/// A person, or a program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
}

/// How texts refer to an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct References {
    /// From anywhere: `group/project#1`.
    #[serde(default)]
    pub(super) full: String,
}

/// Addresses of what belongs to an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    pub(super) closed_as_duplicate_of: Option<String>,
}

/// A comment, or what GitLab noted itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Note {
    pub(super) body: String,
    pub(super) author: User,
    #[serde(default)]
    pub(super) system: bool,
}

impl Issue {
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Opened
    }

    /// Whether it is in `project`, a path or a number, and not where people have moved it.
    pub(super) fn is_in(&self, project: &str) -> bool {
        let full = &self.references.full;
        let path = full.rsplit_once('#').map_or(full.as_str(), |(path, _)| path);
        path.is_empty() || path.eq_ignore_ascii_case(project) || self.project_id.to_string() == project
    }

    /// How a text in any project refers to it.
    pub(super) fn reference(&self) -> String {
        if self.references.full.is_empty() { format!("#{}", self.iid) } else { self.references.full.clone() }
    }

    /// How a text at `other` refers to it.
    pub(super) fn reference_from(&self, other: &Self) -> String {
        if self.project_id == other.project_id { format!("#{}", self.iid) } else { self.reference() }
    }
}

fn time<'de, D: Deserializer<'de>>(source: D) -> Result<Timestamp, D::Error> {
    String::deserialize(source)?.parse().map_err(serde::de::Error::custom)
}

fn optional_time<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}
