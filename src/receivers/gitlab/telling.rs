//! One notification told to a project: the group's issue is found or made, made to be the only one, and brought up to
//! date. What to do next is decided in `choice`; here it is done, in an order that lets any attempt be broken off
//! anywhere and made again.
//!
//! There is no lock that nodes hold against each other. Whoever makes an issue looks again afterwards, at once and once
//! more after `duplicate_check_delay`, and whoever sees several open issues of one group closes all but one, the same
//! one on every node. What became visible later still is found by the look that every later notification takes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Map, Value, json};
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};

use super::super::{data, identity, outcome};
use super::api::{Asked, Query, encoded};
use super::choice::{Choice, choose, comment_due, edit, may_close};
use super::description;
use super::issue::{Issue, Note};
use super::lock::Lock;
use super::memory::{Memory, Told};
use super::wording::Wording;
use super::{Gitlab, Mode};

/// How long before the last look an issue may claim to have been made that the look did not show: it was being written,
/// or the look was answered from a copy.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// How far back closed issues are looked for at least.
const LEAST_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// How much further, since our clock and GitLab's are not the same.
const CLOCK_MARGIN: Duration = Duration::from_secs(3600);

/// An issue younger than this many times `duplicate_check_delay` may have a rival that nobody has seen yet.
const YOUNG: u32 = 3;

/// A notification on its way.
pub(super) struct Telling<'a> {
    pub(super) gitlab: &'a Gitlab,
    notification: &'a Notification,
    pub(super) wording: Wording,
    /// The group's name in markers.
    pub(super) group: String,
    memory: Option<Memory>,
    pub(super) asked: Asked,
}

/// What was read of a group's issues.
#[derive(Default)]
struct Seen {
    issues: Vec<Issue>,
    /// GitLab's clock at the reading.
    date: Option<Timestamp>,
}

/// The issue that stands for the group.
struct Found {
    issue: Issue,
    date: Option<Timestamp>,
    /// Whether it was made just now.
    created: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn new(gitlab: &'a Gitlab, notification: &'a Notification) -> Result<Self, Failure> {
        let wording = gitlab.texts.render(notification)?;
        let group = description::group_id(&gitlab.cluster, &notification.key);
        let memory = Memory::of(notification.previous.as_deref(), &wording.project);
        Ok(Self { gitlab, notification, wording, group, memory, asked: Asked::default() })
    }

    /// What is to be remembered once all is told.
    pub(super) async fn tell(&self) -> Result<ReceiverData, Failure> {
        let Some(found) = self.find().await? else {
            return Ok(self.memory.as_ref().map(Memory::data).unwrap_or_default());
        };
        let found = self.make_sure(found).await?;
        self.gitlab.strays.settle(&self.group);
        let issue = self.bring_up_to_date(found.issue, found.created).await?;
        let memory = Memory {
            project: self.wording.project.as_str().into(),
            at: issue.project_id,
            iid: issue.iid,
            told: Told::of(&self.wording),
            checked: found.date.or(self.memory.as_ref().and_then(|memory| memory.checked)),
        };
        Ok(memory.data())
    }

    fn fires(&self) -> bool {
        !self.wording.firing.is_empty()
    }

    fn now(&self) -> Timestamp {
        data::instant((self.gitlab.now)())
    }

    /// The group's issue; made if there must be one. None if nothing is to be done.
    async fn find(&self) -> Result<Option<Found>, Failure> {
        match self.take(self.read().await?).await? {
            (Choice::Create { .. }, _) if self.gitlab.locks => self.find_under_lock().await,
            (choice, date) => self.realise(choice, date).await,
        }
    }

    /// Another node may have made the issue before we had the lock, so all is read again.
    async fn find_under_lock(&self) -> Result<Option<Found>, Failure> {
        let lock = Lock::take(self, self.now()).await?;
        let found = async {
            let (choice, date) = self.take(self.read().await?).await?;
            self.realise(choice, date).await
        };
        let found = found.await;
        lock.release(self).await;
        found
    }

    async fn realise(&self, choice: Choice, date: Option<Timestamp>) -> Result<Option<Found>, Failure> {
        Ok(match choice {
            Choice::Rest => None,
            Choice::Use { issue, .. } => Some(Found { issue: *issue, date, created: false }),
            Choice::Create { previous } => {
                Some(Found { issue: self.create(previous.as_deref()).await?, date, created: true })
            }
        })
    }

    /// Chooses, and closes the duplicates of what was chosen.
    async fn take(&self, seen: Seen) -> Result<(Choice, Option<Timestamp>), Failure> {
        let choice = choose(seen.issues, self.fires(), &self.wording.project, &self.gitlab.rules, self.now());
        if let Choice::Use { issue, duplicates } = &choice {
            self.close_duplicates(duplicates, issue).await?;
        }
        Ok((choice, seen.date))
    }

    /// All that may stand for the group. If the issue that is remembered is open, only what is younger than the last
    /// look is read besides.
    async fn read(&self) -> Result<Seen, Failure> {
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
        let issues = self.gitlab.api.list::<Issue>(&self.asked, "issues", query).await?.entries;
        let found = issues.into_iter().find(|issue| Some(issue.id) == moved.moved_to_id && self.is_ours(issue));
        if found.is_none() {
            tracing::warn!(integration = "gitlab", project = %self.wording.project, iid = moved.iid, "The issue was moved to where it cannot be seen, another takes its place");
        }
        Ok(found)
    }

    /// The group's open issues, those made after `since` or all.
    async fn read_open(&self, since: Option<Timestamp>) -> Result<Seen, Failure> {
        let mut query = self.query("opened");
        query.extend(since.map(|since| ("created_after", (since - MARGIN).to_string())));
        let list = self.gitlab.api.list::<Issue>(&self.asked, &self.issues(), query).await?;
        let issues = list.entries.into_iter().filter(|issue| self.is_ours(issue)).collect();
        Ok(Seen { issues, date: list.date })
    }

    /// The group's issues that were closed not long ago, and the one that was moved away.
    async fn read_closed(&self) -> Result<Vec<Issue>, Failure> {
        let back = self.gitlab.rules.reopen_duration.max(LEAST_MEMORY) + CLOCK_MARGIN;
        let since = self.now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut query = self.query("closed");
        query.push(("updated_after", since.to_string()));
        let mut closed = self.gitlab.api.list::<Issue>(&self.asked, &self.issues(), query).await?.entries;
        closed.retain(|issue| self.is_ours(issue));
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
    fn issues(&self) -> String {
        format!("projects/{}/issues", encoded(&self.wording.project))
    }

    async fn create(&self, previous: Option<&Issue>) -> Result<Issue, Failure> {
        let body = self.new_issue(previous).await?.into();
        // If the attempt is broken off, or answered with an error, the issue may be made all the same.
        let expect = || self.gitlab.strays.expect(&self.group, self.young());
        expect();
        let made = self.gitlab.api.write::<Issue>(&self.asked, Method::POST, &self.issues(), &body).await;
        let issue = made.inspect_err(|_| expect())?;
        if let Some(previous) = previous {
            self.link(&issue, previous).await;
        }
        Ok(issue)
    }

    async fn new_issue(&self, previous: Option<&Issue>) -> Result<Map<String, Value>, Failure> {
        let Wording { project, title, region, labels, .. } = &self.wording;
        let previous = previous.map(|issue| issue.reference());
        let mut body = Map::new();
        let mut set = |key: &str, value: Value| drop(body.insert(key.to_owned(), value));
        set("title", title.as_str().into());
        set("description", description::new(region, &self.group, previous.as_deref()).into());
        set("labels", labels.join(",").into());
        if self.gitlab.mode == Mode::Incident {
            set("issue_type", "incident".into());
        }
        let (api, names) = (&self.gitlab.api, &self.gitlab.names);
        let assignees = names.users(api, &self.asked, &self.wording.assignees).await?;
        if !assignees.is_empty() {
            set("assignee_ids", assignees.into());
        }
        if !self.gitlab.milestone.is_empty()
            && let Some(milestone) = names.milestone(api, &self.asked, project, &self.gitlab.milestone).await?
        {
            set("milestone_id", milestone.into());
        }
        if let Some(due_date) = &self.wording.due_date {
            set("due_date", due_date.as_str().into());
        }
        if self.wording.confidential {
            set("confidential", true.into());
        }
        Ok(body)
    }

    /// The description names the previous issue already, so a link that cannot be made is no failure.
    async fn link(&self, issue: &Issue, previous: &Issue) {
        let body = json!({"target_project_id": previous.project_id, "target_issue_iid": previous.iid});
        let linked = self.gitlab.api.ask(&self.asked, Method::POST, &path(issue, "/links"), &[], Some(&body)).await;
        if let Err((_, failure)) = linked {
            tracing::warn!(integration = "gitlab", err = %failure.text, "Cannot link the issue to the one before it");
        }
    }

    /// Looks for rivals of an issue that is new, to us at least: at once if we made it, and after a while.
    async fn make_sure(&self, mut found: Found) -> Result<Found, Failure> {
        if found.created {
            found = self.look_again(found).await?;
        }
        let delay = self.gitlab.duplicate_check_delay;
        if !delay.is_zero() && (found.created || self.may_have_rival(&found.issue)) {
            tokio::time::sleep(delay).await;
            found = self.look_again(found).await?;
        }
        Ok(found)
    }

    fn may_have_rival(&self, issue: &Issue) -> bool {
        let known = self.memory.as_ref().is_some_and(|memory| memory.is_of(issue));
        let age = self.now().duration_since(issue.created_at);
        let is_young = age < SignedDuration::try_from(self.young()).unwrap_or(SignedDuration::MAX);
        !known && is_young || self.gitlab.strays.expects(&self.group, self.young())
    }

    /// For how long rivals of an issue may turn up.
    fn young(&self) -> Duration {
        self.gitlab.duplicate_check_delay * YOUNG
    }

    async fn look_again(&self, found: Found) -> Result<Found, Failure> {
        let mut seen = self.read_open(Some(found.issue.created_at)).await?;
        let mine = found.issue.id;
        seen.add(found.issue);
        let (choice, date) = self.take(seen).await?;
        match self.realise(choice, date).await? {
            Some(now) => Ok(Found { created: found.created && now.issue.id == mine, ..now }),
            None => Err(outcome::transient("the issue was closed while it was being made")),
        }
    }

    /// Lists may come from a copy that lags behind; what is closed for good is asked for once more.
    async fn close_duplicates(&self, duplicates: &[Issue], of: &Issue) -> Result<(), Failure> {
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
    async fn bring_up_to_date(&self, issue: Issue, created: bool) -> Result<Issue, Failure> {
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
        let notes = self.notes(issue).await?;
        Ok(notes.iter().any(|note| !note.system && note.author.id != issue.author.id))
    }

    /// Comments, the newest first.
    async fn notes(&self, issue: &Issue) -> Result<Vec<Note>, Failure> {
        let query = vec![("activity_filter", "only_comments".to_owned()), ("sort", "desc".to_owned())];
        Ok(self.gitlab.api.list(&self.asked, &path(issue, "/notes"), query).await?.entries)
    }

    /// An incident's severity is set once, and by a quick action because nothing else can; later it is people's.
    async fn set_severity(&self, issue: &Issue) -> Result<(), Failure> {
        let known = self.memory.as_ref().is_some_and(|memory| memory.is_of(issue));
        let unset = issue.severity.as_deref().is_none_or(|severity| severity == "UNKNOWN");
        if self.gitlab.mode != Mode::Incident || known || !unset || self.wording.severity == "unknown" {
            return Ok(());
        }
        self.comment_on(issue, &format!("/severity {}", self.wording.severity)).await
    }

    /// If the issue needed no change, an earlier attempt may have made it, and the comment as well.
    async fn comment(&self, issue: &Issue, edited: bool) -> Result<(), Failure> {
        let marker = description::note_marker(&identity::identity(self.notification));
        if !edited && self.notes(issue).await?.iter().any(|note| note.body.contains(&marker)) {
            return Ok(());
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

impl Seen {
    /// An issue may have been read twice; then the later reading, of itself, counts.
    fn add(&mut self, issue: Issue) {
        self.issues.retain(|known| known.id != issue.id);
        self.issues.push(issue);
    }
}

/// Where an issue, or what belongs to it, is.
fn path(issue: &Issue, of_it: &str) -> String {
    format!("projects/{}/issues/{}{of_it}", issue.project_id, issue.iid)
}
