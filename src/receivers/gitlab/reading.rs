//! What there is of a group's issues: the one that is remembered, those that are open, those that were closed not long
//! ago. It must not know what follows from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use watchbell_engine::notification::Failure;

use super::api::{Query, encoded};
use super::description;
use super::issue::Issue;
use super::telling::Telling;

/// How long before the last look an issue may claim to have been made that the look did not show: it was being written,
/// or the look was answered from a copy.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// How far back closed issues are looked for at least.
const LEAST_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// How much further, since our clock and GitLab's are not the same.
const CLOCK_MARGIN: Duration = Duration::from_secs(3600);

/// What was read of a group's issues.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) issues: Vec<Issue>,
    /// GitLab's clock at the reading.
    pub(super) date: Option<Timestamp>,
}

impl Telling<'_> {
    /// All that may stand for the group. If the issue that is remembered is open, only what is younger than the last
    /// look is read besides.
    pub(super) async fn read(&self) -> Result<Seen, Failure> {
        let remembered = self.remembered().await?;
        let is_open = remembered.as_ref().is_some_and(Issue::is_open);
        let since = self.memory.as_ref().filter(|_| is_open).and_then(|memory| memory.checked);
        let mut seen = self.read_open(since).await?;
        remembered.into_iter().for_each(|issue| seen.add(issue));
        if self.fires() && !seen.issues.iter().any(Issue::is_open) {
            for issue in self.read_closed().await? {
                seen.add(issue);
            }
        }
        Ok(seen)
    }

    /// The issue of the last notification, if it is still there and still ours; where people have moved it to.
    async fn remembered(&self) -> Result<Option<Issue>, Failure> {
        let Some(memory) = &self.memory else { return Ok(None) };
        let path = format!("projects/{}/issues/{}", memory.at, memory.iid);
        let Some(issue) = self.gitlab.api.get::<Issue>(&self.asked, &path).await? else { return Ok(None) };
        if !self.is_ours(&issue) {
            tracing::warn!(integration = "gitlab", project = %memory.project, iid = memory.iid, "The issue has lost its marker, it is left alone and another takes its place");
            return Ok(None);
        }
        if issue.moved_to_id.is_some() { self.follow(&issue).await } else { Ok(Some(issue)) }
    }

    fn is_ours(&self, issue: &Issue) -> bool {
        issue.description.as_deref().is_some_and(|text| description::is_of(text, &self.group))
    }

    /// What a moved issue became. Only administrators may ask for an issue by its number in the instance, so it is
    /// looked for among those that we made and that changed since. The label may be gone: the other project may not
    /// have it.
    async fn follow(&self, moved: &Issue) -> Result<Option<Issue>, Failure> {
        let moved_at = moved.closed_at.unwrap_or(moved.created_at);
        let query = vec![
            ("scope", "created_by_me".to_owned()),
            ("state", "all".to_owned()),
            ("updated_after", (moved_at - MARGIN).to_string()),
        ];
        let is_it = |issue: &Issue| Some(issue.id) == moved.moved_to_id && self.is_ours(issue);
        let found = self.gitlab.api.list(&self.asked, "issues", query, is_it).await?.entries.pop();
        if found.is_none() {
            tracing::warn!(integration = "gitlab", project = %self.wording.project, iid = moved.iid, "The issue was moved to where it cannot be seen, another takes its place");
        }
        Ok(found)
    }

    /// The group's open issues, those made after `since` or all.
    pub(super) async fn read_open(&self, since: Option<Timestamp>) -> Result<Seen, Failure> {
        let mut query = self.query("opened");
        query.extend(since.map(|since| ("created_after", (since - MARGIN).to_string())));
        let list = self.gitlab.api.list(&self.asked, &self.issues(), query, |issue| self.is_ours(issue)).await?;
        Ok(Seen { issues: list.entries, date: list.date })
    }

    /// The group's issues that were closed not long ago, and the one that was moved away.
    async fn read_closed(&self) -> Result<Vec<Issue>, Failure> {
        let back = self.gitlab.rules.reopen_duration.max(LEAST_MEMORY) + CLOCK_MARGIN;
        let since = self.now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut query = self.query("closed");
        query.push(("updated_after", since.to_string()));
        let list = self.gitlab.api.list(&self.asked, &self.issues(), query, |issue| self.is_ours(issue)).await?;
        let mut closed = list.entries;
        let moved = closed.iter().filter(|issue| issue.moved_to_id.is_some()).max_by_key(|issue| issue.iid).cloned();
        if let Some(moved) = moved {
            closed.extend(self.follow(&moved).await?);
        }
        Ok(closed)
    }

    fn query(&self, state: &str) -> Query {
        vec![
            ("state", state.to_owned()),
            ("labels", self.gitlab.rules.lookup_label.clone()),
            ("scope", "created_by_me".to_owned()),
            ("order_by", "created_at".to_owned()),
            ("sort", "asc".to_owned()),
        ]
    }

    /// Where the project's issues are.
    pub(super) fn issues(&self) -> String {
        format!("projects/{}/issues", encoded(&self.wording.project))
    }
}

impl Seen {
    /// An issue may have been read twice; then the later reading, of itself, counts.
    pub(super) fn add(&mut self, issue: Issue) {
        self.issues.retain(|known| known.id != issue.id);
        self.issues.push(issue);
    }
}
