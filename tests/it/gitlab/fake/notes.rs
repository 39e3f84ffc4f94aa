//! Notes on issues: what people say, and what GitLab says of what they did.

use serde_json::{Value, json};

use super::access::demand;
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::page::page;
use super::params::Params;
use super::world::{Level, Note, User, World};
use super::{change, issues, markdown, quick, shown};

/// Comments that an issue may have.
const MOST: usize = 5000;

pub(super) fn list(world: &World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = issues::find(world, call, user)?;
    let params = Params(call);
    let order = params.one_of("order_by", &["created_at", "updated_at"])?;
    let ascending = params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc");
    let filter = params.one_of("activity_filter", &["all_notes", "only_comments", "only_activity"])?;
    let mut found: Vec<_> = world
        .notes
        .iter()
        .filter(|note| note.issue == issue.id && (level >= Level::Reporter || !note.internal))
        .filter(|note| match filter.as_deref() {
            Some("only_comments") => !note.system,
            Some("only_activity") => note.system,
            _ => true,
        })
        .collect();
    found.sort_by_key(|note| {
        (if order.as_deref() == Some("updated_at") { note.updated_at } else { note.created_at }, note.id)
    });
    if !ascending {
        found.reverse();
    }
    page(call, found.into_iter().map(|note| shown::note(world, note)).collect())
}

pub(super) fn create(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = issues::find(world, call, user)?;
    let (issue, params) = (issue.id, Params(call));
    let internal = params.flag("internal")?.or(params.flag("confidential")?).unwrap_or(false);
    if internal {
        demand(level, Level::Reporter)?;
    }
    let body = params.required("body")?;
    if body.trim().is_empty() {
        return Err(Answer::message(400, "400 Bad request - Note {:note=>[\"can't be blank\"]}"));
    }
    change::check_text("note", &body)?;
    if world.notes.iter().filter(|note| note.issue == issue && !note.system).count() >= MOST {
        return Err(Answer::message(400, "400 Bad request - Note {:base=>[\"Maximum number of comments exceeded\"]}"));
    }
    let written = quick::extract(&body);
    let results = quick::run(world, issue, user, &written.commands);
    if written.text.trim().is_empty() {
        return only_commands(&results);
    }
    let (id, now) = (world.new_id(), world.now());
    change::note_deeds(world, "", &written.text, markdown::in_text);
    let note = Note {
        id,
        issue,
        author: user.id,
        body: written.text,
        system: false,
        internal,
        created_at: now,
        updated_at: now,
    };
    world.notes.push(note.clone());
    world.touch(issue);
    Ok(Answer::json(201, &shown::note(world, &note)))
}

/// The answer to a note of which nothing is left when its quick actions are taken out.
fn only_commands(results: &[Result<String, String>]) -> Outcome {
    let summary: Vec<Value> = results.iter().flatten().map(|done| done.clone().into()).collect();
    if summary.is_empty() {
        let problems: Vec<_> = results.iter().filter_map(|result| result.clone().err()).collect();
        return Err(Answer::message(400, &format!("400 Bad request - {}", problems.join(", "))));
    }
    Ok(Answer::json(202, &json!({ "commands_changes": {}, "summary": summary })))
}

pub(super) fn get(world: &World, call: &Call, user: &User) -> Outcome {
    let note = find(world, call, user)?;
    Ok(Answer::json(200, &shown::note(world, &note)))
}

pub(super) fn update(world: &mut World, call: &Call, user: &User) -> Outcome {
    let note = own(world, call, user)?;
    let body = Params(call).required("body")?;
    change::check_text("note", &body)?;
    let written = quick::extract(&body);
    quick::run(world, note.issue, user, &written.commands);
    change::note_deeds(world, &note.body, &written.text, markdown::in_text);
    let now = world.now();
    let known = world.notes.iter_mut().find(|known| known.id == note.id).expect("it was just found");
    known.body = written.text;
    known.updated_at = now;
    get(world, call, user)
}

pub(super) fn delete(world: &mut World, call: &Call, user: &User) -> Outcome {
    let note = own(world, call, user)?;
    world.notes.retain(|known| known.id != note.id);
    Ok(Answer::no_content())
}

fn find(world: &World, call: &Call, user: &User) -> Result<Note, Answer> {
    let (issue, level) = issues::find(world, call, user)?;
    let takes = |note: &&Note| note.issue == issue.id && note.id == call.target.part;
    let note = world.notes.iter().find(takes).filter(|note| level >= Level::Reporter || !note.internal);
    note.cloned().ok_or_else(|| Answer::not_found("Note"))
}

fn own(world: &World, call: &Call, user: &User) -> Result<Note, Answer> {
    let note = find(world, call, user)?;
    if note.author == user.id && !note.system { Ok(note) } else { Err(Answer::forbidden()) }
}
