//! HTTP in: Alertmanager's API v2, health, reload and metrics. It reads requests, asks the driver and writes answers; it
//! decides nothing about alerts and silences.

mod alerts;
mod answers;
mod body;
mod cors;
mod error;
mod groups;
mod gzip;
mod limits;
mod listen;
mod lists;
mod pages;
mod params;
mod patient;
mod pieces;
mod routes;
mod scrape;
mod serve;
mod silences;
mod stamp;
mod status;
#[cfg(test)]
mod tests;
mod v2;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use watchbell_engine::matcher::parse::Syntax;
use watchbell_engine::time::Timestamp;

use crate::clock;
use crate::driver::Handle;
use crate::telemetry::{METRICS_CONTENT_TYPE, Metrics};
use answers::Answers;
use error::text_response;
use limits::Limits;
use routes::{Page, Resource};
use scrape::LastCounts;

pub use listen::{Listener, bind, passed};
pub use serve::serve;

/// How the API is offered.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// The path under which everything is served: empty, or with a slash before it and none behind.
    pub route_prefix: String,
    /// How many GET requests may run at once.
    pub get_concurrency: usize,
    /// How long a request may take.
    pub timeout: Option<Duration>,
    /// How matchers and label names are read.
    pub syntax: Syntax,
    /// The limit on alerts of one name, which metrics tell; 0 means none.
    pub per_alertname_limit: usize,
    /// Whether metrics tell alerts by group.
    pub group_key_in_metrics: bool,
}

/// The API over HTTP. Clones are the same API.
#[derive(Clone, Debug)]
pub struct Api(Arc<Shared>);

/// What every request needs.
#[derive(Debug)]
struct Shared {
    handle: Handle,
    metrics: Metrics,
    options: ApiOptions,
    limits: Limits,
    answers: Answers,
    last_counts: Arc<LastCounts>,
    /// Large bodies take turns.
    turns: Semaphore,
    started_at: Timestamp,
}

impl Api {
    /// The API of the driver behind `handle`.
    pub fn new(handle: Handle, metrics: Metrics, options: ApiOptions) -> Self {
        let limits = Limits::new(options.get_concurrency, options.timeout);
        let turns = Semaphore::new(body::MAX_LARGE_BODIES);
        let answers = Answers::new(metrics.clone());
        let (last_counts, started_at) = (Arc::default(), clock::now());
        Self(Arc::new(Shared { handle, metrics, options, limits, answers, last_counts, turns, started_at }))
    }

    /// Answers every request. Metrics are compressed here, lists where they are made.
    pub fn router(self) -> Router {
        let compression = CompressionLayer::new().compress_when(is_metrics);
        Router::new().fallback(answer).layer(compression).with_state(self.0)
    }
}

fn is_metrics(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == METRICS_CONTENT_TYPE)
}

async fn answer(State(api): State<Arc<Shared>>, request: Request) -> Response {
    let (method, started) = (request.method().clone(), Instant::now());
    let full_path = request.uri().path().to_owned();
    let prefix = &api.options.route_prefix;
    let Some(path) = full_path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return outside(&method, &full_path, prefix);
    };
    let response = api.limits.within(&method, &api.metrics.http, below_prefix(&api, path, request)).await;
    count(&api.metrics, path, &method, started, &response);
    response
}

/// Nothing is served outside the prefix; who asks for the root is shown the way.
fn outside(method: &Method, path: &str, prefix: &str) -> Response {
    if method == Method::GET && path == "/" {
        return redirect(method, StatusCode::FOUND, prefix);
    }
    text_response(StatusCode::NOT_FOUND, "404 page not found")
}

async fn below_prefix(api: &Shared, path: &str, request: Request) -> Response {
    if path.starts_with("/api/v2/") {
        return v2::answer(api, path, request).await;
    }
    if path == "/api/v2" {
        let to = format!("{}/api/v2/", api.options.route_prefix);
        return redirect(request.method(), StatusCode::MOVED_PERMANENTLY, &to);
    }
    pages::answer(api, path, request.method()).await
}

/// Shows the way; who reads gets it as a link as well, as from Go's server.
fn redirect(method: &Method, status: StatusCode, to: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else {
        return text_response(StatusCode::NOT_FOUND, "404 page not found");
    };
    let location = [(header::LOCATION, location)];
    if method != Method::GET {
        return (status, location).into_response();
    }
    let reason = status.canonical_reason().unwrap_or_default();
    let link = format!("<a href=\"{}\">{reason}</a>.\n\n", to.replace(['"', '<', '>', '&'], ""));
    (status, location, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], link).into_response()
}

/// Counts the request under the pattern of its path, so that made-up paths make no new series.
fn count(metrics: &Metrics, path: &str, method: &Method, started: Instant, response: &Response) {
    let (code, took) = (response.status().as_u16(), started.elapsed());
    let method = method_label(method);
    if path.starts_with("/api/v2/") {
        let handler = Resource::find(path).map_or("/api/v2/", |(resource, _)| resource.template());
        metrics.http.request(handler, method, code, took);
    } else if let Some((_, handler)) = Page::find(path) {
        metrics.http.request(handler, method, code, took);
        metrics.http.response_size(handler, method, response.body().size_hint().lower());
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::POST => "post",
        Method::PUT => "put",
        Method::DELETE => "delete",
        Method::OPTIONS => "options",
        _ => "other",
    }
}
