//! Lists of issues, filtered and in order.

use std::cmp::Ordering;

use super::access;
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::page::page;
use super::params::Params;
use super::shown;
use super::world::{Issue, User, World};

const STATES: [&str; 3] = ["opened", "closed", "all"];
const SCOPES: [&str; 5] = ["created-by-me", "assigned-to-me", "created_by_me", "assigned_to_me", "all"];
const ORDERS: [&str; 10] = [
    "created_at",
    "due_date",
    "label_priority",
    "milestone_due",
    "popularity",
    "priority",
    "relative_position",
    "title",
    "updated_at",
    "weight",
];
pub(super) const TYPES: [&str; 6] = ["issue", "incident", "test_case", "requirement", "task", "ticket"];

pub(super) fn of_project(world: &World, call: &Call, user: &User) -> Outcome {
    let project = access::member_project(world, call, user)?.0.id;
    let filter = Filter::read(world, call, user, "all")?;
    listed(world, call, user, |issue| issue.project == project && filter.takes(world, issue))
}

/// Issues of all projects; those of the asking person's own making, unless asked otherwise.
pub(super) fn all(world: &World, call: &Call, user: &User) -> Outcome {
    let filter = Filter::read(world, call, user, "created_by_me")?;
    listed(world, call, user, |issue| filter.takes(world, issue))
}

fn listed(world: &World, call: &Call, user: &User, takes: impl Fn(&Issue) -> bool) -> Outcome {
    let mut found: Vec<_> =
        world.issues.iter().filter(|issue| access::sees(world, issue, user) && takes(issue)).collect();
    let params = Params(call);
    let order = params.one_of("order_by", &ORDERS)?.unwrap_or_else(|| "created_at".to_owned());
    let ascending = params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc");
    found.sort_by(|a, b| {
        let order = compare(a, b, &order);
        if ascending { order } else { order.reverse() }
    });
    page(call, found.into_iter().map(|issue| shown::issue(world, issue)).collect())
}

fn compare(a: &Issue, b: &Issue, order: &str) -> Ordering {
    let order = match order {
        "updated_at" => a.updated_at.cmp(&b.updated_at),
        "title" => a.title.cmp(&b.title),
        "due_date" => a.due_date.cmp(&b.due_date),
        _ => a.created_at.cmp(&b.created_at),
    };
    order.then(a.id.cmp(&b.id))
}

/// What a list is narrowed down to.
struct Filter {
    open: Option<bool>,
    author: Option<u64>,
    assignee: Option<Option<u64>>,
    labels: Vec<String>,
    iids: Option<Vec<u64>>,
    issue_type: Option<String>,
    milestone: Option<String>,
    confidential: Option<bool>,
    search: Option<(String, bool, bool)>,
    created: [Option<jiff::Timestamp>; 2],
    updated: [Option<jiff::Timestamp>; 2],
}

impl Filter {
    fn read(world: &World, call: &Call, user: &User, scope: &str) -> Result<Self, Answer> {
        let params = Params(call);
        let named = |name: &str| params.text(name).map(|name| world.user_named(&name).map_or(0, |user| user.id));
        let mut author = params.number("author_id")?.or_else(|| named("author_username"));
        let mut assignee = named("assignee_username").or(params.number("assignee_id")?).map(Some);
        match params.one_of("scope", &SCOPES)?.as_deref().unwrap_or(scope) {
            "created_by_me" | "created-by-me" => author = Some(user.id),
            "assigned_to_me" | "assigned-to-me" => assignee = Some(Some(user.id)),
            _ => {}
        }
        Ok(Self {
            open: match params.one_of("state", &STATES)?.as_deref() {
                Some("opened") => Some(true),
                Some("closed") => Some(false),
                _ => None,
            },
            author,
            assignee,
            labels: params.list("labels").unwrap_or_default(),
            iids: params.numbers("iids")?,
            issue_type: params.one_of("issue_type", &TYPES)?,
            milestone: params.text("milestone"),
            confidential: params.flag("confidential")?,
            search: params.text("search").map(|text| {
                let fields = params.text("in").unwrap_or_else(|| "title,description".to_owned());
                (text.to_lowercase(), fields.contains("title"), fields.contains("description"))
            }),
            created: [params.time("created_after")?, params.time("created_before")?],
            updated: [params.time("updated_after")?, params.time("updated_before")?],
        })
    }

    fn takes(&self, world: &World, issue: &Issue) -> bool {
        let within = |[after, before]: [Option<jiff::Timestamp>; 2], time| {
            after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
        };
        let found = |(text, in_title, in_description): &(String, bool, bool)| {
            (*in_title && issue.title.to_lowercase().contains(text))
                || (*in_description && issue.description.to_lowercase().contains(text))
        };
        self.open.is_none_or(|open| issue.open == open)
            && self.author.is_none_or(|author| issue.author == author)
            && self.assignee.is_none_or(|assignee| assignee.is_some_and(|id| issue.assignees.contains(&id)))
            && self.labels.iter().all(|label| has_label(issue, label))
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&issue.iid))
            && self.issue_type.as_ref().is_none_or(|wanted| issue.issue_type == *wanted)
            && self.milestone.as_ref().is_none_or(|title| milestone_title(world, issue) == Some(title))
            && self.confidential.is_none_or(|confidential| issue.confidential == confidential)
            && self.search.as_ref().is_none_or(found)
            && within(self.created, issue.created_at)
            && within(self.updated, issue.updated_at)
    }
}

fn has_label(issue: &Issue, wanted: &str) -> bool {
    match wanted {
        "None" | "none" => issue.labels.is_empty(),
        "Any" | "any" => !issue.labels.is_empty(),
        wanted => issue.labels.iter().any(|label| label == wanted),
    }
}

fn milestone_title<'a>(world: &'a World, issue: &Issue) -> Option<&'a String> {
    let project = world.project(issue.project);
    project.milestones.iter().find(|known| Some(known.id) == issue.milestone).map(|known| &known.title)
}
