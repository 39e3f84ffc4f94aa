//! Single issues: made, read, changed, moved, deleted.

use super::access::{self, demand, sees};
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::params::Params;
use super::world::{Issue, Level, User, World};
use super::{change, issue_list, markdown, quick, shown};

/// What an update can be about.
const UPDATABLE: [&str; 14] = [
    "title",
    "description",
    "assignee_id",
    "assignee_ids",
    "milestone_id",
    "labels",
    "add_labels",
    "remove_labels",
    "due_date",
    "confidential",
    "discussion_locked",
    "issue_type",
    "state_event",
    "updated_at",
];

/// The issue that the path names, if the person may see it.
pub(super) fn find<'a>(world: &'a World, call: &Call, user: &User) -> Result<(&'a Issue, Level), Answer> {
    let (project, level) = access::member_project(world, call, user)?;
    let issue = world.find_issue(project.id, call.target.number).filter(|issue| sees(world, issue, user));
    issue.map(|issue| (issue, level)).ok_or_else(|| Answer::not_found("Issue"))
}

pub(super) fn get(world: &World, call: &Call, user: &User) -> Outcome {
    let (issue, _) = find(world, call, user)?;
    let mut body = shown::issue(world, issue);
    body["subscribed"] = (issue.author == user.id).into();
    Ok(Answer::json(200, &body))
}

/// By the number that is one for the whole server: for those who run the server.
pub(super) fn get_any(world: &World, call: &Call, user: &User) -> Outcome {
    if !user.admin {
        return Err(Answer::forbidden());
    }
    let issue = world.issue(call.target.number).ok_or_else(|| Answer::not_found("Issue"))?;
    Ok(Answer::json(200, &shown::issue(world, issue)))
}

pub(super) fn create(world: &mut World, call: &Call, user: &User, reserved: Option<u64>) -> Outcome {
    let (project, level) = access::member_project(world, call, user)?;
    let project = project.id;
    let params = Params(call);
    let title = params.required("title")?;
    let written = quick::extract(&params.text("description").unwrap_or_default());
    let issue_type = params.one_of("issue_type", &issue_list::TYPES)?.unwrap_or_else(|| "issue".to_owned());
    change::check_title(&title)?;
    change::check_text("description", &written.text)?;
    let wanted = params.number("iid")?.filter(|_| level == Level::Owner);
    if wanted.is_some_and(|iid| world.find_issue(project, iid).is_some()) {
        return Err(Answer::message(409, "Duplicated issue"));
    }
    let iid = wanted.or(reserved).unwrap_or_else(|| world.next_iid(project));
    let created_at = params.time("created_at")?.filter(|_| level == Level::Owner).unwrap_or_else(|| world.now());
    let id = world.new_id();
    let confidential = params.flag("confidential")?.unwrap_or(false);
    let issue = Issue { id, iid, issue_type, confidential, ..Issue::new(project, user.id, created_at) };
    world.issues.push(issue);
    set(world, id, &params, user, level)?;
    let known = world.issue_mut(id);
    (known.title, known.description) = (title.clone(), written.text.clone());
    change::note_deeds(world, "", &title, markdown::in_title);
    change::note_deeds(world, "", &written.text, markdown::in_text);
    quick::run(world, id, user, &written.commands);
    // What made the issue is no change of it.
    world.notes.retain(|note| note.issue != id);
    Ok(Answer::json(201, &shown::issue(world, world.known(id))))
}

pub(super) fn update(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = find(world, call, user)?;
    let (id, author) = (issue.id, issue.author);
    if author != user.id {
        demand(level, Level::Reporter)?;
    }
    let params = Params(call);
    if UPDATABLE.iter().all(|name| !params.has(name)) {
        let names = UPDATABLE.join(", ");
        return Err(Answer::bad_parameter(&format!("{names} are missing, at least one parameter must be provided")));
    }
    let event = params.one_of("state_event", &["close", "reopen"])?;
    if let Some(issue_type) = params.one_of("issue_type", &issue_list::TYPES)? {
        world.issue_mut(id).issue_type = issue_type;
    }
    if let Some(title) = params.text("title") {
        change::retitle(world, id, user, &title)?;
    }
    set(world, id, &params, user, level)?;
    if let Some(text) = params.text("description") {
        let written = quick::extract(&text);
        change::describe(world, id, user, &written.text)?;
        quick::run(world, id, user, &written.commands);
    }
    if let Some(event) = event {
        change::set_open(world, id, user, event == "reopen");
    }
    world.touch(id);
    Ok(Answer::json(200, &shown::issue(world, world.known(id))))
}

/// What new and changed issues have in common.
fn set(world: &mut World, id: u64, params: &Params<'_>, user: &User, level: Level) -> Result<(), Answer> {
    let project = world.known(id).project;
    if level >= Level::Reporter {
        if let Some(names) = params.list("labels") {
            let gone: Vec<_> = world.known(id).labels.iter().filter(|name| !names.contains(name)).cloned().collect();
            change::remove_labels(world, id, user, &gone);
            change::add_labels(world, id, user, &names)?;
        }
        change::add_labels(world, id, user, &params.list("add_labels").unwrap_or_default())?;
        change::remove_labels(world, id, user, &params.list("remove_labels").unwrap_or_default());
        let assignees = match params.number("assignee_id")? {
            Some(one) => Some(vec![one]),
            None => params.numbers("assignee_ids")?,
        };
        if let Some(ids) = assignees {
            change::assign(world, id, user, &ids);
        }
        if let Some(milestone) = params.number("milestone_id")? {
            let known = world.project(project).milestones.iter().any(|known| known.id == milestone);
            world.issue_mut(id).milestone = known.then_some(milestone);
        }
        if params.has("due_date") {
            change::set_due(world, id, params.date("due_date"));
        }
    }
    if let Some(confidential) = params.flag("confidential")? {
        world.issue_mut(id).confidential = confidential;
    }
    if let Some(locked) = params.flag("discussion_locked")? {
        world.issue_mut(id).locked = locked;
    }
    Ok(())
}

pub(super) fn delete(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = find(world, call, user)?;
    demand(level, Level::Owner)?;
    let id = issue.id;
    world.issues.retain(|issue| issue.id != id);
    world.notes.retain(|note| note.issue != id);
    world.links.retain(|link| link.source != id && link.target != id);
    Ok(Answer::no_content())
}

pub(super) fn shift(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = find(world, call, user)?;
    demand(level, Level::Reporter)?;
    let id = issue.id;
    if issue.moved_to.is_some() {
        return Err(Answer::message(400, "Cannot move issue due to insufficient permissions!"));
    }
    let to = Params(call).required("to_project_id")?;
    let target = world.find_project(&to).filter(|project| access::level(project, user).is_some());
    let target = target.ok_or_else(|| Answer::not_found("Project"))?.id;
    let moved = change::move_to(world, id, user, target);
    Ok(Answer::json(201, &shown::issue(world, world.known(moved))))
}
