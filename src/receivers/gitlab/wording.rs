//! What an issue is to say of a notification: every template of the integration, rendered. It must not know whether
//! the issue exists.

use jiff::tz::TimeZone;
use watchbell_engine::notification::{Failure, Notification};
use watchbell_template::{Data, Engine, Now, Templates};

use super::super::field::Field;
use super::super::{ReceiverError, Surroundings, data, outcome, plain};
use super::{description, markdown};
use crate::settings::gitlab::GitlabConfig;

/// The longest title that GitLab takes, in characters.
const MAX_TITLE: usize = 255;

/// The longest label, in characters.
const MAX_LABEL: usize = 255;

/// The longest comment, in bytes: a change of the firing set fits, and a list of all alerts is in the description.
const MAX_COMMENT: usize = 100_000;

/// The templates of one integration.
pub(super) struct Texts {
    project: Field,
    title: Field,
    description: Field,
    comment: Field,
    labels: Vec<Field>,
    assignees: Vec<Field>,
    confidential: Field,
    severity: Field,
    config: GitlabConfig,
    surroundings: Surroundings,
}

/// What is said of one notification.
#[derive(Clone, Debug, Default)]
pub(super) struct Wording {
    /// The project's path or number.
    pub(super) project: String,
    /// The hashes of the alerts that fire, sorted.
    pub(super) firing: Vec<u64>,
    pub(super) title: String,
    pub(super) region: String,
    pub(super) comment: String,
    /// All that the issue is to have, the one that it is found by among them.
    pub(super) labels: Vec<String>,
    /// User names.
    pub(super) assignees: Vec<String>,
    pub(super) confidential: bool,
    /// In GitLab's words.
    pub(super) severity: String,
    /// When the issue is due, as a date.
    pub(super) due_date: Option<String>,
}

impl Texts {
    pub(super) fn compile(
        config: &GitlabConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let field = |key: &str, source: &str| Field::compile(templates, Engine::Text, key, source);
        let fields = |key: &str, sources: &[String]| {
            sources.iter().map(|source| field(key, source)).collect::<Result<Vec<_>, ReceiverError>>()
        };
        Ok(Self {
            project: field("project", &config.project)?,
            title: field("title", &config.title.template)?,
            description: field("description", &config.description.template)?,
            comment: field("comment", &config.comment)?,
            labels: fields("labels", &config.labels)?,
            assignees: fields("assignees", &config.assignees)?,
            confidential: field("confidential", &config.confidential)?,
            severity: field("severity", &config.severity)?,
            config: config.clone(),
            surroundings: surroundings.clone(),
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        let single = [&self.project, &self.title, &self.description, &self.comment, &self.confidential, &self.severity];
        single.into_iter().chain(&self.labels).chain(&self.assignees).collect()
    }

    /// Renders all of them. Only a project that cannot be named is a failure.
    pub(super) fn render(&self, notification: &Notification) -> Result<Wording, Failure> {
        let now = data::template_clock((self.surroundings.now)());
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        let data = data::data(notification, &notification.alerts, external_url, route_labels, &now);
        let project = self.project.render(&data, &now).map_err(outcome::permanent)?;
        if project.trim().is_empty() {
            return Err(outcome::permanent("project: the template came out empty"));
        }
        let shown = if self.config.raw_markdown { data.clone() } else { markdown::neutral_data(&data) };
        Ok(Wording {
            project: project.trim().to_owned(),
            firing: firing(notification),
            title: self.title(&data, &now),
            region: description::region(&self.markdown(&self.description, &shown, &now)),
            comment: shortened(&self.markdown(&self.comment, &shown, &now), MAX_COMMENT),
            labels: self.labels(&data, &now),
            assignees: self.list(&self.assignees, &data, &now),
            confidential: self.optional(&self.confidential, &data, &now).is_some_and(|text| text == "true"),
            severity: self.severity(&data, &now),
            due_date: self.due_date(notification),
        })
    }

    /// A title without its template is the built-in one.
    fn title(&self, data: &Data, now: &Now) -> String {
        let title = match self.title.render(data, now) {
            Ok(title) => markdown::neutral_title(&title),
            Err(error) => {
                self.surroundings.fallbacks.note("gitlab", &error);
                markdown::neutral_title(&plain::subject(data))
            }
        };
        let title = if title.is_empty() { markdown::neutral_title(&plain::subject(data)) } else { title };
        match title.char_indices().nth(MAX_TITLE) {
            None => title,
            Some(_) => title.chars().take(MAX_TITLE - 1).chain(['…']).collect(),
        }
    }

    fn markdown(&self, field: &Field, data: &Data, now: &Now) -> String {
        match field.render(data, now) {
            Ok(text) => text,
            Err(error) => {
                self.surroundings.fallbacks.note("gitlab", &error);
                plain::text_after(&markdown::neutral(&error), data)
            }
        }
    }

    /// A label cannot hold a comma: GitLab would take it for two.
    fn labels(&self, data: &Data, now: &Now) -> Vec<String> {
        let mut labels = vec![self.config.lookup_label.clone()];
        for label in self.list(&self.labels, data, now) {
            if label.contains(',') || label.chars().count() > MAX_LABEL {
                tracing::warn!(integration = "gitlab", %label, "No label for GitLab (a comma, or more than {MAX_LABEL} characters), leaving it out");
            } else if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// What comes out, without what comes out empty.
    fn list(&self, fields: &[Field], data: &Data, now: &Now) -> Vec<String> {
        fields.iter().filter_map(|field| self.optional(field, data, now)).collect()
    }

    /// What comes out, trimmed; none if it is empty or fails.
    fn optional(&self, field: &Field, data: &Data, now: &Now) -> Option<String> {
        match field.render(data, now) {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(error) => {
                tracing::warn!(integration = "gitlab", err = error, "A template failed, leaving it out");
                None
            }
        }
    }

    fn severity(&self, data: &Data, now: &Now) -> String {
        let severity = self.optional(&self.severity, data, now).unwrap_or_default();
        self.config.severity_map.get(&severity).map_or("unknown", String::as_str).to_owned()
    }

    /// Counted from the beginning of the first alert, in UTC.
    fn due_date(&self, notification: &Notification) -> Option<String> {
        let due_in = Some(self.config.due_in.0).filter(|due_in| !due_in.is_zero())?;
        let first = notification.alerts.iter().map(|told| told.alert.starts_at).min()?;
        Some(data::instant(first + due_in).to_zoned_datetime(TimeZone::UTC).date().to_string())
    }
}

fn firing(notification: &Notification) -> Vec<u64> {
    let firing = notification.alerts.iter().filter(|told| told.firing);
    let mut hashes: Vec<u64> = firing.map(|told| told.alert.labels.log_hash()).collect();
    hashes.sort_unstable();
    hashes
}

/// `text`, cut at a character if it has more than `max` bytes.
pub(super) fn shortened(text: &str, max: usize) -> String {
    let text = text.trim();
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}
