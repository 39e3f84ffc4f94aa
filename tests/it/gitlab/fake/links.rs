//! Links between issues.

use super::access::{self, demand};
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::issues;
use super::params::Params;
use super::shown;
use super::world::{Level, Link, User, World};

pub(super) fn list(world: &World, call: &Call, user: &User) -> Outcome {
    let issue = issues::find(world, call, user)?.0.id;
    let ends = world.links.iter().filter(|link| link.source == issue || link.target == issue);
    Ok(Answer::json(200, &ends.filter_map(|link| shown::linked(world, link, issue)).collect::<Vec<_>>().into()))
}

pub(super) fn create(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (source, level) = issues::find(world, call, user)?;
    demand(level, Level::Reporter)?;
    let source = source.id;
    let params = Params(call);
    let project = params.required("target_project_id")?;
    let iid = params.number("target_issue_iid")?.ok_or_else(|| Answer::bad_parameter("target_issue_iid is missing"))?;
    let link_type = params.one_of("link_type", &["relates_to", "blocks", "is_blocked_by"])?;
    let link_type = link_type.unwrap_or_else(|| "relates_to".to_owned());
    if link_type != "relates_to" {
        return Err(Answer::message(403, "Blocked issues not available for current license"));
    }
    let project = world.find_project(&project).filter(|project| access::level(project, user).is_some());
    let project = project.ok_or_else(|| Answer::not_found("Project"))?.id;
    let target = world.find_issue(project, iid).ok_or_else(|| Answer::not_found("Issue"))?.id;
    if world.links.iter().any(|link| [(source, target), (target, source)].contains(&(link.source, link.target))) {
        return Err(Answer::message(409, "Issue(s) already assigned"));
    }
    let link = relate(world, user, source, target);
    Ok(Answer::json(201, &shown::link(world, &link)))
}

pub(super) fn delete(world: &mut World, call: &Call, user: &User) -> Outcome {
    let (issue, level) = issues::find(world, call, user)?;
    demand(level, Level::Reporter)?;
    let (issue, id) = (issue.id, call.target.part);
    let ours = |link: &Link| link.id == id && (link.source == issue || link.target == issue);
    let link = world.links.iter().find(|link| ours(link)).ok_or_else(|| Answer::message(404, "No Issue Link found"))?;
    let shown = shown::link(world, link);
    world.links.retain(|link| !ours(link));
    Ok(Answer::json(200, &shown))
}

pub(super) fn relate(world: &mut World, user: &User, source: u64, target: u64) -> Link {
    let link = Link { id: world.new_id(), source, target, link_type: "relates_to".to_owned() };
    world.links.push(link.clone());
    for (issue, other) in [(source, target), (target, source)] {
        let reference = world.issue(other).map(|issue| format!("#{}", issue.iid)).unwrap_or_default();
        world.tell(issue, user.id, &format!("marked this issue as related to {reference}"));
    }
    link
}
