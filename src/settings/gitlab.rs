//! `gitlab_configs`: projects in which an issue stands for a group of alerts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::duration::{GoDuration, PrometheusDuration};
use super::http::HttpConfig;
use super::lenient::{empty, nullable};
use super::secret::Secret;
use super::url::{HttpUrl, SecretUrl};
use super::{Invalid, at_most_one, one_of};

/// A project in which an issue stands for each group of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GitlabConfig {
    /// Whether it wants to hear that alerts are resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub send_resolved: bool,
    /// How the API is reached; the global settings if not given.
    #[serde(skip_serializing_if = "empty")]
    pub http_config: Option<HttpConfig>,
    /// GitLab's API; the global one if not given.
    #[serde(skip_serializing_if = "empty")]
    pub api_url: Option<HttpUrl>,
    /// The access token; the global one if not given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub token: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub token_file: String,
    /// The project's path or number; a template.
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    /// `issue`, `incident` or `alert`.
    #[serde(deserialize_with = "nullable")]
    pub mode: String,
    /// The title.
    #[serde(deserialize_with = "nullable")]
    pub title: GitlabText,
    /// The description.
    #[serde(deserialize_with = "nullable")]
    pub description: GitlabText,
    /// Whether markup and commands in alerts are let through. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub raw_markdown: bool,
    /// The labels; templates. One that comes out empty is dropped.
    #[serde(deserialize_with = "nullable")]
    pub labels: Vec<String>,
    /// The label by which issues are found again; always set.
    #[serde(deserialize_with = "nullable")]
    pub lookup_label: String,
    /// `add` or `none`.
    #[serde(deserialize_with = "nullable")]
    pub update_labels: String,
    /// Who is assigned; templates that give user names.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub assignees: Vec<String>,
    /// The milestone's title.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub milestone: String,
    /// When the issue is due, after the first alert began; 0 means never.
    #[serde(deserialize_with = "nullable")]
    pub due_in: PrometheusDuration,
    /// A template that gives `true` or `false`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub confidential: String,
    /// The incident's severity; a template.
    #[serde(deserialize_with = "nullable")]
    pub severity: String,
    /// What GitLab calls each severity; one that is not here is `unknown`.
    #[serde(deserialize_with = "nullable")]
    pub severity_map: BTreeMap<String, String>,
    /// Whether the issue is closed once all is resolved. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub close_on_resolved: bool,
    /// Whether it stays open if people have worked on it. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub close_only_untouched: bool,
    /// An issue with this label is never closed.
    #[serde(deserialize_with = "nullable")]
    pub keep_open_label: String,
    /// A closed issue with this label is neither reopened nor replaced for `reopen_duration`.
    #[serde(deserialize_with = "nullable")]
    pub wont_fix_label: String,
    /// Whether a closed issue is reopened. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub reopen: bool,
    /// How long after closing; later there is a new issue. 0 means always a new one.
    #[serde(deserialize_with = "nullable")]
    pub reopen_duration: PrometheusDuration,
    /// `changes`, `always` or `never`.
    #[serde(deserialize_with = "nullable")]
    pub comment_on_update: String,
    /// The comment; a template.
    #[serde(deserialize_with = "nullable")]
    pub comment: String,
    /// Whether comments are for members only. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub internal_notes: bool,
    /// How many comments an issue gets.
    #[serde(deserialize_with = "nullable")]
    pub max_comments: u32,
    /// How long after creating an issue we look for another node's.
    #[serde(deserialize_with = "nullable")]
    pub duplicate_check_delay: PrometheusDuration,
    /// `none` or `label`.
    #[serde(deserialize_with = "nullable")]
    pub create_lock: String,
    /// In mode `alert`: the integration's URL.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub alert_url: SecretUrl,
    /// In mode `alert`: a file with its key.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub alert_key_file: String,
    /// In mode `alert`: `group` or `alert`.
    #[serde(deserialize_with = "nullable")]
    pub alert_identity: String,
    /// How long one request may take; 0 means as long as the notification may.
    #[serde(deserialize_with = "nullable")]
    pub timeout: GoDuration,
    /// What tells this cluster's issues from another's; the global one.
    #[serde(skip)]
    pub cluster_id: String,
}

/// The longest `duplicate_check_delay`: an attempt to tell must have time for more than to wait.
const MAX_CHECK_DELAY: Duration = Duration::from_secs(60);

/// GitLab's severities; `info` is one of alerts only.
const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "info", "unknown"];

impl Default for GitlabConfig {
    fn default() -> Self {
        Self {
            send_resolved: true,
            http_config: None,
            api_url: None,
            token: Secret::default(),
            token_file: String::new(),
            project: String::new(),
            mode: "issue".to_owned(),
            title: GitlabText::updated("{{ template \"gitlab.default.title\" . }}"),
            description: GitlabText::updated("{{ template \"gitlab.default.description\" . }}"),
            raw_markdown: false,
            labels: vec!["alertmanager".to_owned()],
            lookup_label: "alertmanager".to_owned(),
            update_labels: "add".to_owned(),
            assignees: Vec::new(),
            milestone: String::new(),
            due_in: PrometheusDuration::default(),
            confidential: String::new(),
            severity: "{{ .CommonLabels.severity }}".to_owned(),
            severity_map: default_severities(),
            close_on_resolved: true,
            close_only_untouched: false,
            keep_open_label: "keep-open".to_owned(),
            wont_fix_label: "wontfix".to_owned(),
            reopen: true,
            reopen_duration: PrometheusDuration(Duration::from_secs(24 * 3600)),
            comment_on_update: "changes".to_owned(),
            comment: "{{ template \"gitlab.default.comment\" . }}".to_owned(),
            internal_notes: false,
            max_comments: 200,
            duplicate_check_delay: PrometheusDuration(Duration::from_secs(5)),
            create_lock: "none".to_owned(),
            alert_url: SecretUrl::default(),
            alert_key_file: String::new(),
            alert_identity: "group".to_owned(),
            timeout: GoDuration(Duration::from_secs(30)),
            cluster_id: String::new(),
        }
    }
}

/// A templated text of an issue, and whether later notifications replace it. It may be written as the text alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GitlabText {
    /// The template.
    pub template: String,
    /// Whether later notifications replace the text.
    pub enable_update: bool,
}

impl GitlabText {
    fn updated(template: &str) -> Self {
        Self { template: template.to_owned(), enable_update: true }
    }
}

impl<'de> Deserialize<'de> for GitlabText {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Text(String),
            Block(Block),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Block {
            template: String,
            enable_update: Option<bool>,
        }
        Ok(match Spelling::deserialize(source)? {
            Spelling::Text(text) => Self::updated(&text),
            Spelling::Block(block) => {
                Self { template: block.template, enable_update: block.enable_update.unwrap_or(true) }
            }
        })
    }
}

fn default_severities() -> BTreeMap<String, String> {
    let pairs = [("critical", "critical"), ("page", "high"), ("warning", "medium"), ("info", "low")];
    pairs.into_iter().map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).collect()
}

impl GitlabConfig {
    /// Refuses what contradicts itself or names no project.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.project.is_empty(), "missing project in gitlab config")?;
        let token = !self.token.is_empty();
        at_most_one(&[("token", token), ("token_file", !self.token_file.is_empty())])?;
        let no_address = self.mode == "alert" && self.alert_url.is_empty();
        Invalid::when(no_address, "missing alert_url in gitlab config with mode alert")?;
        Invalid::when(self.lookup_label.is_empty(), "missing lookup_label in gitlab config")?;
        let fixed = self.labels.iter().filter(|label| !label.contains("{{")).chain([&self.lookup_label]);
        let comma = fixed.into_iter().any(|label| label.contains(','));
        Invalid::when(comma, "a label in gitlab config must not contain a comma")?;
        one_of("mode", &self.mode, &["issue", "incident", "alert"])?;
        one_of("update_labels", &self.update_labels, &["add", "none"])?;
        one_of("comment_on_update", &self.comment_on_update, &["changes", "always", "never"])?;
        one_of("create_lock", &self.create_lock, &["none", "label"])?;
        for severity in self.severity_map.values() {
            one_of("severity", severity, &SEVERITIES)?;
        }
        let long = self.duplicate_check_delay.0 > MAX_CHECK_DELAY;
        Invalid::when(long, "duplicate_check_delay in gitlab config must not be more than 1m")?;
        one_of("alert_identity", &self.alert_identity, &["group", "alert"])?;
        self.http_config.as_ref().map_or(Ok(()), HttpConfig::validate)
    }
}
