//! Pages of a list: by number, with GitLab's headers, or by key.

use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::call::Call;
use super::params::Params;

/// Above this many records GitLab does not count them.
const COUNTED: usize = 10_000;

/// Records that can be reached by number.
const REACHABLE: usize = 50_000;

/// The page that was asked for, as an answer.
pub(super) fn page(call: &Call, items: Vec<Value>) -> Outcome {
    let params = Params(call);
    let per_page = match params.number("per_page")?.unwrap_or(20) {
        0 => return Err(Answer::bad_parameter("per_page does not have a valid value")),
        wanted => usize::try_from(wanted.min(100)).expect("a hundred fits"),
    };
    if params.text("pagination").as_deref() == Some("keyset") {
        return by_key(call, &items, per_page);
    }
    let page = usize::try_from(params.number("page")?.unwrap_or(1).max(1)).unwrap_or(usize::MAX);
    if (page - 1).saturating_mul(per_page) >= REACHABLE {
        let error = "Offset pagination has a maximum allowed offset of 50000 for requests that return objects of this type. Remaining records can be retrieved using keyset pagination.";
        return Err(Answer::json(405, &serde_json::json!({ "error": error })));
    }
    Ok(numbered(call, &items, page, per_page))
}

fn numbered(call: &Call, items: &[Value], page: usize, per_page: usize) -> Answer {
    let pages = items.len().div_ceil(per_page).max(1);
    let shown: Vec<_> = items.iter().skip((page - 1) * per_page).take(per_page).cloned().collect();
    let (previous, next) = ((page > 1).then(|| page - 1), (page < pages).then(|| page + 1));
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut answer = Answer::json(200, &shown.into())
        .header("x-page", page)
        .header("x-per-page", per_page)
        .header("x-prev-page", number(previous))
        .header("x-next-page", number(next));
    let counted = items.len() <= COUNTED;
    if counted {
        answer = answer.header("x-total", items.len()).header("x-total-pages", pages);
    }
    let relations = [("prev", previous), ("next", next), ("first", Some(1)), ("last", counted.then_some(pages))];
    let link = |(name, page): (&str, Option<usize>)| Some(link(call, &[("page", page?.to_string())], name));
    answer.header("link", relations.into_iter().filter_map(link).collect::<Vec<_>>().join(", "))
}

/// The cursor is the id of the last record of the page before.
fn by_key(call: &Call, items: &[Value], per_page: usize) -> Outcome {
    let after = Params(call).text("cursor").or_else(|| Params(call).text("id_after"));
    let is_last = |item: &Value| Some(item["id"].to_string()) == after;
    let begin = match &after {
        None => 0,
        Some(_) => 1 + items.iter().position(is_last).ok_or_else(|| Answer::bad_parameter("cursor is invalid"))?,
    };
    let shown: Vec<_> = items.iter().skip(begin).take(per_page).cloned().collect();
    let more = items.len() > begin + shown.len();
    let last = shown.last().map(|item| item["id"].to_string());
    let answer = Answer::json(200, &shown.into());
    Ok(match last.filter(|_| more) {
        Some(last) => answer.header("link", link(call, &[("cursor", last)], "next")),
        None => answer,
    })
}

/// The request's own address with other values for some parameters.
fn link(call: &Call, changed: &[(&str, String)], relation: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let kept = call.query.iter().filter(|(name, _)| changed.iter().all(|(key, _)| key != name));
    query.extend_pairs(kept).extend_pairs(changed);
    let host = call.header("host").unwrap_or_default();
    format!("<http://{host}{}?{}>; rel=\"{relation}\"", call.path, query.finish())
}
