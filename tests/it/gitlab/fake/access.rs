//! Who asks, and whether they may.

use jiff::tz::TimeZone;

use super::answer::Answer;
use super::call::Call;
use super::route::Operation;
use super::world::{Issue, Level, Project, User, World};

/// Who asks, by the token that is shown.
pub(super) fn authenticated(world: &World, call: &Call) -> Result<User, Answer> {
    let refused = || Answer::message(401, "401 Unauthorized");
    let secret = call.token().ok_or_else(refused)?;
    let token = world.tokens.iter().find(|token| token.secret == secret).ok_or_else(refused)?;
    if token.revoked {
        return Err(bad_token("Token was revoked. You have to re-authorize from the user."));
    }
    let today = TimeZone::UTC.to_datetime(world.now()).date();
    if token.expires_at.is_some_and(|date| date <= today) {
        return Err(bad_token("Token is expired. You can either do re-authorization or token refresh."));
    }
    let may = |scope: &str| token.scopes.iter().any(|have| have == scope);
    let about_itself = [Operation::OwnToken, Operation::CurrentUser].contains(&call.operation);
    if may("api") || (call.reads() && may("read_api")) || about_itself {
        return Ok(world.user(token.user).clone());
    }
    Err(insufficient_scope(call))
}

/// The project of the request, if this person is a member; others hear that it does not exist.
pub(super) fn member_project<'a>(world: &'a World, call: &Call, user: &User) -> Result<(&'a Project, Level), Answer> {
    let project = world.find_project(&call.target.project);
    let member = project.and_then(|project| Some((project, level(project, user)?)));
    member.ok_or_else(|| Answer::not_found("Project"))
}

/// What the person may do in the project, if anything.
pub(super) fn level(project: &Project, user: &User) -> Option<Level> {
    if user.admin { Some(Level::Owner) } else { project.members.get(&user.id).copied() }
}

/// Whether the person may read the issue.
pub(super) fn sees(world: &World, issue: &Issue, user: &User) -> bool {
    match level(world.project(issue.project), user) {
        None => false,
        Some(Level::Guest) => !issue.confidential || issue.author == user.id || issue.assignees.contains(&user.id),
        Some(_) => true,
    }
}

pub(super) fn demand(level: Level, least: Level) -> Result<(), Answer> {
    if level >= least { Ok(()) } else { Err(Answer::forbidden()) }
}

fn bad_token(description: &str) -> Answer {
    Answer::json(401, &serde_json::json!({ "error": "invalid_token", "error_description": description }))
}

fn insufficient_scope(call: &Call) -> Answer {
    let scope = if call.reads() { "api read_api" } else { "api" };
    let description = "The request requires higher privileges than provided by the access token.";
    let body = serde_json::json!({ "error": "insufficient_scope", "error_description": description, "scope": scope });
    Answer::json(403, &body)
}
