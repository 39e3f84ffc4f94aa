//! Records as GitLab's API shows them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{Issue, Label, Link, Milestone, Note, Project, User, World};

pub(super) fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

pub(super) fn user(world: &World, user: &User) -> Value {
    json!({
        "id": user.id, "username": user.username, "name": user.username, "state": "active", "locked": false,
        "avatar_url": null, "web_url": format!("{}/{}", world.url, user.username),
    })
}

pub(super) fn project(world: &World, project: &Project) -> Value {
    let name = project.path.rsplit('/').next().unwrap_or_default();
    json!({
        "id": project.id, "name": name, "path": name, "path_with_namespace": project.path,
        "visibility": "private", "issues_enabled": true, "archived": false, "default_branch": "main",
        "web_url": format!("{}/{}", world.url, project.path),
    })
}

pub(super) fn issue(world: &World, issue: &Issue) -> Value {
    let project = world.project(issue.project);
    let person = |id: u64| user(world, world.user(id));
    let assignees: Vec<_> = issue.assignees.iter().map(|id| person(*id)).collect();
    let own = format!("{}/api/v4/projects/{}/issues/{}", world.url, issue.project, issue.iid);
    let duplicate_of = issue.duplicate_of.and_then(|id| world.issue(id));
    let duplicate_of =
        duplicate_of.map(|other| format!("{}/api/v4/projects/{}/issues/{}", world.url, other.project, other.iid));
    let milestone_of = |id| project.milestones.iter().find(|known| known.id == id);
    let notes = world.notes.iter().filter(|note| note.issue == issue.id && !note.system).count();
    json!({
        "id": issue.id, "iid": issue.iid, "project_id": issue.project,
        "title": issue.title, "description": issue.description,
        "state": if issue.open { "opened" } else { "closed" },
        "created_at": time(issue.created_at), "updated_at": time(issue.updated_at),
        "closed_at": issue.closed_at.map(time), "closed_by": issue.closed_by.map(person),
        "labels": issue.labels, "milestone": issue.milestone.and_then(milestone_of).map(|known| milestone(project, known)),
        "assignees": assignees, "assignee": assignees.first(), "author": person(issue.author),
        "type": issue.issue_type.to_uppercase(), "issue_type": issue.issue_type, "severity": issue.severity.to_uppercase(),
        "user_notes_count": notes, "merge_requests_count": 0, "upvotes": 0, "downvotes": 0,
        "due_date": issue.due_date.map(|date| date.to_string()), "confidential": issue.confidential,
        "discussion_locked": issue.locked.then_some(true), "moved_to_id": issue.moved_to, "imported": false,
        "web_url": format!("{}/{}/-/issues/{}", world.url, project.path, issue.iid),
        "time_stats": {"time_estimate": 0, "total_time_spent": 0, "human_time_estimate": null, "human_total_time_spent": null},
        "task_completion_status": {"count": 0, "completed_count": 0}, "has_tasks": false,
        "_links": {"self": own, "notes": format!("{own}/notes"), "closed_as_duplicate_of": duplicate_of},
        "references": {"short": format!("#{}", issue.iid), "relative": format!("#{}", issue.iid), "full": format!("{}#{}", project.path, issue.iid)},
        "service_desk_reply_to": null,
    })
}

pub(super) fn note(world: &World, note: &Note) -> Value {
    let issue = world.issue(note.issue);
    json!({
        "id": note.id, "type": null, "body": note.body, "author": user(world, world.user(note.author)),
        "created_at": time(note.created_at), "updated_at": time(note.updated_at), "system": note.system,
        "noteable_id": note.issue, "noteable_type": "Issue", "noteable_iid": issue.map(|issue| issue.iid),
        "project_id": issue.map(|issue| issue.project), "resolvable": false,
        "confidential": note.internal, "internal": note.internal, "imported": false, "commands_changes": {},
    })
}

pub(super) fn label(label: &Label) -> Value {
    json!({
        "id": label.id, "name": label.name, "color": label.color, "text_color": "#FFFFFF",
        "description": label.description, "subscribed": false, "priority": null, "is_project_label": true,
    })
}

pub(super) fn milestone(project: &Project, milestone: &Milestone) -> Value {
    json!({
        "id": milestone.id, "iid": milestone.iid, "project_id": project.id, "title": milestone.title,
        "description": milestone.description, "state": if milestone.active { "active" } else { "closed" },
        "due_date": null, "start_date": null, "expired": false,
    })
}

/// A link as it is made.
pub(super) fn link(world: &World, link: &Link) -> Value {
    let end = |id: u64| world.issue(id).map(|known| issue(world, known));
    json!({
        "id": link.id, "source_issue": end(link.source), "target_issue": end(link.target), "link_type": link.link_type,
    })
}

/// A link as seen from one of its ends: the other issue, and how they are linked.
pub(super) fn linked(world: &World, link: &Link, from: u64) -> Option<Value> {
    let other = if link.source == from { link.target } else { link.source };
    let mut shown = issue(world, world.issue(other)?);
    shown["issue_link_id"] = link.id.into();
    shown["link_type"] = link.link_type.clone().into();
    Some(shown)
}
