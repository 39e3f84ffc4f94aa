//! GitLab: an issue for each group of alerts, opened, updated, closed and opened again, and never two of them.
//!
//! `telling` is the way of one notification, `reading` and `writing` what it asks of GitLab, `choice` what is decided on
//! it, without a request or a clock. `wording` renders the templates,
//! `description` keeps our text and people's apart, `markdown` keeps alerts from being more than text; `memory` is what
//! the notification log remembers for us. `api` speaks to GitLab. `alert` is the other mode, without issues.

mod alert;
mod api;
mod choice;
mod counts;
mod description;
mod issue;
mod lock;
mod markdown;
mod memory;
mod names;
mod reading;
mod strays;
mod telling;
#[cfg(test)]
mod tests;
mod token;
mod wording;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};
use watchbell_engine::time::Timestamp;
use watchbell_template::Templates;

use self::api::Api;
use self::choice::{Comments, Rules};
use self::names::Names;
use self::strays::Strays;
use self::telling::Telling;
use self::token::TokenEnd;
use self::wording::Texts;
use super::field::Field;
use super::{ReceiverError, Surroundings};
use crate::settings::gitlab::GitlabConfig;

pub use counts::GitlabCounts;

/// A project that is told.
pub(super) struct Gitlab {
    mode: Mode,
    texts: Texts,
    rules: Rules,
    api: Api,
    names: Names,
    strays: Strays,
    /// Where alerts go, in that mode.
    endpoint: alert::Endpoint,
    /// What tells this cluster's issues from another's.
    cluster: String,
    milestone: String,
    internal_notes: bool,
    duplicate_check_delay: Duration,
    locks: bool,
    token_end: TokenEnd,
    counts: Arc<GitlabCounts>,
    now: fn() -> Timestamp,
}

/// What stands for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Issue,
    Incident,
    Alert,
}

impl Gitlab {
    pub(super) fn build(
        config: &GitlabConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        Ok(Self {
            mode: match config.mode.as_str() {
                "incident" => Mode::Incident,
                "alert" => Mode::Alert,
                _ => Mode::Issue,
            },
            texts: Texts::compile(config, templates, surroundings)?,
            rules: rules(config),
            api: Api::build(config, surroundings)?,
            names: Names::default(),
            strays: Strays::default(),
            endpoint: alert::Endpoint::build(config, surroundings)?,
            cluster: match config.cluster_id.as_str() {
                "" => surroundings.cluster_label.clone(),
                id => id.to_owned(),
            },
            milestone: config.milestone.clone(),
            internal_notes: config.internal_notes,
            duplicate_check_delay: config.duplicate_check_delay.0,
            locks: config.create_lock == "label",
            token_end: TokenEnd::default(),
            counts: Arc::clone(&surroundings.gitlab),
            now: surroundings.now,
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        self.texts.fields()
    }

    /// Tells `notification`; what comes back is to be remembered.
    pub(super) async fn send(&self, notification: &Notification) -> Result<ReceiverData, Failure> {
        if self.mode == Mode::Alert {
            self.endpoint.tell(&self.texts, notification, &self.cluster).await?;
            return Ok(ReceiverData::new());
        }
        let telling = Telling::new(self, notification)?;
        let data = telling.tell().await?;
        self.token_end.look_up(self, &notification.key, &telling.asked).await;
        Ok(data)
    }
}

fn rules(config: &GitlabConfig) -> Rules {
    Rules {
        lookup_label: config.lookup_label.clone(),
        update_title: config.title.enable_update,
        update_description: config.description.enable_update,
        update_labels: config.update_labels == "add",
        close_on_resolved: config.close_on_resolved,
        close_only_untouched: config.close_only_untouched,
        keep_open_label: config.keep_open_label.clone(),
        wont_fix_label: config.wont_fix_label.clone(),
        reopen: config.reopen,
        reopen_duration: config.reopen_duration.0,
        comments: match config.comment_on_update.as_str() {
            "always" => Comments::Always,
            "never" => Comments::Never,
            _ => Comments::Changes,
        },
        max_comments: config.max_comments,
    }
}
