//! The API proper: checks a request as Alertmanager's generated server does, asks the driver, and writes the answer.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use watchbell_engine::alert::posted::Intake;
use watchbell_engine::silence::SilenceId;
use watchbell_golang::quote::quote;

use super::body::Received;
use super::error::{Refusal, json_response};
use super::params::Query;
use super::routes::Resource;
use super::wire::mismatch;
use super::wire::posted::{PostedAlerts, PostedSilence};
use super::wire::shown::{SilenceSet, Text};
use super::{Shared, alerts, body, cors, lists, silences, status};
use crate::clock;

pub(super) type Answer = Result<Response, Refusal>;

/// Answers a request below `/api/v2/`; `path` is without the route prefix.
pub(super) async fn answer(api: &Shared, path: &str, request: Request) -> Response {
    let (method, foreign) = (request.method().clone(), request.headers().contains_key(header::ORIGIN));
    if cors::is_preflight(&method, request.headers()) {
        return cors::preflight(request.headers());
    }
    let mut response = find_and_answer(api, path, request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cors::mark(&method, foreign, &mut response);
    response
}

async fn find_and_answer(api: &Shared, path: &str, request: Request) -> Response {
    let Some((resource, id)) = Resource::find(path) else {
        return Refusal::Unfit(404, format!("path {path} was not found")).into_response();
    };
    let methods = resource.methods();
    if !methods.contains(request.method()) {
        return method_not_allowed(request.method(), methods);
    }
    let (parts, body) = request.into_parts();
    let answer = match body::check_media_types(&parts.headers, &body) {
        Ok(()) if parts.method == Method::POST => post(api, resource, body).await,
        Ok(()) => get_or_delete(api, resource, id, &parts).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

fn method_not_allowed(method: &Method, allowed: &[Method]) -> Response {
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(",");
    let mut response =
        Refusal::Unfit(405, format!("method {method} is not allowed, but [{allowed}] are")).into_response();
    let allowed = HeaderValue::from_str(&allowed).expect("methods are letters");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

async fn post(api: &Shared, resource: Resource, body: Body) -> Answer {
    let body = body::read(body, &api.turns, &api.metrics.http).await?;
    match resource {
        Resource::Alerts => post_alerts(api, body).await,
        _ => post_silence(api, &body.bytes).await,
    }
}

async fn get_or_delete(api: &Shared, resource: Resource, id: &str, parts: &Parts) -> Answer {
    let query = Query::new(parts.uri.query());
    match resource {
        Resource::Status => {
            json(&status::status(&api.handle.running().config, api.handle.cluster().as_ref(), api.started_at))
        }
        Resource::Receivers => {
            json(&status::receivers(&api.handle.running().policy, &query.receiver_matchers(api.options.syntax)?))
        }
        Resource::Alerts => lists::alerts(api, parts, &query).await,
        Resource::AlertGroups => lists::groups(api, parts, &query).await,
        Resource::Silences => lists::silences(api, parts, &query).await,
        Resource::Silence if parts.method == Method::DELETE => delete_silence(api, id).await,
        Resource::Silence => show_silence(api, id).await,
    }
}

async fn post_alerts(api: &Shared, body: Received<'_>) -> Answer {
    let now = clock::now();
    let intake = Intake {
        now,
        zone: clock::local_offset(now),
        resolve_timeout: api.handle.running().policy.resolve_timeout,
        syntax: api.options.syntax,
    };
    let (metrics, bytes) = (api.metrics.clone(), body.bytes.clone());
    let take_in = move || {
        let PostedAlerts(posted) = body::decode("alerts", &bytes, mismatch::in_alerts)?;
        Ok(alerts::sort_out(posted?, intake, &metrics.alerts))
    };
    let (alerts, faults) = if body.is_large() { aside(take_in).await? } else { take_in()? };
    if !alerts.is_empty() {
        api.metrics.alerts.handed_over(alerts.len() as u64);
        api.handle.post_alerts(alerts).await?;
    }
    if faults.is_empty() { Ok(StatusCode::OK.into_response()) } else { Err(Refusal::bad_request(faults.join("\n"))) }
}

async fn post_silence(api: &Shared, bytes: &[u8]) -> Answer {
    let posted: PostedSilence = body::decode("silence", bytes, mismatch::in_silence)?;
    let draft = silences::draft(posted, api.options.syntax, clock::now())?;
    let id = api.handle.set_silence(draft).await?;
    json(&SilenceSet { silence_id: Text(id) })
}

async fn show_silence(api: &Shared, id: &str) -> Answer {
    let id = silence_id(id)?;
    let view = api.handle.view().await?;
    let now = clock::now();
    json(&silences::shown(view.silence(id, now).ok_or(Refusal::Absent)?, now))
}

async fn delete_silence(api: &Shared, id: &str) -> Answer {
    match api.handle.expire_silence(silence_id(id)?).await.map_err(Refusal::from) {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(Refusal::Failed(StatusCode::NOT_FOUND, _)) => Err(Refusal::Absent),
        Err(refusal) => Err(refusal),
    }
}

fn silence_id(text: &str) -> Result<SilenceId, Refusal> {
    let message = || format!("silenceID in path must be of type uuid: {}", quote(text));
    SilenceId::parse(text).ok_or_else(|| Refusal::Unfit(601, message()))
}

/// Runs what may take long where it stalls nobody else.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let failed =
        |error: tokio::task::JoinError| Err(Refusal::Failed(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

fn json(body: &impl Serialize) -> Answer {
    let mut bytes = serde_json::to_vec(body).map_err(internal)?;
    bytes.push(b'\n');
    Ok(json_response(StatusCode::OK, bytes))
}

fn internal(error: serde_json::Error) -> Refusal {
    Refusal::Failed(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
