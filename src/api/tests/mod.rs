//! The API asked over HTTP, before an engine that keeps nothing on disk.

mod alerts;
mod bodies;
mod http;
mod lists;
mod serving;
mod silences;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot, watch};
use watchbell_engine::Engine;
use watchbell_engine::effect::{Answer, Effects};
use watchbell_engine::engine::Options;
use watchbell_engine::label::Labels;
use watchbell_engine::policy::{GroupBy, Policy, Receiver, Route};
use watchbell_engine::silence::edit::SilenceLimits;
use watchbell_engine::version::NodeId;

use super::*;
use crate::cli::Features;
use crate::driver::{Command, Refused, Reply, Running};
use crate::store::Stats;

/// An answer with its body read.
#[derive(Debug)]
struct Answered {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

fn options() -> ApiOptions {
    ApiOptions {
        route_prefix: String::new(),
        get_concurrency: 8,
        timeout: None,
        syntax: Syntax::default(),
        per_alertname_limit: 0,
        group_key_in_metrics: false,
    }
}

/// The API of a running engine. It must be called inside a runtime.
fn api(options: ApiOptions) -> Api {
    Api::new(handle(Ok(())), Metrics::new(&Features::default()), options)
}

/// A handle of an engine that runs until the handle is gone; every reload comes to `reloaded`.
fn handle(reloaded: Result<(), String>) -> Handle {
    let (commands, waiting) = mpsc::channel(8);
    let (reloads, mut asked) = mpsc::channel::<oneshot::Sender<Result<(), String>>>(8);
    tokio::spawn(drive(waiting));
    tokio::spawn(async move {
        while let Some(reply) = asked.recv().await {
            let _ = reply.send(reloaded.clone());
        }
    });
    let running = Running {
        policy: Arc::new(policy()),
        config: "route:\n  receiver: default\n".into(),
        config_hash: 7.0,
        route_labels: Default::default(),
        external_url: "http://here:9093".into(),
        loaded_at: clock::now(),
        last_reload_ok: true,
    };
    Handle::new(commands, watch::channel(Arc::new(running)).1, reloads, None)
}

async fn drive(mut commands: mpsc::Receiver<Command>) {
    let mut engine = Engine::new(clock::now(), engine_options(), Arc::new(policy()));
    while let Some(command) = commands.recv().await {
        match command {
            Command::View(reply) => drop(reply.send(engine.view().clone())),
            Command::Stats(reply) => drop(reply.send(Stats::default())),
            Command::Input(input, reply) => answer_input(engine.handle(clock::now(), input), reply),
            _ => return,
        }
    }
}

fn answer_input(effects: Effects, reply: Reply) {
    match (reply, effects.answer) {
        (Reply::SilenceSet(reply), Some(Answer::SilenceSet(answer))) => drop(reply.send(answer.map_err(Refused::from))),
        (Reply::SilenceExpired(reply), Some(Answer::SilenceExpired(answer))) => {
            drop(reply.send(answer.map_err(Refused::from)));
        }
        _ => {}
    }
}

fn engine_options() -> Options {
    Options {
        node: NodeId(1),
        silences: SilenceLimits { retention: Duration::from_secs(3600), ..SilenceLimits::default() },
        alert_gc_interval: Duration::from_secs(1800),
        per_alertname_limit: 0,
        peer_timeout: Duration::from_secs(15),
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    }
}

/// A root that groups by alert name, and a route of team `b` to the receiver `other`.
fn policy() -> Policy {
    let receiver = |name: &str| Receiver {
        name: name.into(),
        labels: Labels::from_iter([("name", name), ("owner", if name == "other" { "b" } else { "a" })]),
        integrations: Vec::new(),
    };
    let root = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: Vec::new(),
        receiver: "default".into(),
        group_by: GroupBy::Names(vec![SmolStr::new("alertname")]),
        group_wait: Duration::from_secs(30),
        group_interval: Duration::from_secs(300),
        repeat_interval: Duration::from_secs(3600),
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        continues: false,
        children: vec![1],
        labels: Labels::default(),
    };
    let team_b = watchbell_engine::matcher::Matcher::new("team", watchbell_engine::matcher::MatchOp::Equal, "b");
    let child = Route {
        id: "{}/{team=\"b\"}/0".into(),
        key: "{}/{team=\"b\"}".into(),
        matchers: vec![team_b.unwrap()],
        receiver: "other".into(),
        children: Vec::new(),
        ..root.clone()
    };
    Policy {
        routes: vec![root, child],
        inhibit_rules: Vec::new(),
        time_intervals: std::collections::BTreeMap::new(),
        receivers: vec![receiver("default"), receiver("other")],
        resolve_timeout: Duration::from_secs(300),
        vigil: Default::default(),
    }
}

/// Asks with a body of JSON, or without a body if it is empty.
async fn ask(api: &Api, method: &str, uri: &str, body: &str) -> Answered {
    let headers: &[(&str, &str)] = if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
    ask_with(api, method, uri, headers, body).await
}

async fn ask_with(api: &Api, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Answered {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answered(api, request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn answered(api: &Api, request: Request<Body>) -> Answered {
    let response = TowerToHyperService::new(api.clone().router()).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
    let gzip = parts.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let body = if gzip { unpacked(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
    Answered { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes), &mut text).unwrap();
    text
}
