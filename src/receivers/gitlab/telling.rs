//! One notification told to a project: the group's issue is found or made, made to be the only one, and brought up to
//! date. What to do next is decided in `choice`; here it is done, in an order that lets any attempt be broken off
//! anywhere and made again.
//!
//! There is no lock that nodes hold against each other. Whoever makes an issue looks again afterwards, at once and once
//! more after `duplicate_check_delay`, and whoever sees several open issues of one group closes all but one, the same
//! one on every node. What became visible later still is found by the look that every later notification takes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};

use super::super::{data, outcome};
use super::Gitlab;
use super::api::Asked;
use super::choice::{Choice, choose};
use super::description;
use super::issue::Issue;
use super::lock::Lock;
use super::memory::{Memory, Told};
use super::reading::Seen;
use super::wording::Wording;

/// An issue younger than this many times `duplicate_check_delay` may have a rival that nobody has seen yet.
const YOUNG: u32 = 3;

/// A notification on its way.
pub(super) struct Telling<'a> {
    pub(super) gitlab: &'a Gitlab,
    pub(super) notification: &'a Notification,
    pub(super) wording: Wording,
    /// The group's name in markers.
    pub(super) group: String,
    pub(super) memory: Option<Memory>,
    pub(super) asked: Asked,
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

    pub(super) fn fires(&self) -> bool {
        !self.wording.firing.is_empty()
    }

    pub(super) fn now(&self) -> Timestamp {
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
        let is_young = age < SignedDuration::try_from(self.rivals_turn_up_for()).unwrap_or(SignedDuration::MAX);
        !known && is_young || self.gitlab.strays.expects(&self.group, self.rivals_turn_up_for())
    }

    /// For how long rivals of an issue may turn up.
    pub(super) fn rivals_turn_up_for(&self) -> Duration {
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
}
