//! Answers, and GitLab's many ways to say no: each of its layers words errors in a shape of its own.

use axum::body::Body;
use hyper::Response;
use serde_json::{Value, json};

/// What is sent back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// An operation's answer; errors are answers too.
pub(super) type Outcome = Result<Answer, Answer>;

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_string() }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, headers: vec![("content-type", "text/plain".to_owned())], body: body.to_owned() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: String::new() }
    }

    /// What the layer says that knows HTTP.
    pub(crate) fn message(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    /// What the layer says that checks parameters.
    pub(crate) fn bad_parameter(error: &str) -> Self {
        Self::json(400, &json!({ "error": error }))
    }

    /// What the layer says that checks records.
    pub(crate) fn invalid(field: &str, problem: &str) -> Self {
        Self::json(400, &json!({ "message": { field: [problem] } }))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::message(404, &format!("404 {what} Not Found"))
    }

    pub(crate) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    /// What GitLab itself says to who asks too much of one feature.
    pub(crate) fn limited() -> Self {
        let error = "This endpoint has been requested too many times. Try again later.";
        Self::json(429, &json!({ "message": { "error": error } })).header("retry-after", 60)
    }

    /// What the gate before GitLab says to who asks too much altogether.
    pub(crate) fn throttled(limit: u32, seconds: u64) -> Self {
        let answer = Self::text(429, "Retry later\n").header("retry-after", seconds);
        answer.header("ratelimit-limit", limit).header("ratelimit-remaining", 0)
    }

    pub(super) fn response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        response.body(Body::from(self.body)).expect("answers are made of sound parts")
    }
}
