//! Refusals. Alertmanager words them in three shapes, and clients read each: a JSON text from what answers a request,
//! a JSON object from what checks it, plain text from what limits it.

use std::fmt;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::wire::posted::Violation;
use crate::driver::Refused;
use watchbell_engine::silence::edit::SilenceError;

/// Why a request to `/api/v2` is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It could not be done: a text in JSON.
    Failed(StatusCode, String),
    /// It is no request that could be done: an object with a number and a text. Numbers above 599 are told as 422.
    Unfit(u16, String),
    /// There is no such thing: nothing.
    Absent,
}

impl Refusal {
    /// What was asked makes no sense.
    pub(super) fn bad_request(text: impl fmt::Display) -> Self {
        Self::Failed(StatusCode::BAD_REQUEST, text.to_string())
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self::Unfit(violation.code, violation.message)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let status = match &refused {
            Refused::Silence(SilenceError::NotFound) => StatusCode::NOT_FOUND,
            Refused::Silence(_) => StatusCode::BAD_REQUEST,
            Refused::NotSaved(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Refused::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::Failed(status, refused.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Failed(status, text) => json_response(status, format!("{}\n", json!(text))),
            Self::Unfit(code, message) => {
                let status = StatusCode::from_u16(code).ok().filter(|_| code < 600);
                let body = json!({"code": code, "message": message}).to_string();
                json_response(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), body)
            }
            Self::Absent => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// A body of JSON as it stands.
pub(super) fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// A line of plain text, as Go's server writes errors.
pub(super) fn text_response(status: StatusCode, text: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, format!("{text}\n")).into_response()
}
