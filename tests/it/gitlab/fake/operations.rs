//! From a request to its answer: who asks, whether it is too much, and who does the work.

use super::answer::{Answer, Outcome};
use super::call::Call;
use super::route::Operation;
use super::world::{User, World};
use super::{access, alerts, issue_list, issues, labels, links, notes, people};

/// Bodies above this are refused before anybody reads them.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// Does what the request asks, all or nothing. A new issue takes the number `reserved` if there is one.
pub(super) fn perform(world: &mut World, call: &Call, reserved: Option<u64>) -> Answer {
    let result = if call.operation == Operation::PostAlert {
        alerts::post(world, call)
    } else {
        authorised(world, call).and_then(|user| work(world, call, &user, reserved))
    };
    result.unwrap_or_else(|error| error)
}

fn authorised(world: &mut World, call: &Call) -> Result<User, Answer> {
    if call.operation == Operation::Unknown {
        return Err(Answer::json(404, &serde_json::json!({ "error": "404 Not Found" })));
    }
    if call.garbled {
        return Err(Answer::bad_parameter("The provided content-type 'application/json' has an unreadable body"));
    }
    if call
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > LARGEST_BODY)
    {
        return Err(Answer::message(413, "413 Request Entity Too Large"));
    }
    let user = access::authenticated(world, call)?;
    let now = world.now();
    world.limits.count(call, user.id, now)?;
    Ok(user)
}

fn work(world: &mut World, call: &Call, user: &User, reserved: Option<u64>) -> Outcome {
    match call.operation {
        Operation::ListAllIssues => issue_list::all(world, call, user),
        Operation::ListIssues => issue_list::of_project(world, call, user),
        Operation::GetAnyIssue => issues::get_any(world, call, user),
        Operation::CreateIssue => issues::create(world, call, user, reserved),
        Operation::GetIssue => issues::get(world, call, user),
        Operation::UpdateIssue => issues::update(world, call, user),
        Operation::DeleteIssue => issues::delete(world, call, user),
        Operation::MoveIssue => issues::shift(world, call, user),
        Operation::ListNotes => notes::list(world, call, user),
        Operation::CreateNote => notes::create(world, call, user),
        Operation::GetNote => notes::get(world, call, user),
        Operation::UpdateNote => notes::update(world, call, user),
        Operation::DeleteNote => notes::delete(world, call, user),
        Operation::ListLinks => links::list(world, call, user),
        Operation::CreateLink => links::create(world, call, user),
        Operation::DeleteLink => links::delete(world, call, user),
        Operation::ListLabels => labels::list(world, call, user),
        Operation::CreateLabel => labels::create(world, call, user),
        Operation::GetLabel => labels::get(world, call, user),
        Operation::UpdateLabel => labels::update(world, call, user),
        Operation::DeleteLabel => labels::delete(world, call, user),
        _ => people::answer(world, call, user),
    }
}
