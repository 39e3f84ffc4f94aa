//! The API over sizes, from the request's bytes to the last byte of the answer, without sockets and disk. Each line is the
//! time of one request in a state of the size that stands before it; where a list is long, the throughput tells what an
//! item costs.
//!
//! `cargo bench --bench api`, with a part of a name to run some only.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tower_service::Service;
use watchbell::api::{Api, ApiOptions};
use watchbell::cli::Features;
use watchbell::clock;
use watchbell::config;
use watchbell::driver::{Command, Handle, Refused, Reply, Running};
use watchbell::store::Stats;
use watchbell::telemetry::Metrics;
use watchbell_engine::effect::Answer;
use watchbell_engine::matcher::parse::Syntax;
use watchbell_engine::policy::Policy;
use watchbell_engine::silence::edit::SilenceLimits;
use watchbell_engine::version::NodeId;
use watchbell_engine::{Engine, Options};

/// As many alerts as Prometheus sends at once.
const BATCH: usize = 64;
const HOUR: Duration = Duration::from_secs(3600);
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

/// A batch that was posted before is posted again: read, checked and taken in.
#[divan::bench(args = SIZES, sample_count = 50)]
fn post_a_batch(bencher: Bencher<'_, '_>, alerts: usize) {
    let mut api = Asked::holding(alerts);
    let body = batch(alerts / 2..alerts / 2 + BATCH);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| api.post("/api/v2/alerts", body.clone()));
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn list_alerts(bencher: Bencher<'_, '_>, alerts: usize) {
    list(bencher, Asked::holding(alerts), "/api/v2/alerts", alerts);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn list_groups(bencher: Bencher<'_, '_>, alerts: usize) {
    list(bencher, Asked::holding(alerts), "/api/v2/alerts/groups", alerts);
}

/// Those of one host of a hundred alerts, among all.
#[divan::bench(args = SIZES, sample_count = 50)]
fn list_one_host(bencher: Bencher<'_, '_>, alerts: usize) {
    let path = "/api/v2/alerts?filter=instance%3D%22host1%22";
    list(bencher, Asked::holding(alerts), path, 100);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn list_by_pattern(bencher: Bencher<'_, '_>, alerts: usize) {
    list(bencher, Asked::holding(alerts), "/api/v2/alerts?filter=instance%3D~%22.*1%22", alerts);
}

/// A list that the client has, and of which nothing has changed.
#[divan::bench(args = SIZES, sample_count = 50)]
fn list_what_has_not_changed(bencher: Bencher<'_, '_>, alerts: usize) {
    let mut api = Asked::holding(alerts);
    let tag = api.get("/api/v2/alerts", None);
    bencher.bench_local(|| api.get("/api/v2/alerts", tag.as_deref()));
}

/// Ten thousand alerts, beside so many silences, of which ten silence one alert each and the others none.
#[divan::bench(args = [10, 1_000, 10_000], sample_count = 10)]
fn list_beside_silences(bencher: Bencher<'_, '_>, silences: usize) {
    let mut api = Asked::holding(10_000);
    for number in 0..silences {
        api.post("/api/v2/silences", silence(9_990 + number));
    }
    list(bencher, api, "/api/v2/alerts?silenced=false", 10_000);
}

/// Lists again and again, with a change each time, so that no answer is there already.
fn list(bencher: Bencher<'_, '_>, api: Asked, path: &str, items: usize) {
    let api = std::cell::RefCell::new(api);
    bencher
        .counter(ItemsCount::new(items))
        .with_inputs(|| api.borrow_mut().post("/api/v2/alerts", batch(0..1)))
        .bench_local_values(|()| api.borrow_mut().get(path, None));
}

/// The API, asked by one client.
struct Asked {
    runtime: Runtime,
    router: Router,
}

impl Asked {
    fn holding(alerts: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("the system has room for a runtime");
        let router = runtime.block_on(async { router() });
        let mut api = Self { runtime, router };
        for first in (0..alerts).step_by(BATCH) {
            api.post("/api/v2/alerts", batch(first..alerts.min(first + BATCH)));
        }
        api
    }

    fn post(&mut self, path: &str, body: String) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
        self.ask(request.expect("it is a request"));
    }

    /// The tag of the answer.
    fn get(&mut self, path: &str, tag: Option<&str>) -> Option<String> {
        let request = Request::get(path).header(header::IF_NONE_MATCH, tag.unwrap_or_default()).body(Body::empty());
        self.ask(request.expect("it is a request"))
    }

    fn ask(&mut self, request: Request<Body>) -> Option<String> {
        self.runtime.block_on(async {
            let answer = self.router.call(request).await.unwrap_or_else(|never| match never {});
            assert!(answer.status().is_success() || answer.status() == 304, "{answer:?}");
            let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            divan::black_box(to_bytes(answer.into_body(), usize::MAX).await.expect("it comes from memory"));
            tag
        })
    }
}

fn router() -> Router {
    let (commands, waiting) = mpsc::channel(64);
    tokio::spawn(drive(waiting));
    let running = Running {
        policy: policy(),
        config: "".into(),
        config_hash: 0.0,
        route_labels: Default::default(),
        external_url: "http://here:9093".into(),
        loaded_at: clock::now(),
        last_reload_ok: true,
    };
    let handle = Handle::new(commands, watch::channel(Arc::new(running)).1, mpsc::channel(1).0, None);
    let options = ApiOptions {
        route_prefix: String::new(),
        get_concurrency: 8,
        timeout: None,
        syntax: Syntax::default(),
        per_alertname_limit: 0,
        group_key_in_metrics: false,
    };
    Api::new(handle, Metrics::new(&Features::default()), options).router()
}

/// An engine whose effects nobody performs.
async fn drive(mut commands: mpsc::Receiver<Command>) {
    let options = Options {
        node: NodeId(1),
        silences: SilenceLimits { retention: HOUR, ..SilenceLimits::default() },
        alert_gc_interval: HOUR,
        per_alertname_limit: 0,
        peer_timeout: HOUR,
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    };
    let mut engine = Engine::new(clock::now(), options, policy());
    while let Some(command) = commands.recv().await {
        match command {
            Command::View(reply) => drop(reply.send(engine.view().clone())),
            Command::Stats(reply) => drop(reply.send(Stats::default())),
            Command::Input(input, reply) => answer(reply, engine.handle(clock::now(), input).answer),
            Command::Reload(..) | Command::Stop => return,
        }
    }
}

fn answer(reply: Reply, answer: Option<Answer>) {
    if let (Reply::SilenceSet(reply), Some(Answer::SilenceSet(answer))) = (reply, answer) {
        drop(reply.send(answer.map_err(Refused::from)));
    }
}

fn policy() -> Arc<Policy> {
    let text = "route: {receiver: team, group_by: [alertname], group_wait: 1h}\nreceivers: [{name: team}]\n";
    let options = config::Options { syntax: Syntax::default(), retention: HOUR };
    config::parse(text, Path::new("bench.yml"), &options).expect("it is a configuration").policy
}

/// A hundred alerts of a host, as Prometheus sends them.
fn batch(numbers: std::ops::Range<usize>) -> String {
    let mut body = String::from("[");
    for number in numbers {
        let comma = if body.len() > 1 { "," } else { "" };
        let (name, host, severity) = (number % 50, number / 100, ["warning", "critical", "info"][number % 3]);
        let written = write!(
            body,
            r#"{comma}{{"labels":{{"alertname":"Alert{name}","instance":"host{host}","job":"node","series":"{number}","severity":"{severity}"}},"annotations":{{"summary":"Something is wrong with series {number}","description":"The value of series {number} on host{host} has been above its threshold for ten minutes."}},"generatorURL":"http://prometheus.example.org/graph?g0.expr=up%7Bseries%3D%22{number}%22%7D&g0.tab=1","startsAt":"2026-11-23T14:00:00.123Z","endsAt":"2100-01-01T00:00:00Z"}}"#
        );
        written.expect("a text takes it");
    }
    body + "]"
}

/// A silence of the alert with this number.
fn silence(number: usize) -> String {
    format!(
        r#"{{"matchers":[{{"name":"series","value":"{number}","isRegex":false}},{{"name":"instance","value":"host.*","isRegex":true}}],"startsAt":"2026-11-23T14:00:00Z","endsAt":"2100-01-01T00:00:00Z","createdBy":"me","comment":"why"}}"#
    )
}
