//! The configuration file as it is written: its keys, with the places of values that are judged later. Nothing here
//! judges them.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::yaml::At;
use crate::settings::duration::PrometheusDuration;
use crate::settings::email::EmailConfig;
use crate::settings::gitlab::GitlabConfig;
use crate::settings::global::Global;
use crate::settings::heartbeat::HeartbeatConfig;
use crate::settings::irc::IrcConfig;
use crate::settings::terminal::TerminalConfig;
use crate::settings::webhook::WebhookConfig;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) global: Option<At<Global>>,
    pub(super) route: Option<At<Route>>,
    pub(super) inhibit_rules: Vec<InhibitRule>,
    pub(super) receivers: Vec<At<Option<Receiver>>>,
    pub(super) templates: Vec<At<String>>,
    pub(super) mute_time_intervals: Vec<At<NamedIntervals>>,
    pub(super) time_intervals: Vec<At<NamedIntervals>>,
    pub(super) tracing: Option<At<IgnoredAny>>,
    pub(super) expect: Vec<At<Option<Expect>>>,
    pub(super) peer_down: Option<At<PeerDown>>,
    pub(super) heartbeats: Vec<At<Option<HeartbeatConfig>>>,
    /// Without its feature flag Alertmanager ignores the section, and so does Watchbell, which lacks the flag.
    #[serde(rename = "event_recorder")]
    pub(super) _event_recorder: Option<IgnoredAny>,
}

/// A receiver. A null in one of its lists is kept, to be told of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, At<String>>,
    pub(super) webhook_configs: Vec<At<Option<WebhookConfig>>>,
    pub(super) email_configs: Vec<At<Option<EmailConfig>>>,
    pub(super) irc_configs: Vec<At<Option<IrcConfig>>>,
    pub(super) gitlab_configs: Vec<At<Option<GitlabConfig>>>,
    pub(super) terminal_configs: Vec<At<Option<TerminalConfig>>>,
    pub(super) pagerduty_configs: Foreign,
    pub(super) opsgenie_configs: Foreign,
    pub(super) wechat_configs: Foreign,
    pub(super) slack_configs: Foreign,
    pub(super) victorops_configs: Foreign,
    pub(super) pushover_configs: Foreign,
    pub(super) sns_configs: Foreign,
    pub(super) telegram_configs: Foreign,
    pub(super) discord_configs: Foreign,
    pub(super) webex_configs: Foreign,
    pub(super) msteams_configs: Foreign,
    pub(super) msteamsv2_configs: Foreign,
    pub(super) jira_configs: Foreign,
    pub(super) incidentio_configs: Foreign,
    pub(super) rocketchat_configs: Foreign,
    pub(super) mattermost_configs: Foreign,
}

/// Integrations of a kind that Alertmanager has and Watchbell has not.
pub(super) type Foreign = Vec<At<IgnoredAny>>;

/// A node of the routing tree.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Route {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receiver: Option<At<String>>,
    /// An empty list is not the same as none: it ends what is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_by: Option<At<Vec<At<String>>>>,
    #[serde(rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) equal: MatchMap,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) match_re: MatchMap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) matchers: Vec<At<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mute_time_intervals: Vec<At<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) active_time_intervals: Vec<At<String>>,
    #[serde(rename = "continue")]
    pub(super) continues: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) routes: Vec<At<Option<Self>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_wait: Option<PrometheusDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_interval: Option<At<PrometheusDuration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repeat_interval: Option<At<PrometheusDuration>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, At<String>>,
}

/// The deprecated way to write matchers: label names and what their values must be.
pub(super) type MatchMap = BTreeMap<String, At<Option<String>>>;

/// An inhibition rule.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct InhibitRule {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) source_match: MatchMap,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) source_match_re: MatchMap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) source_matchers: Vec<At<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) target_match: MatchMap,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) target_match_re: MatchMap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) target_matchers: Vec<At<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) equal: Vec<At<String>>,
}

/// An alert that should always fire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Expect {
    pub(super) name: String,
    pub(super) matchers: Vec<At<String>>,
    pub(super) within: Option<At<PrometheusDuration>>,
    pub(super) labels: BTreeMap<String, At<String>>,
    pub(super) annotations: BTreeMap<String, At<String>>,
}

/// What is raised when a peer dies.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PeerDown {
    pub(super) enabled: Option<bool>,
    #[serde(rename = "for")]
    pub(super) after: Option<PrometheusDuration>,
    pub(super) labels: BTreeMap<String, At<String>>,
    pub(super) annotations: BTreeMap<String, At<String>>,
}

/// Time intervals under one name.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct NamedIntervals {
    pub(super) name: String,
    pub(super) time_intervals: Vec<Interval>,
}

/// One alternative of a named time interval. A list that is given but empty never holds; one not given always does.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Interval {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Vec<At<TimeRange>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weekdays: Option<Vec<At<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) days_of_month: Option<Vec<At<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) months: Option<Vec<At<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) years: Option<Vec<At<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<At<String>>,
}

/// Times of the day as `HH:MM`, the end not included.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct TimeRange {
    pub(super) start_time: String,
    pub(super) end_time: String,
}
