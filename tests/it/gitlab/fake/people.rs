//! Users, tokens, projects, members and milestones, and what the server says of itself.

use serde_json::{Value, json};

use super::access::{self, demand};
use super::answer::{Answer, Outcome};
use super::call::Call;
use super::page::page;
use super::params::Params;
use super::route::Operation;
use super::shown;
use super::world::{Level, User, World};

pub(super) fn answer(world: &mut World, call: &Call, user: &User) -> Outcome {
    let metadata = json!({"version": "19.5.0", "revision": "0000000000", "enterprise": false});
    match call.operation {
        Operation::ListUsers => users(world, call),
        Operation::GetUser => {
            let found = world.users.iter().find(|known| known.id == call.target.number);
            found.map(|found| Answer::json(200, &shown::user(world, found))).ok_or_else(|| Answer::not_found("User"))
        }
        Operation::CurrentUser => Ok(Answer::json(200, &shown::user(world, user))),
        Operation::OwnToken => Ok(own_token(world, call)),
        Operation::Metadata | Operation::Version => Ok(Answer::json(200, &metadata)),
        Operation::ListProjects => {
            let mine = world.projects.iter().filter(|project| access::level(project, user).is_some());
            page(call, mine.map(|project| shown::project(world, project)).collect())
        }
        Operation::GetProject => access::member_project(world, call, user)
            .map(|(project, _)| Answer::json(200, &shown::project(world, project))),
        Operation::ListMembers | Operation::ListProjectUsers => members(world, call, user),
        Operation::ListMilestones => milestones(world, call, user),
        Operation::GetMilestone => {
            let (project, _) = access::member_project(world, call, user)?;
            let found = project.milestones.iter().find(|known| known.id == call.target.number);
            found
                .map(|found| Answer::json(200, &shown::milestone(project, found)))
                .ok_or_else(|| Answer::not_found("Milestone"))
        }
        Operation::CreateMilestone => create_milestone(world, call, user),
        other => unreachable!("{other:?} is answered elsewhere"),
    }
}

fn users(world: &World, call: &Call) -> Outcome {
    let params = Params(call);
    let (username, search) = (params.text("username"), params.text("search"));
    let takes = |user: &&User| {
        username.as_ref().is_none_or(|name| user.username.eq_ignore_ascii_case(name))
            && search.as_ref().is_none_or(|text| user.username.contains(text))
    };
    page(call, world.users.iter().filter(takes).map(|user| shown::user(world, user)).collect())
}

fn own_token(world: &World, call: &Call) -> Answer {
    let secret = call.token().unwrap_or_default();
    let token = world.tokens.iter().find(|token| token.secret == secret).expect("it was let in");
    let body = json!({
        "id": token.id, "name": "a token", "revoked": token.revoked, "created_at": shown::time(token.created_at),
        "description": null, "scopes": token.scopes, "user_id": token.user, "last_used_at": shown::time(world.now()),
        "active": true, "expires_at": token.expires_at.map(|date| date.to_string()),
    });
    Answer::json(200, &body)
}

fn members(world: &World, call: &Call, user: &User) -> Outcome {
    let (project, _) = access::member_project(world, call, user)?;
    let search = Params(call).text("query").or_else(|| Params(call).text("search")).unwrap_or_default();
    let members = project.members.iter().map(|(id, level)| (world.user(*id), *level));
    let shown = members.filter(|(member, _)| member.username.contains(&search)).map(|(member, level)| {
        let mut shown = shown::user(world, member);
        shown["access_level"] = (level as u8).into();
        shown
    });
    page(call, shown.collect())
}

fn milestones(world: &World, call: &Call, user: &User) -> Outcome {
    let (project, _) = access::member_project(world, call, user)?;
    let params = Params(call);
    let state = params.one_of("state", &["active", "closed", "all"])?;
    let (title, search) = (params.text("title"), params.text("search").unwrap_or_default());
    let found = project.milestones.iter().filter(|known| {
        title.as_ref().is_none_or(|title| known.title == *title)
            && known.title.contains(&search)
            && state.as_deref().is_none_or(|state| state == "all" || known.active == (state == "active"))
    });
    let shown: Vec<Value> = found.map(|known| shown::milestone(project, known)).collect();
    page(call, shown)
}

fn create_milestone(world: &mut World, call: &Call, user: &User) -> Outcome {
    demand(access::member_project(world, call, user)?.1, Level::Reporter)?;
    let title = Params(call).required("title")?;
    let project = world.project_mut(&call.target.project);
    if project.milestones.iter().any(|known| known.title == title) {
        return Err(Answer::invalid("title", "already being used for another group or project milestone."));
    }
    let path = project.path.clone();
    let id = world.add_milestone(&path, &title);
    let project = world.project(world.find_project(&path).expect("it was just there").id);
    let made = project.milestones.iter().find(|known| known.id == id).expect("it was just made");
    Ok(Answer::json(201, &shown::milestone(project, made)))
}
