//! One request after the other, as clients send them and as they should not, to Debian's Alertmanager and to Watchbell:
//! the same statuses, headers and bodies, but for the differences that are meant.

mod intended;

use serde_json::{Map, Value, json};

use crate::compare::{Difference, Intended, differences};
use crate::filling::{Ids, filled, without_ids};
use crate::harness::http::{Client, Request, Response};
use crate::harness::server::{Program, Server};
use crate::harness::wait::seen_within;

const REQUESTS: &str = include_str!("../../../fixtures/it/requests.http");

#[test]
fn requests_are_answered_as_alertmanager_answers_them() {
    let meant = intended::differences();
    let (found, unseen) = compare([Program::Alertmanager, Program::Watchbell], &meant);
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
    let unseen: Vec<_> = unseen.iter().map(ToString::to_string).collect();
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

#[test]
fn alertmanager_answers_as_it_answers_itself() {
    let (found, _) = compare([Program::Alertmanager, Program::Alertmanager], &[]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Sends everything to both; returns the differences that are not meant, and what is meant but was not seen.
fn compare(programs: [Program; 2], meant: &[Intended]) -> (Vec<String>, Vec<&Intended>) {
    let servers = programs.map(|program| Server::start(program, CONFIG));
    let mut sides = servers.each_ref().map(|server| Side { client: server.client(), silences: Ids::new() });
    let mut found = Vec::new();
    let mut unseen: Vec<_> = meant.iter().collect();
    for (title, request) in requests() {
        let seen = alike(&mut sides, &title, &request, meant);
        unseen.retain(|intended| !seen.iter().any(|difference| intended.covers(difference)));
        found.extend(seen.into_iter().filter(|difference| !is_meant(difference, meant)));
    }
    (found.iter().map(Difference::to_string).collect(), unseen)
}

/// How the answers to one request differ. What is only read is read again for a moment, since alerts take a moment to
/// reach their groups.
fn alike(sides: &mut [Side; 2], title: &str, request: &Request, meant: &[Intended]) -> Vec<Difference> {
    let mut once = || {
        let [left, right] = sides.each_mut().map(|side| side.ask(request));
        differences(title, &left, &right)
    };
    let first = once();
    if request.method != "GET" {
        return first;
    }
    let good = |seen: &Vec<Difference>| seen.iter().all(|difference| is_meant(difference, meant));
    if good(&first) {
        return first;
    }
    seen_within(std::time::Duration::from_secs(10), || Some(once()).filter(good)).unwrap_or(first)
}

fn is_meant(difference: &Difference, meant: &[Intended]) -> bool {
    meant.iter().any(|intended| intended.covers(difference))
}

struct Side {
    client: Client,
    silences: Ids,
}

impl Side {
    /// Sends the request and returns what is compared of the answer.
    fn ask(&mut self, request: &Request) -> Value {
        let response = self.client.must(&filled(request, &self.silences));
        let body = self.body(request, &response);
        json!({"status": response.status, "headers": headers(&response), "body": body})
    }

    fn body(&mut self, request: &Request, response: &Response) -> Value {
        if request.path == "/metrics" {
            return Value::Null; // Its numbers are never the same; `metrics.rs` looks at the names.
        }
        let text = in_order(&response.text());
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
        if let Some(id) = body["silenceID"].as_str() {
            self.silences.insert(format!("silence-{}", self.silences.len() + 1), id.to_owned());
        }
        check_line_end(request, response);
        without_ids(body, &self.silences)
    }
}

/// The text with the methods of `[POST,GET]` in their order: Alertmanager writes them in any.
fn in_order(text: &str) -> String {
    text.replace("[POST,GET]", "[GET,POST]").replace("[GET,DELETE]", "[DELETE,GET]")
}

/// Bodies of handlers end with a newline, bodies of the framework do not; clients rely on neither, and the comparison of
/// parsed bodies would not see it.
fn check_line_end(request: &Request, response: &Response) {
    let text = response.text();
    let framework = text.starts_with(r#"{"code":"#);
    let json = response.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json"));
    if json && !text.is_empty() && request.path.starts_with("/api/v2/") {
        assert_eq!(text.ends_with('\n'), !framework, "{} {}: {text}", request.method, request.path);
    }
}

/// The headers that clients look at; the items of a list in order.
fn headers(response: &Response) -> Value {
    let mut headers = Map::new();
    for name in COMPARED_HEADERS {
        if let Some(value) = response.header(name) {
            let mut items: Vec<_> = value.split(',').map(str::trim).collect();
            items.sort_unstable();
            headers.insert(name.into(), items.join(", ").into());
        }
    }
    if response.body.is_empty() {
        headers.insert("Content-Length of an empty body".into(), response.header("Content-Length").into());
    }
    headers.into()
}

const COMPARED_HEADERS: [&str; 9] = [
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Allow",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Vary",
    "X-Content-Type-Options",
];

/// The requests of the fixture with their titles.
fn requests() -> Vec<(String, Request)> {
    let requests: Vec<_> = REQUESTS.split("\n### ").skip(1).map(parse).collect();
    assert!(requests.len() >= 93, "{} requests", requests.len());
    requests
}

fn parse(text: &str) -> (String, Request) {
    let (head, body) = text.trim_end().split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let title = lines.next().expect("a request has a title");
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("a request has a method and a path");
    let mut request = Request::new(method, path);
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header has a name and a value");
        request = request.header(name, value);
    }
    request.body = body.into();
    (title.to_owned(), request)
}

const CONFIG: &str = "
route: {receiver: default, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers: [{name: default}, {name: other}]
";
