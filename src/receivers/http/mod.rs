//! The one HTTP client: one for each `http_config`, with everything that it may say. What is posted, and what an
//! answer means, is the receivers' business.

mod credentials;
mod oauth2;
mod proxy;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Method, Response, redirect};
use watchbell_engine::notification::Failure;
use watchbell_engine::time::Timestamp;

use self::credentials::Credentials;
pub(super) use self::oauth2::TokenSource;
use super::outcome::{Reply, transient};
use super::tls::{self, Pem};
use super::{ReceiverError, Surroundings, data, gate};
use crate::settings::http::HttpConfig;

/// How long a connection, with its TLS handshake, may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next notification; as Alertmanager does.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// How many idle connections are kept for each server: as many as it is told by at once while it is quick.
const MAX_IDLE_PER_HOST: usize = gate::AT_ONCE;

/// How much of an answer is read: enough for any error text and for a token, and no more, whatever a server sends.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How many redirects are followed; as many as Go follows.
const MAX_REDIRECTS: usize = 10;

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// A secret: it shows in no error.
    pub(super) url: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// How much of the answer's body is read, in bytes.
    pub(super) max_answer: usize,
}

/// Reaches servers as an `http_config` says.
pub(super) struct HttpClient {
    config: HttpConfig,
    credentials: Credentials,
    user_agent: String,
    now: fn() -> Timestamp,
    /// The client that was last used, and the certificates and keys it was made with.
    current: Mutex<Option<(Pem, Client)>>,
}

impl HttpClient {
    /// Prepares to reach servers; nothing is read or connected yet.
    pub(super) fn build(config: &HttpConfig, surroundings: &Surroundings) -> Result<Self, ReceiverError> {
        tls::refuse_unsupported(&config.tls_config)?;
        proxy::check(&config.proxy())?;
        for name in config.http_headers.keys() {
            header_name(name).map_err(ReceiverError::Setting)?;
        }
        Ok(Self {
            config: config.clone(),
            credentials: Credentials::build(config, surroundings)?,
            user_agent: format!("Alertmanager/{}", surroundings.version),
            now: surroundings.now,
            current: Mutex::new(None),
        })
    }

    /// Posts JSON. The URL is a secret: it shows in no error.
    pub(super) async fn post_json(&self, url: &str, body: Vec<u8>) -> Result<Reply, Failure> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.post(url, headers, body).await.map_err(transient)
    }

    /// Posts `body`; errors are all worth another attempt.
    async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Reply, String> {
        let request = Request { method: Method::POST, url, headers, body, max_answer: MAX_ANSWER_BYTES };
        Ok(self.request(request).await?.0)
    }

    /// Makes a request; errors are all worth another attempt. The headers are the answer's.
    pub(super) async fn request(&self, request: Request<'_>) -> Result<(Reply, HeaderMap), String> {
        let Request { method, url, headers, body, max_answer } = request;
        let headers = self.headers(headers).await?;
        let sending = self.client().await?.request(method.clone(), url).headers(headers).body(body).send();
        let response = sending.await.map_err(|error| failed(&method, error, url))?;
        let (status, retry_after) = (response.status().as_u16(), self.retry_after(&response));
        let headers = response.headers().clone();
        Ok((Reply { status, retry_after, body: beginning(response, max_answer).await }, headers))
    }

    /// Completes the headers of a request. Credentials do not replace an `Authorization` that is there.
    async fn headers(&self, mut headers: HeaderMap) -> Result<HeaderMap, String> {
        headers.insert(USER_AGENT, header_value(&self.user_agent)?);
        for (name, values) in &self.config.http_headers {
            let name = header_name(name)?;
            for value in &values.values {
                headers.append(&name, header_value(value)?);
            }
            for value in &values.secrets {
                headers.append(&name, secret_value(value.reveal())?);
            }
            for path in &values.files {
                headers.append(&name, secret_value(&read_trimmed(path).await?)?);
            }
        }
        if let (false, Some(value)) = (headers.contains_key(AUTHORIZATION), self.credentials.authorization().await?) {
            headers.insert(AUTHORIZATION, secret_value(&value)?);
        }
        Ok(headers)
    }

    /// The client for the certificates and keys as they are now.
    async fn client(&self) -> Result<Client, String> {
        let pem = Pem::read(&self.config.tls_config).await.map_err(|error| format!("tls_config: {error}"))?;
        let mut current = self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*current {
            Some((known, client)) if *known == pem => Ok(client.clone()),
            _ => {
                let client = self.connector(&pem)?;
                *current = Some((pem, client.clone()));
                Ok(client)
            }
        }
    }

    fn connector(&self, pem: &Pem) -> Result<Client, String> {
        let mut tls =
            tls::client_config(&self.config.tls_config, pem).map_err(|error| format!("tls_config: {error}"))?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .tcp_nodelay(true)
            .referer(false)
            .redirect(self.redirects())
            .no_proxy();
        if self.config.enable_http2 {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        } else {
            builder = builder.http1_only();
        }
        for proxy in proxy::proxies(&self.config.proxy())? {
            builder = builder.proxy(proxy);
        }
        builder.tls_backend_preconfigured(tls).build().map_err(|error| chain(&error))
    }

    /// Credentials are left out on the way to another host; headers of the operator's are not, so with secrets among
    /// them a redirect to another host is the answer.
    fn redirects(&self) -> redirect::Policy {
        if !self.config.follow_redirects {
            return redirect::Policy::none();
        }
        let secret =
            |values: &crate::settings::http::HeaderValues| !values.secrets.is_empty() || !values.files.is_empty();
        if !self.config.http_headers.values().any(secret) {
            return redirect::Policy::limited(MAX_REDIRECTS);
        }
        redirect::Policy::custom(|attempt| {
            let origin = attempt.previous().first().map(|url| url.origin());
            match () {
                () if attempt.previous().len() > MAX_REDIRECTS => attempt.error("too many redirects"),
                () if origin != Some(attempt.url().origin()) => attempt.stop(),
                () => attempt.follow(),
            }
        })
    }

    /// How long the server asks us to wait (RFC 9110 10.2.3: seconds, or a date).
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(data::instant((self.now)()))).ok()
    }
}

/// The contents of a file, without the white space around them.
pub(super) async fn read_trimmed(path: &str) -> Result<String, String> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("cannot read {path}: {error}")),
    }
}

/// As much of the body as is worth reading. That the rest could not be read does not matter.
async fn beginning(mut response: Response, max: usize) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(max - body.len())]);
        if body.len() == max {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// In Go's words: `Post "…": …`.
fn failed(method: &Method, error: reqwest::Error, url: &str) -> String {
    let error = error.without_url();
    let (first, rest) = method.as_str().split_at(1);
    format!("{first}{} \"<redacted>\": {}", rest.to_ascii_lowercase(), chain(&error).replace(url, "<redacted>"))
}

/// An error and its causes: the outermost alone often says no more than that there was one.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(name).map_err(|_| format!("http_headers: {name:?} is no name for a header"))
}

fn header_value(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| "a header's value has a character that must not be there".to_owned())
}

fn secret_value(value: &str) -> Result<HeaderValue, String> {
    let mut value = header_value(value)?;
    value.set_sensitive(true);
    Ok(value)
}
