//! Somebody who uses GitLab besides Watchbell: makes issues, comments, closes, moves.

use serde_json::Value;

use super::fake::Gitlab;
use crate::harness::http::{Client, Request, Response};

/// Somebody with a token.
pub(crate) struct Person {
    client: Client,
    token: String,
}

impl Person {
    /// The user of this name.
    pub(crate) fn of(gitlab: &Gitlab, username: &str) -> Self {
        Self { client: Client { address: gitlab.address() }, token: format!("glpat-{username}") }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.done(&self.request("GET", path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.done(&self.request("POST", path).json(body.to_string()))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Value {
        self.done(&self.request("PUT", path).json(body.to_string()))
    }

    /// Asks; what comes of it is for the caller to judge.
    pub(crate) fn ask(&self, request: &Request) -> std::io::Result<Response> {
        self.client.send(request)
    }

    /// A request with the person's token. `path` is what follows `/api/v4/`.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("/api/v4/{path}")).header("PRIVATE-TOKEN", &self.token)
    }

    fn done(&self, request: &Request) -> Value {
        let response = self.client.must(request);
        assert!((200..300).contains(&response.status), "{} {}: {}", request.method, request.path, response.text());
        response.json()
    }
}
