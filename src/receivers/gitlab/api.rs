//! GitLab's REST API, version 4: requests, pages, the token, and what an error means. It must not know why anything is
//! asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded::Serializer;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::http::{HttpClient, Request, read_trimmed};
use super::super::outcome::{self, Reply};
use super::super::{ReceiverError, Surroundings};
use super::counts::{GitlabCounts, outcome_of};
use super::wording::shortened;
use crate::settings::gitlab::GitlabConfig;
use crate::settings::secret::Secret;

/// How much of an answer is read, in bytes: a page of issues, each as long as GitLab lets them be, still fits mostly;
/// more is an error.
const MAX_ANSWER: usize = 64 << 20;

/// How much of an error is told, in bytes.
const MAX_ERROR: usize = 500;

/// Entries on a page; the most that GitLab gives.
const PER_PAGE: &str = "100";

/// Pages of a list that are read: with 100 entries each, more alerts than anybody can work on.
const MAX_PAGES: usize = 100;

/// The header that carries the token; beside it there is room for credentials to a proxy before GitLab.
const TOKEN: HeaderName = HeaderName::from_static("private-token");

/// Parameters of a list.
pub(super) type Query = Vec<(&'static str, String)>;

/// One GitLab, reached with one token.
pub(super) struct Api {
    base: String,
    client: HttpClient,
    token: Secret,
    token_file: String,
    /// How long one request may take.
    timeout: Duration,
    counts: Arc<GitlabCounts>,
}

/// Counts the requests of one notification.
#[derive(Default)]
pub(super) struct Asked(AtomicU32);

/// What GitLab answered to a request that it granted.
pub(super) struct Answer {
    body: String,
    headers: HeaderMap,
}

/// What of a list was wanted.
pub(super) struct List<T> {
    pub(super) entries: Vec<T>,
    /// GitLab's clock when it gave the first page.
    pub(super) date: Option<Timestamp>,
}

impl Asked {
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Api {
    /// Redirects are not followed: the token is in a header that would travel with them.
    pub(super) fn build(config: &GitlabConfig, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        let mut http = config.http_config.clone().unwrap_or_default();
        http.follow_redirects = false;
        Ok(Self {
            base: config.api_url.as_ref().map_or("", |url| url.as_str()).trim_end_matches('/').to_owned(),
            client: HttpClient::build(&http, surroundings)?,
            token: config.token.clone(),
            token_file: config.token_file.clone(),
            timeout: config.timeout.0,
            counts: Arc::clone(&surroundings.gitlab),
        })
    }

    /// What is at `path`; none if there is no such thing, or nothing that we may see.
    pub(super) async fn get<T: DeserializeOwned>(&self, asked: &Asked, path: &str) -> Result<Option<T>, Failure> {
        match self.ask(asked, Method::GET, path, &[], None).await {
            Ok(answer) => answer.read().map(Some),
            Err((404, _)) => Ok(None),
            Err((_, failure)) => Err(failure),
        }
    }

    /// The entries of a list that `wanted` names, page by page, so that the others are not held all at once.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        path: &str,
        mut query: Query,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<List<T>, Failure> {
        query.push(("per_page", PER_PAGE.to_owned()));
        let mut list = List { entries: Vec::new(), date: None };
        for _ in 0..MAX_PAGES {
            let answer = self.ask(asked, Method::GET, path, &query, None).await.map_err(|(_, failure)| failure)?;
            list.date = list.date.or_else(|| answer.date());
            let next = answer.next_page();
            list.entries.extend(answer.read::<Vec<T>>()?.into_iter().filter(&wanted));
            match next {
                None => return Ok(list),
                Some(page) => {
                    query.retain(|(key, _)| *key != "page");
                    query.push(("page", page));
                }
            }
        }
        Err(outcome::permanent(format!("GET {path}: there are more than {MAX_PAGES} pages of {PER_PAGE}")))
    }

    /// The first entries of a list, as many as one page holds.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        path: &str,
        mut query: Query,
    ) -> Result<Vec<T>, Failure> {
        query.push(("per_page", PER_PAGE.to_owned()));
        self.ask(asked, Method::GET, path, &query, None).await.map_err(|(_, failure)| failure)?.read()
    }

    /// Makes or changes something; gives what it is now.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let answer = self.ask(asked, method, path, &[], Some(body)).await;
        answer.map_err(|(_, failure)| failure)?.read()
    }

    /// The same, for who does not care for more than the status of the answer.
    pub(super) async fn ask(
        &self,
        asked: &Asked,
        method: Method,
        path: &str,
        query: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, (u16, Failure)> {
        let token = self.token().await.map_err(|failure| (0, failure))?;
        let refused = match self.attempt(asked, &method, path, query, body, &token).await {
            Err((401, failure)) => failure,
            outcome => return outcome,
        };
        // The token may have been exchanged since it was read.
        match self.token().await {
            Ok(newer) if newer != token => self.attempt(asked, &method, path, query, body, &newer).await,
            _ => Err((401, refused)),
        }
    }

    /// The token as it is now; empty if there is none.
    async fn token(&self) -> Result<String, Failure> {
        match self.token_file.as_str() {
            "" => Ok(self.token.reveal().to_owned()),
            path => read_trimmed(path).await.map_err(outcome::transient),
        }
    }

    /// Tells one token from another without showing it.
    pub(super) async fn token_digest(&self) -> [u8; 32] {
        Sha256::digest(self.token().await.unwrap_or_default()).into()
    }

    async fn attempt(
        &self,
        asked: &Asked,
        method: &Method,
        path: &str,
        query: &[(&'static str, String)],
        body: Option<&Value>,
        token: &str,
    ) -> Result<Answer, (u16, Failure)> {
        asked.0.fetch_add(1, Ordering::Relaxed);
        let url = self.url(path, query);
        let headers = headers(token, body.is_some()).map_err(|text| (0, outcome::permanent(text)))?;
        let body = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let request = Request { method: method.clone(), url: &url, headers, body, max_answer: MAX_ANSWER };
        let answered = self.within_time(self.client.request(request)).await;
        let (reply, headers) = answered.map_err(|failure| {
            self.counts.count("unreachable");
            (0, told(method, path, failure))
        })?;
        match judge(&reply) {
            Ok(()) => {
                self.counts.count("ok");
                Ok(Answer { body: reply.body, headers })
            }
            Err(mut failure) => {
                self.counts.count(outcome_of(reply.status, failure.kind));
                if !token.is_empty() {
                    failure.text = failure.text.replace(token, crate::settings::secret::REDACTED);
                }
                Err((reply.status, told(method, path, failure)))
            }
        }
    }

    async fn within_time<T>(&self, answer: impl Future<Output = Result<T, String>>) -> Result<T, Failure> {
        if self.timeout.is_zero() {
            return answer.await.map_err(outcome::transient);
        }
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(outcome::transient),
            Err(_) => Err(outcome::late(format!("no answer within {} s", self.timeout.as_secs_f64()))),
        }
    }

    fn url(&self, path: &str, query: &[(&'static str, String)]) -> String {
        let mut url = format!("{}/{path}", self.base);
        if !query.is_empty() {
            let query = Serializer::new(String::new()).extend_pairs(query).finish();
            url.push('?');
            url.push_str(&query);
        }
        url
    }
}

fn headers(token: &str, has_body: bool) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if !token.is_empty() {
        let mut value =
            HeaderValue::from_str(token).map_err(|_| "the token has a character that must not be there".to_owned())?;
        value.set_sensitive(true);
        headers.insert(TOKEN, value);
    }
    Ok(headers)
}

/// The header of a key for alerts.
pub(super) fn bearer(key: &str) -> Result<HeaderMap, String> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| "the key has a character that must not be there".to_owned())?;
    value.set_sensitive(true);
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([(CONTENT_TYPE, json), (AUTHORIZATION, value)]))
}

/// What an answer means. A lock that is held, a limit that is reached and a server in trouble pass; all else stays.
pub(super) fn judge(reply: &Reply) -> Result<(), Failure> {
    let status = reply.status;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let locked = status == 409 && reply.body.contains("Resource lock");
    let body = shortened(&reply.body.split_whitespace().collect::<Vec<_>>().join(" "), MAX_ERROR);
    Err(Failure {
        kind: outcome::kind(status),
        retry: matches!(status, 408 | 423 | 429 | 500..600) || locked,
        text: format!("unexpected status code {status}: {body}"),
        retry_after: reply.retry_after,
        in_part: false,
    })
}

fn told(method: &Method, path: &str, failure: Failure) -> Failure {
    Failure { text: format!("{method} {path}: {}", failure.text), ..failure }
}

impl Answer {
    /// What it says. What cannot be read has come in part only, or is from something before GitLab.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.body).map_err(|error| {
            let kind = FailureKind::ServerError;
            Failure { kind, ..outcome::transient(format!("GitLab's answer cannot be read: {error}")) }
        })
    }

    fn next_page(&self) -> Option<String> {
        let page = self.headers.get("x-next-page")?.to_str().ok()?.trim();
        (!page.is_empty()).then(|| page.to_owned())
    }

    fn date(&self) -> Option<Timestamp> {
        rfc2822::DateTimeParser::new().parse_timestamp(self.headers.get(DATE)?.to_str().ok()?).ok()
    }
}

/// A project's path or number, or another name, as a part of a path.
pub(super) fn encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_in_groups_is_one_part_of_a_path() {
        assert_eq!(encoded("tpo/tpa/team"), "tpo%2Ftpa%2Fteam");
        assert_eq!((encoded("17"), encoded("ä ?")), ("17".to_owned(), "%C3%A4%20%3F".to_owned()));
    }

    #[test]
    fn what_passes_is_worth_another_attempt() {
        let outcome = |status, body: &str| {
            let reply = Reply { status, retry_after: None, body: body.to_owned() };
            judge(&reply).err().map(|failure| (failure.kind.as_str(), failure.retry))
        };
        assert_eq!(outcome(201, ""), None);
        for status in [400, 404, 405, 413, 422] {
            assert_eq!(outcome(status, ""), Some(("clientError", false)));
        }
        assert_eq!((outcome(401, ""), outcome(403, "")), (Some(("authError", false)), Some(("authError", false))));
        assert_eq!(outcome(429, "Retry later"), Some(("rateLimited", true)));
        assert_eq!(outcome(409, r#"{"message":"409 Conflict: Resource lock"}"#), Some(("clientError", true)));
        assert_eq!(outcome(409, r#"{"message":"Duplicated issue"}"#), Some(("clientError", false)));
        assert_eq!((outcome(500, ""), outcome(503, "")), (Some(("serverError", true)), Some(("serverError", true))));
        assert_eq!(outcome(302, ""), Some(("other", false)));
    }
}
