//! Changes of an issue, each with the note by which GitLab tells of it. Requests and quick actions share them.

use jiff::civil::Date;

use super::answer::Answer;
use super::labels;
use super::links;
use super::markdown;
use super::world::{Deed, Issue, Note, User, World};

pub(super) const LONGEST_TITLE: usize = 255;
pub(super) const LARGEST_TEXT: usize = 1024 * 1024;

/// Opens or closes it; one that is so already stays as it is.
pub(super) fn set_open(world: &mut World, issue: u64, user: &User, open: bool) {
    let now = world.now();
    let known = world.issue_mut(issue);
    if known.open == open {
        return;
    }
    known.open = open;
    known.closed_at = (!open).then_some(now);
    known.closed_by = (!open).then_some(user.id);
    if open {
        known.duplicate_of = None;
    }
    world.tell(issue, user.id, if open { "reopened" } else { "closed" });
}

pub(super) fn add_labels(world: &mut World, issue: u64, user: &User, names: &[String]) -> Result<(), Answer> {
    labels::ensure(world, world.known(issue).project, names)?;
    let known = world.issue_mut(issue);
    let fresh: Vec<_> = names.iter().filter(|name| !known.labels.contains(name)).cloned().collect();
    known.labels.extend(fresh.clone());
    known.labels.sort();
    known.labels.dedup();
    for name in fresh {
        world.tell(issue, user.id, &format!("added ~\"{name}\" label"));
    }
    Ok(())
}

pub(super) fn remove_labels(world: &mut World, issue: u64, user: &User, names: &[String]) {
    let known = world.issue_mut(issue);
    let gone: Vec<_> = known.labels.iter().filter(|name| names.contains(name)).cloned().collect();
    known.labels.retain(|name| !names.contains(name));
    for name in gone {
        world.tell(issue, user.id, &format!("removed ~\"{name}\" label"));
    }
}

/// Assigns these people, as far as they are members and as many as the project may have.
pub(super) fn assign(world: &mut World, issue: u64, user: &User, ids: &[u64]) {
    let project = world.project(world.known(issue).project).clone();
    let most = if project.many_assignees { usize::MAX } else { 1 };
    let known: Vec<_> = ids.iter().copied().filter(|id| project.members.contains_key(id)).take(most).collect();
    let names: Vec<_> = known.iter().map(|id| world.user(*id).username.clone()).collect();
    if world.known(issue).assignees != known {
        world.issue_mut(issue).assignees = known;
        world.tell(issue, user.id, &format!("assigned to {}", names.join(", ")));
    }
}

pub(super) fn retitle(world: &mut World, issue: u64, user: &User, title: &str) -> Result<(), Answer> {
    check_title(title)?;
    let old = std::mem::replace(&mut world.issue_mut(issue).title, title.to_owned());
    if old != title {
        world.tell(issue, user.id, &format!("changed title from **{old}** to **{title}**"));
        note_deeds(world, &old, title, markdown::in_title);
    }
    Ok(())
}

/// `text` is what stays when quick actions are taken out.
pub(super) fn describe(world: &mut World, issue: u64, user: &User, text: &str) -> Result<(), Answer> {
    check_text("description", text)?;
    let old = std::mem::replace(&mut world.issue_mut(issue).description, text.to_owned());
    if old != text {
        world.tell(issue, user.id, "changed the description");
        note_deeds(world, &old, text, markdown::in_text);
    }
    Ok(())
}

pub(super) fn set_due(world: &mut World, issue: u64, date: Option<Date>) {
    world.issue_mut(issue).due_date = date;
}

/// Closes `issue` because it says the same as `original`.
pub(super) fn mark_duplicate(world: &mut World, issue: u64, user: &User, original: u64) {
    let reference = |issue: &Issue| format!("#{}", issue.iid);
    let (here, there) = (reference(world.known(issue)), reference(world.known(original)));
    set_open(world, issue, user, false);
    world.issue_mut(issue).duplicate_of = Some(original);
    world.tell(issue, user.id, &format!("marked this issue as a duplicate of {there}"));
    world.tell(original, user.id, &format!("marked {here} as a duplicate of this issue"));
    let linked = |(a, b)| world.links.iter().any(|link| (link.source, link.target) == (a, b));
    if !linked((issue, original)) && !linked((original, issue)) {
        links::relate(world, user, issue, original);
    }
}

/// A copy in another project, as far as what it refers to is there; the old one is closed and says where it went.
pub(super) fn move_to(world: &mut World, issue: u64, user: &User, project: u64) -> u64 {
    let old = world.known(issue).clone();
    let target = world.project(project);
    let labels = old.labels.iter().filter(|name| target.labels.iter().any(|label| label.name == **name));
    let labels = labels.cloned().collect();
    let iid = world.next_iid(project);
    let id = world.new_id();
    world.issues.push(Issue { id, iid, project, labels, milestone: None, duplicate_of: None, ..old.clone() });
    for note in world.notes.clone().into_iter().filter(|note| note.issue == issue) {
        let copy = Note { id: world.new_id(), issue: id, ..note };
        world.notes.push(copy);
    }
    let (from, to) = (world.project(old.project).path.clone(), world.project(project).path.clone());
    set_open(world, issue, user, false);
    world.issue_mut(issue).moved_to = Some(id);
    world.tell(issue, user.id, &format!("moved to {to}#{iid}"));
    world.tell(id, user.id, &format!("moved from {from}#{}", old.iid));
    id
}

pub(super) fn check_title(title: &str) -> Result<(), Answer> {
    if title.trim().is_empty() {
        return Err(Answer::invalid("title", "can't be blank"));
    }
    if title.chars().count() > LONGEST_TITLE {
        return Err(Answer::invalid("title", "is too long (maximum is 255 characters)"));
    }
    Ok(())
}

pub(super) fn check_text(field: &str, text: &str) -> Result<(), Answer> {
    if text.len() > LARGEST_TEXT {
        return Err(Answer::invalid(field, "is too long (over 1 MiB). The maximum size is 1 MiB."));
    }
    Ok(())
}

/// Keeps what the new text brings about and the old one had not.
pub(super) fn note_deeds(world: &mut World, old: &str, new: &str, read: fn(&str) -> Vec<Deed>) {
    let before = read(old);
    world.deeds.extend(read(new).into_iter().filter(|deed| !before.contains(deed)));
}
