//! Which operation a request means, and of what.

use super::call::decoded;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    ListAllIssues,
    GetAnyIssue,
    ListIssues,
    CreateIssue,
    GetIssue,
    UpdateIssue,
    DeleteIssue,
    MoveIssue,
    ListNotes,
    CreateNote,
    GetNote,
    UpdateNote,
    DeleteNote,
    ListLinks,
    CreateLink,
    DeleteLink,
    ListLabels,
    CreateLabel,
    GetLabel,
    UpdateLabel,
    DeleteLabel,
    ListMilestones,
    CreateMilestone,
    GetMilestone,
    ListMembers,
    ListProjectUsers,
    ListProjects,
    GetProject,
    ListUsers,
    GetUser,
    CurrentUser,
    OwnToken,
    Metadata,
    Version,
    PostAlert,
    Unknown,
}

/// Of what, as far as the path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// A project's path or number.
    pub(crate) project: String,
    /// An issue's number in its project, or whatever else comes first.
    pub(crate) number: u64,
    /// A note's or link's number.
    pub(crate) part: u64,
    /// A label's name.
    pub(crate) name: String,
}

pub(super) fn route(method: &str, path: &str) -> (Operation, Target) {
    let none = (Operation::Unknown, Target::default());
    if let Some(project) = alert_endpoint(path).filter(|_| method == "POST") {
        return (Operation::PostAlert, Target { project, ..Target::default() });
    }
    let Some(rest) = path.strip_prefix("/api/v4/") else { return none };
    let pieces: Vec<_> = rest.split('/').map(decoded).collect();
    let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
    match pieces.as_slice() {
        ["projects", project, rest @ ..] => {
            let target = Target { project: (*project).to_owned(), ..Target::default() };
            of_project(method, rest, target).unwrap_or(none)
        }
        rest => of_all(method, rest).unwrap_or(none),
    }
}

fn of_all(method: &str, pieces: &[&str]) -> Option<(Operation, Target)> {
    let number = |text: &str| Some(Target { number: text.parse().ok()?, ..Target::default() });
    let plain = |operation| Some((operation, Target::default()));
    match (method, pieces) {
        ("GET", ["issues"]) => plain(Operation::ListAllIssues),
        ("GET", ["issues", id]) => Some((Operation::GetAnyIssue, number(id)?)),
        ("GET", ["projects"]) => plain(Operation::ListProjects),
        ("GET", ["users"]) => plain(Operation::ListUsers),
        ("GET", ["users", id]) => Some((Operation::GetUser, number(id)?)),
        ("GET", ["user"]) => plain(Operation::CurrentUser),
        ("GET", ["personal_access_tokens", "self"]) => plain(Operation::OwnToken),
        ("GET", ["metadata"]) => plain(Operation::Metadata),
        ("GET", ["version"]) => plain(Operation::Version),
        _ => None,
    }
}

fn of_project(method: &str, pieces: &[&str], mut target: Target) -> Option<(Operation, Target)> {
    if let ["issues", iid, rest @ ..] = pieces {
        target.number = iid.parse().ok()?;
        return of_issue(method, rest, target);
    }
    let operation = match (method, pieces) {
        ("GET", []) => Operation::GetProject,
        ("GET", ["issues"]) => Operation::ListIssues,
        ("POST", ["issues"]) => Operation::CreateIssue,
        ("GET", ["labels"]) => Operation::ListLabels,
        ("POST", ["labels"]) => Operation::CreateLabel,
        // The name is in the body: an older form that clients still use.
        ("PUT", ["labels"]) => Operation::UpdateLabel,
        (_, ["labels", name]) => {
            target.name = (*name).to_owned();
            match method {
                "GET" => Operation::GetLabel,
                "PUT" => Operation::UpdateLabel,
                "DELETE" => Operation::DeleteLabel,
                _ => return None,
            }
        }
        ("GET", ["milestones"]) => Operation::ListMilestones,
        ("POST", ["milestones"]) => Operation::CreateMilestone,
        ("GET", ["milestones", id]) => {
            target.number = id.parse().ok()?;
            Operation::GetMilestone
        }
        ("GET", ["members"] | ["members", "all"]) => Operation::ListMembers,
        ("GET", ["users"]) => Operation::ListProjectUsers,
        _ => return None,
    };
    Some((operation, target))
}

fn of_issue(method: &str, pieces: &[&str], mut target: Target) -> Option<(Operation, Target)> {
    if let [_, part] = pieces {
        target.part = part.parse().ok()?;
    }
    let operation = match (method, pieces) {
        ("GET", []) => Operation::GetIssue,
        ("PUT", []) => Operation::UpdateIssue,
        ("DELETE", []) => Operation::DeleteIssue,
        ("POST", ["move"]) => Operation::MoveIssue,
        ("GET", ["notes"]) => Operation::ListNotes,
        ("POST", ["notes"]) => Operation::CreateNote,
        ("GET", ["notes", _]) => Operation::GetNote,
        ("PUT", ["notes", _]) => Operation::UpdateNote,
        ("DELETE", ["notes", _]) => Operation::DeleteNote,
        ("GET", ["links"]) => Operation::ListLinks,
        ("POST", ["links"]) => Operation::CreateLink,
        ("DELETE", ["links", _]) => Operation::DeleteLink,
        _ => return None,
    };
    Some((operation, target))
}

/// The project of `…/alerts/notify.json` or `…/alerts/notify/<name>/<16 hex digits>.json`.
fn alert_endpoint(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    if let Some(project) = path.strip_suffix("/alerts/notify.json") {
        return Some(project.to_owned());
    }
    let (project, integration) = path.strip_suffix(".json")?.split_once("/alerts/notify/")?;
    let (_, id) = integration.split_once('/')?;
    (id.len() == 16 && id.chars().all(|digit| digit.is_ascii_hexdigit())).then(|| project.to_owned())
}
