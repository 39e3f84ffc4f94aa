//! A project's labels.

use super::access::{self, demand};
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::page::page;
use super::params::Params;
use super::shown;
use super::world::{Label, Level, User, World};

/// The colour of labels that come into being with an issue.
const COLOR: &str = "#6699cc";

/// Makes those of `names` that the project does not have yet.
pub(super) fn ensure(world: &mut World, project: u64, names: &[String]) -> Result<(), Answer> {
    for name in names {
        if name.chars().count() > 255 {
            return Err(Answer::invalid("labels", "is invalid"));
        }
        if world.project(project).labels.iter().all(|label| label.name != *name) {
            add(world, project, name, COLOR, None);
        }
    }
    Ok(())
}

pub(super) fn list(world: &World, call: &Call, user: &User) -> Outcome {
    let (project, _) = access::member_project(world, call, user)?;
    let search = Params(call).text("search").unwrap_or_default().to_lowercase();
    let mut found: Vec<_> = project.labels.iter().filter(|label| label.name.to_lowercase().contains(&search)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    page(call, found.into_iter().map(shown::label).collect())
}

pub(super) fn create(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (project, level) = access::member_project(world, call, user)?;
    demand(level, Level::Reporter)?;
    let params = Params(call);
    let (name, color) = (params.required("name")?, params.required("color")?);
    if name.is_empty() || name.contains(',') {
        return Err(Answer::invalid("title", "is invalid"));
    }
    if !is_color(&color) {
        return Err(Answer::invalid("color", "must be a valid color code"));
    }
    if project.labels.iter().any(|label| label.name == name) {
        return Err(Answer::message(409, "Label already exists"));
    }
    let project = project.id;
    let label = add(world, project, &name, &color, params.text("description"));
    Ok(Answer::json(201, &shown::label(&label)))
}

pub(super) fn get(world: &World, call: &Call, user: &User) -> Outcome {
    let (project, _) = access::member_project(world, call, user)?;
    let name = name(call)?;
    let label = project.labels.iter().find(|label| label.name == name);
    label.map(|label| Answer::json(200, &shown::label(label))).ok_or_else(|| Answer::not_found("Label"))
}

pub(super) fn update(world: &mut World, call: &Call, user: &User) -> Outcome {
    demand(access::member_project(world, call, user)?.1, Level::Reporter)?;
    get(world, call, user)?;
    let (old, params) = (name(call)?, Params(call));
    if ["new_name", "color", "description", "priority"].iter().all(|name| !params.has(name)) {
        let error =
            "new_name, color, description, priority, archived are missing, at least one parameter must be provided";
        return Err(Answer::bad_parameter(error));
    }
    let project = world.project_mut(&call.target.project);
    let id = project.id;
    let label = project.labels.iter_mut().find(|label| label.name == old).expect("it is there");
    label.color = params.text("color").unwrap_or_else(|| label.color.clone());
    label.description = params.text("description").or_else(|| label.description.clone());
    if let Some(name) = params.text("new_name") {
        label.name.clone_from(&name);
        let of_project = world.issues.iter_mut().filter(|issue| issue.project == id);
        for known in of_project.flat_map(|issue| &mut issue.labels).filter(|known| **known == old) {
            known.clone_from(&name);
        }
        let renamed = world.project(id).labels.iter().find(|label| label.name == name).expect("it was renamed");
        return Ok(Answer::json(200, &shown::label(renamed)));
    }
    get(world, call, user)
}

pub(super) fn delete(world: &mut World, call: &Call, user: &User) -> Outcome {
    demand(access::member_project(world, call, user)?.1, Level::Reporter)?;
    get(world, call, user)?;
    let project = world.project_mut(&call.target.project);
    project.labels.retain(|label| label.name != call.target.name);
    let id = project.id;
    for issue in world.issues.iter_mut().filter(|issue| issue.project == id) {
        issue.labels.retain(|label| *label != call.target.name);
    }
    Ok(Answer::no_content())
}

/// The name of the label that the request is about.
fn name(call: &Call) -> Result<String, Answer> {
    if call.target.name.is_empty() { Params(call).required("name") } else { Ok(call.target.name.clone()) }
}

fn add(world: &mut World, project: u64, name: &str, color: &str, description: Option<String>) -> Label {
    let label = Label { id: world.new_id(), name: name.to_owned(), color: color.to_owned(), description };
    world.project_mut(&project.to_string()).labels.push(label.clone());
    label
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#');
    let hex = digits
        .is_some_and(|digits| [3, 6].contains(&digits.len()) && digits.chars().all(|digit| digit.is_ascii_hexdigit()));
    hex || (!text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphabetic()))
}
