//! Cross-origin requests to `/api/v2`: Alertmanager's policy. Any origin may read and post; deleting is not allowed
//! from a foreign page.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What a foreign page may do.
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

/// What a foreign page may send along.
const HEADERS: [HeaderName; 3] = [header::ACCEPT, header::CONTENT_TYPE, HeaderName::from_static("x-requested-with")];

/// Whether a browser asks only what it may ask.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a browser that asks what it may ask.
pub(super) fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    let Some(method) = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| may_ask(asked)) else {
        return response;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    if let Some(sent) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, sent.clone());
    }
    response
}

/// Marks the answer to any other request.
pub(super) fn mark(method: &Method, foreign: bool, response: &mut Response) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if foreign && METHODS.contains(method) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

fn may_ask(asked: &HeaderMap) -> bool {
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let method_is_allowed = text(header::ACCESS_CONTROL_REQUEST_METHOD).is_some_and(|m| METHODS.iter().any(|a| a == m));
    let sent = text(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let mut sent = sent.split(',').map(str::trim).filter(|name| !name.is_empty());
    let headers_are_allowed =
        sent.all(|name| HEADERS.iter().any(|allowed| allowed.as_str().eq_ignore_ascii_case(name)));
    asked.contains_key(header::ORIGIN) && method_is_allowed && headers_are_allowed
}
