//! What is done to issues: made, closed as duplicates, brought up to date, commented on. It must not know which issue
//! stands for the group.

use reqwest::Method;
use serde_json::{Map, Value, json};
use watchbell_engine::notification::Failure;

use super::super::{identity, outcome};
use super::Mode;
use super::api::Query;
use super::choice::{comment_due, edit, may_close};
use super::description;
use super::issue::{Issue, Note};
use super::telling::Telling;
use super::wording::Wording;

impl Telling<'_> {
    pub(super) async fn create(&self, previous: Option<&Issue>) -> Result<Issue, Failure> {
        let body = self.new_issue(previous).await?.into();
        // If the attempt is broken off, or answered with an error, the issue may be made all the same.
        let expect = || self.gitlab.strays.expect(&self.group, self.rivals_turn_up_for());
        expect();
        let made = self.gitlab.api.write::<Issue>(&self.asked, Method::POST, &self.issues(), &body).await;
        let issue = made.inspect_err(|_| expect())?;
        if let Some(previous) = previous {
            self.link(&issue, previous).await;
        }
        Ok(issue)
    }

    async fn new_issue(&self, previous: Option<&Issue>) -> Result<Map<String, Value>, Failure> {
        let Wording { project, title, region, labels, due_date, .. } = &self.wording;
        let previous = previous.map(Issue::reference);
        let (api, names) = (&self.gitlab.api, &self.gitlab.names);
        let assignees = names.users(api, &self.asked, &self.wording.assignees).await?;
        let milestone = match self.gitlab.milestone.as_str() {
            "" => None,
            title => names.milestone(api, &self.asked, project, title).await?,
        };
        let members = [
            ("title", Some(title.as_str().into())),
            ("description", Some(description::new(region, &self.group, previous.as_deref()).into())),
            ("labels", Some(labels.join(",").into())),
            ("issue_type", (self.gitlab.mode == Mode::Incident).then(|| "incident".into())),
            ("assignee_ids", (!assignees.is_empty()).then(|| assignees.into())),
            ("milestone_id", milestone.map(Value::from)),
            ("due_date", due_date.as_deref().map(Value::from)),
            ("confidential", self.wording.confidential.then(|| true.into())),
        ];
        Ok(members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// The description names the previous issue already, so a link that cannot be made is no failure.
    async fn link(&self, issue: &Issue, previous: &Issue) {
        let body = json!({"target_project_id": previous.project_id, "target_issue_iid": previous.iid});
        let linked = self.gitlab.api.ask(&self.asked, Method::POST, &path(issue, "/links"), &[], Some(&body)).await;
        if let Err((_, failure)) = linked {
            tracing::warn!(integration = "gitlab", err = %failure.text, "Cannot link the issue to the one before it");
        }
    }

    /// Lists may come from a copy that lags behind; what is closed for good is asked for once more.
    pub(super) async fn close_duplicates(&self, duplicates: &[Issue], of: &Issue) -> Result<(), Failure> {
        if !duplicates.is_empty() && !self.is_still_open(of).await? {
            return Err(outcome::transient(format!("issue {} was closed meanwhile", of.iid)));
        }
        for duplicate in duplicates {
            if self.is_still_open(duplicate).await? {
                self.close_duplicate(duplicate, of).await?;
            }
        }
        Ok(())
    }

    async fn is_still_open(&self, issue: &Issue) -> Result<bool, Failure> {
        let now = self.gitlab.api.get::<Issue>(&self.asked, &path(issue, "")).await?;
        Ok(now.is_some_and(|now| now.is_open()))
    }

    /// The comment's quick action closes the issue, too, and links it; where it does not work, closing does.
    async fn close_duplicate(&self, duplicate: &Issue, of: &Issue) -> Result<(), Failure> {
        let of = of.reference_from(duplicate);
        let body = format!("Duplicate of {of}, which another node made for the same alerts.\n\n/duplicate {of}");
        self.comment_on(duplicate, &body).await?;
        let close = json!({"state_event": "close"});
        self.gitlab.api.write::<Issue>(&self.asked, Method::PUT, &path(duplicate, ""), &close).await?;
        self.gitlab.counts.count_duplicate();
        tracing::info!(integration = "gitlab", project = %self.wording.project, iid = duplicate.iid, "Closed an issue as the duplicate of {of}");
        Ok(())
    }

    /// Makes the issue say what is true now.
    pub(super) async fn bring_up_to_date(&self, issue: Issue, created: bool) -> Result<Issue, Failure> {
        let (rules, memory) = (&self.gitlab.rules, self.memory.as_ref());
        let touched = !self.fires() && self.is_touched(&issue).await?;
        let edit = if created { Map::new() } else { edit(&issue, &self.wording, memory, rules, touched) };
        let edited = !edit.is_empty();
        let issue: Issue = match edited {
            true => self.gitlab.api.write(&self.asked, Method::PUT, &path(&issue, ""), &edit.into()).await?,
            false => issue,
        };
        if self.fires() && !issue.is_open() {
            return Err(outcome::transient(format!("issue {} was closed while it was being told", issue.iid)));
        }
        self.set_severity(&issue).await?;
        if !created && comment_due(&issue, &self.wording, memory, rules, edited) {
            self.comment(&issue, edited).await?;
        }
        Ok(issue)
    }

    /// Whether people have worked on an issue that would be closed otherwise.
    async fn is_touched(&self, issue: &Issue) -> Result<bool, Failure> {
        let rules = &self.gitlab.rules;
        if !(rules.close_only_untouched && issue.is_open() && may_close(issue, rules)) {
            return Ok(false);
        }
        let ours = self.gitlab.names.users(&self.gitlab.api, &self.asked, &self.wording.assignees).await?;
        if issue.assignees.iter().any(|assignee| !ours.contains(&assignee.id)) {
            return Ok(true);
        }
        let by_others = |note: &Note| !note.system && note.author.id != issue.author.id;
        let notes = self.gitlab.api.list(&self.asked, &path(issue, "/notes"), newest_comments(), by_others).await?;
        Ok(!notes.entries.is_empty())
    }

    /// An incident's severity is set once, and by a quick action because nothing else can; later it is people's.
    async fn set_severity(&self, issue: &Issue) -> Result<(), Failure> {
        let known = self.memory.as_ref().is_some_and(|memory| memory.is_of(issue));
        let unset = issue.severity.as_deref().is_none_or(|severity| severity == "UNKNOWN");
        if self.gitlab.mode != Mode::Incident || known || !unset || self.wording.severity == "unknown" {
            return Ok(());
        }
        match self.comment_on(issue, &format!("/severity {}", self.wording.severity)).await {
            Err(failure) if !failure.retry => {
                tracing::warn!(integration = "gitlab", iid = issue.iid, err = %failure.text, "Cannot set the incident's severity");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// If the issue needed no change, an earlier attempt may have made it, and the comment as well.
    async fn comment(&self, issue: &Issue, edited: bool) -> Result<(), Failure> {
        let marker = description::note_marker(&identity::identity(self.notification));
        if !edited {
            let newest: Vec<Note> =
                self.gitlab.api.first(&self.asked, &path(issue, "/notes"), newest_comments()).await?;
            if newest.iter().any(|note| note.body.contains(&marker)) {
                return Ok(());
            }
        }
        self.comment_on(issue, &format!("{}\n\n{marker}", self.wording.comment)).await
    }

    async fn comment_on(&self, issue: &Issue, text: &str) -> Result<(), Failure> {
        let mut body = json!({"body": text});
        if self.gitlab.internal_notes {
            body["internal"] = true.into();
        }
        let asked = self.gitlab.api.ask(&self.asked, Method::POST, &path(issue, "/notes"), &[], Some(&body)).await;
        asked.map(drop).map_err(|(_, failure)| failure)
    }
}

/// Comments, the newest first.
fn newest_comments() -> Query {
    vec![("activity_filter", "only_comments".to_owned()), ("sort", "desc".to_owned())]
}

/// Where an issue, or what belongs to it, is.
fn path(issue: &Issue, of_it: &str) -> String {
    format!("projects/{}/issues/{}{of_it}", issue.project_id, issue.iid)
}
