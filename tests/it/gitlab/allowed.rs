//! What GitLab's REST API v4 accepts for the operations that Watchbell uses (GitLab 19.5, docs.gitlab.com/api): the names of
//! parameters, where they stand and what their values look like. GitLab itself ignores what it does not know, so that a
//! misspelt filter goes unnoticed; here it does not.

use serde_json::Value;

use super::fake::{Call, Operation};

/// What a parameter's value looks like.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Day,
    Time,
    Numbers,
    /// A list, or a text with commas.
    Texts,
    OneOf(&'static [&'static str]),
}

type Parameters = &'static [(&'static str, Kind)];

const ISSUE_TYPES: &[&str] = &["issue", "incident", "test_case", "requirement", "task", "ticket"];

const PAGES: Parameters = &[("page", Kind::Number), ("per_page", Kind::Number)];

const ISSUE_FILTERS: Parameters = &[
    ("state", Kind::OneOf(&["opened", "closed", "all"])),
    ("scope", Kind::OneOf(&["created-by-me", "assigned-to-me", "created_by_me", "assigned_to_me", "all"])),
    ("labels", Kind::Texts),
    ("with_labels_details", Kind::Flag),
    ("iids", Kind::Numbers),
    ("issue_type", Kind::OneOf(ISSUE_TYPES)),
    ("milestone", Kind::Text),
    ("milestone_id", Kind::OneOf(&["Any", "None", "Upcoming", "Started"])),
    ("search", Kind::Text),
    ("in", Kind::Text),
    ("author_id", Kind::Number),
    ("author_username", Kind::Text),
    ("assignee_id", Kind::Number),
    ("assignee_username", Kind::Texts),
    ("closed_by_id", Kind::Number),
    ("created_after", Kind::Time),
    ("created_before", Kind::Time),
    ("updated_after", Kind::Time),
    ("updated_before", Kind::Time),
    ("confidential", Kind::Flag),
    ("my_reaction_emoji", Kind::Text),
    (
        "order_by",
        Kind::OneOf(&[
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
        ]),
    ),
    ("sort", Kind::OneOf(&["asc", "desc"])),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
    ("pagination", Kind::OneOf(&["keyset"])),
    ("cursor", Kind::Text),
];

const ISSUE_FIELDS: Parameters = &[
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("labels", Kind::Texts),
    ("assignee_id", Kind::Number),
    ("assignee_ids", Kind::Numbers),
    ("milestone_id", Kind::Number),
    ("due_date", Kind::Day),
    ("confidential", Kind::Flag),
    ("discussion_locked", Kind::Flag),
    ("issue_type", Kind::OneOf(ISSUE_TYPES)),
];

const NEW_ISSUE: Parameters = &[("created_at", Kind::Time), ("iid", Kind::Number)];

const CHANGED_ISSUE: Parameters = &[
    ("add_labels", Kind::Texts),
    ("remove_labels", Kind::Texts),
    ("state_event", Kind::OneOf(&["close", "reopen"])),
    ("updated_at", Kind::Time),
];

const NOTE_LIST: Parameters = &[
    ("sort", Kind::OneOf(&["asc", "desc"])),
    ("order_by", Kind::OneOf(&["created_at", "updated_at"])),
    ("activity_filter", Kind::OneOf(&["all_notes", "only_comments", "only_activity"])),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
];

const NOTE: Parameters =
    &[("body", Kind::Text), ("internal", Kind::Flag), ("confidential", Kind::Flag), ("created_at", Kind::Time)];

const LINK: Parameters = &[
    ("target_project_id", Kind::Text),
    ("target_issue_iid", Kind::Number),
    ("link_type", Kind::OneOf(&["relates_to", "blocks", "is_blocked_by"])),
];

const LABEL_LIST: Parameters = &[
    ("with_counts", Kind::Flag),
    ("include_ancestor_groups", Kind::Flag),
    ("search", Kind::Text),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
];

const LABEL: Parameters = &[
    ("name", Kind::Text),
    ("color", Kind::Text),
    ("description", Kind::Text),
    ("priority", Kind::Number),
    ("archived", Kind::Flag),
];

const CHANGED_LABEL: Parameters = &[
    ("new_name", Kind::Text),
    ("color", Kind::Text),
    ("description", Kind::Text),
    ("priority", Kind::Number),
    ("archived", Kind::Flag),
];

const USER_LIST: Parameters = &[
    ("username", Kind::Text),
    ("search", Kind::Text),
    ("active", Kind::Flag),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
];

const MEMBER_LIST: Parameters = &[
    ("query", Kind::Text),
    ("user_ids", Kind::Numbers),
    ("state", Kind::OneOf(&["awaiting", "active"])),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
];

const MILESTONE_LIST: Parameters = &[
    ("iids", Kind::Numbers),
    ("state", Kind::OneOf(&["active", "closed", "all"])),
    ("title", Kind::Text),
    ("search", Kind::Text),
    ("include_ancestors", Kind::Flag),
    ("updated_before", Kind::Time),
    ("updated_after", Kind::Time),
    ("page", Kind::Number),
    ("per_page", Kind::Number),
];

/// The generic endpoint takes any further member as well; these it reads.
const ALERT: Parameters = &[
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("start_time", Kind::Time),
    ("end_time", Kind::Time),
    ("service", Kind::Text),
    ("monitoring_tool", Kind::Text),
    ("hosts", Kind::Texts),
    ("severity", Kind::OneOf(&["critical", "high", "medium", "low", "info", "unknown"])),
    ("fingerprint", Kind::Texts),
    ("gitlab_environment_name", Kind::Text),
];

/// What may stand in the query and what in the body.
fn parameters(operation: Operation) -> Option<(Vec<Parameters>, Vec<Parameters>)> {
    Some(match operation {
        Operation::ListAllIssues | Operation::ListIssues => (vec![ISSUE_FILTERS], vec![]),
        Operation::CreateIssue => (vec![], vec![ISSUE_FIELDS, NEW_ISSUE]),
        Operation::UpdateIssue => (vec![], vec![ISSUE_FIELDS, CHANGED_ISSUE]),
        Operation::MoveIssue => (vec![], vec![&[("to_project_id", Kind::Number)]]),
        Operation::ListNotes => (vec![NOTE_LIST], vec![]),
        Operation::CreateNote => (vec![], vec![NOTE]),
        Operation::UpdateNote => (vec![], vec![&[("body", Kind::Text)]]),
        Operation::CreateLink => (vec![], vec![LINK]),
        Operation::ListLabels => (vec![LABEL_LIST], vec![]),
        Operation::GetLabel => (vec![&[("include_ancestor_groups", Kind::Flag)]], vec![]),
        Operation::CreateLabel => (vec![], vec![LABEL]),
        Operation::UpdateLabel => (vec![], vec![CHANGED_LABEL]),
        Operation::ListUsers => (vec![USER_LIST], vec![]),
        Operation::ListMembers => (vec![MEMBER_LIST], vec![]),
        Operation::ListProjectUsers => (vec![&[("search", Kind::Text)], PAGES], vec![]),
        Operation::ListMilestones => (vec![MILESTONE_LIST], vec![]),
        Operation::PostAlert => (vec![], vec![ALERT]),
        Operation::GetIssue
        | Operation::GetAnyIssue
        | Operation::DeleteIssue
        | Operation::GetNote
        | Operation::DeleteNote
        | Operation::ListLinks
        | Operation::DeleteLink
        | Operation::DeleteLabel
        | Operation::GetMilestone
        | Operation::GetProject
        | Operation::GetUser
        | Operation::CurrentUser
        | Operation::OwnToken
        | Operation::Metadata
        | Operation::Version => (vec![], vec![]),
        Operation::ListProjects | Operation::CreateMilestone | Operation::Unknown => return None,
    })
}

/// What GitLab's API does not know in this request, in words.
pub(crate) fn objections(call: &Call) -> Vec<String> {
    let place = format!("{} {}", call.method, call.path);
    let Some((query, body)) = parameters(call.operation) else {
        return vec![format!("{place}: no operation that we know")];
    };
    let mut objections = Vec::new();
    for (name, value) in &call.query {
        let known = find(&query, name.trim_end_matches("[]"));
        if !known.is_some_and(|kind| text_fits(kind, value)) {
            objections.push(format!("{place}: ?{name}={value}"));
        }
    }
    for (name, value) in &call.body {
        let fits = match find(&body, name) {
            Some(kind) => value_fits(kind, value),
            None => call.operation == Operation::PostAlert,
        };
        if !fits {
            objections.push(format!("{place}: {name}: {value}"));
        }
    }
    if call.garbled || (!call.body.is_empty() && call.header("content-type") != Some("application/json")) {
        objections.push(format!("{place}: the body is no JSON object"));
    }
    objections
}

fn find(parameters: &[Parameters], name: &str) -> Option<Kind> {
    parameters.iter().flat_map(|list| list.iter()).find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Whether a text in a query can be read as this.
fn text_fits(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Text | Kind::Texts => !text.is_empty(),
        Kind::Number => text.parse::<u64>().is_ok(),
        Kind::Flag => ["true", "false"].contains(&text),
        Kind::Day => text.parse::<jiff::civil::Date>().is_ok(),
        Kind::Time => text.parse::<jiff::Timestamp>().is_ok(),
        Kind::Numbers => text.split(',').all(|number| number.parse::<u64>().is_ok()),
        Kind::OneOf(words) => words.contains(&text),
    }
}

/// Whether a value in a JSON body is of this kind.
fn value_fits(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Number, Value::Number(number)) => number.is_u64(),
        (Kind::Flag, Value::Bool(_)) => true,
        (Kind::Numbers, Value::Array(items)) => items.iter().all(Value::is_u64),
        (Kind::Texts, Value::Array(items)) => items.iter().all(Value::is_string),
        // Where a path may stand, so may a number.
        (Kind::Text, Value::Number(number)) => number.is_u64(),
        (Kind::Text | Kind::Texts, Value::String(_)) => true,
        (Kind::Day | Kind::Time | Kind::OneOf(_), Value::String(text)) => text_fits(kind, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objected(method: &str, path: &str, body: &str) -> usize {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        objections(&Call::new(method, path, headers, body.as_bytes())).len()
    }

    #[test]
    fn what_gitlab_does_not_know_is_objected_to() {
        let list = "/api/v4/projects/a%2Fb/issues";
        assert_eq!(
            objected("GET", &format!("{list}?state=opened&labels=a,b&updated_after=2026-01-02T03:04:05Z"), ""),
            0
        );
        assert_eq!(objected("GET", &format!("{list}?state=open&label=a&updated_after=today&per_page=x"), ""), 4);
        assert_eq!(
            objected("POST", list, r#"{"title": "a", "labels": ["b"], "confidential": true, "assignee_ids": [1]}"#),
            0
        );
        assert_eq!(
            objected("POST", list, r#"{"title": 1.5, "label": "b", "confidential": "true", "assignee_ids": ["1"]}"#),
            4
        );
        assert_eq!(objected("GET", "/api/v4/projects/a/b/issues", ""), 1, "a path that is not encoded");
        assert_eq!(objected("PUT", &format!("{list}/1"), "[]"), 1);
    }
}
