//! Everything outside `/api/v2`: health, reload, metrics, the way in, and the farewell of the API that was removed.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::{json_response, text_response};
use super::routes::{self, Page};
use super::{Shared, redirect, scrape};
use crate::driver::Refused;
use crate::telemetry::METRICS_CONTENT_TYPE;

/// What asks for the API of version 1 is told.
const REMOVED: &str = concat!(
    r#"{"status":"deprecated","error":"The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of "#,
    r#"version 0.27.0 - please use the equivalent route in the v2 API"}"#,
    "\n"
);

const INDEX: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Watchbell</title></head>\
<body><h1>Watchbell</h1><ul><li><a href=\"api/v2/alerts\">Alerts</a></li>\
<li><a href=\"api/v2/alerts/groups\">Groups</a></li><li><a href=\"api/v2/silences\">Silences</a></li>\
<li><a href=\"api/v2/status\">Status</a></li><li><a href=\"metrics\">Metrics</a></li></ul></body></html>\n";

/// Answers a request outside `/api/v2`; `path` is without the route prefix.
pub(super) async fn answer(api: &Shared, path: &str, method: &Method) -> Response {
    let Some((page, pattern)) = Page::find(path) else { return meant_or_not_found(api, path, method) };
    let methods = Page::methods(pattern);
    if !methods.contains(method) {
        return method_not_allowed(method, methods);
    }
    match page {
        Page::Index => index(),
        Page::Metrics => metrics(api).await.unwrap_or_else(unavailable),
        Page::Ready if api.handle.cluster().is_some_and(|cluster| !cluster.settled) => not_ready(),
        Page::Healthy | Page::Ready if method == Method::HEAD => StatusCode::OK.into_response(),
        Page::Healthy | Page::Ready => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "OK").into_response(),
        Page::Reload => reload(api).await,
        Page::Removed => removed(path, method),
    }
}

fn meant_or_not_found(api: &Shared, path: &str, method: &Method) -> Response {
    let status = if method == Method::GET { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT };
    match routes::meant(path) {
        Some(meant) => redirect(method, status, &format!("{}{meant}", api.options.route_prefix)),
        None => text_response(StatusCode::NOT_FOUND, "404 page not found"),
    }
}

/// The router of Alertmanager tells a client that only asks what is allowed.
fn method_not_allowed(method: &Method, allowed: &[Method]) -> Response {
    let mut names: Vec<&str> = allowed.iter().map(Method::as_str).chain(["OPTIONS"]).collect();
    names.sort_unstable();
    let names = names.join(", ");
    let mut response = if method == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        text_response(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_str(&names).expect("methods are letters"));
    response
}

fn index() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (header::PRAGMA, "no-cache"),
        (header::EXPIRES, "0"),
    ];
    (headers, INDEX).into_response()
}

async fn metrics(api: &Shared) -> Result<Response, Refused> {
    let snapshot = scrape::snapshot(api).await?;
    let page = api.metrics.render(&snapshot);
    Ok(([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], page).into_response())
}

/// Alertmanager says that it is ready while it still waits for its peers; but what it is sent then may be told twice.
fn not_ready() -> Response {
    text_response(StatusCode::SERVICE_UNAVAILABLE, "the cluster has not settled yet")
}

fn unavailable(refused: Refused) -> Response {
    text_response(StatusCode::SERVICE_UNAVAILABLE, &refused.to_string())
}

async fn reload(api: &Shared) -> Response {
    match api.handle.reload().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => text_response(StatusCode::INTERNAL_SERVER_ERROR, &format!("failed to reload config: {error}")),
    }
}

fn removed(path: &str, method: &Method) -> Response {
    tracing::warn!(component = "api", version = "v1", %path, %method, "v1 API is removed, use the v2 API");
    json_response(StatusCode::GONE, REMOVED)
}
