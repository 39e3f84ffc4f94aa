//! The whole server from outside, as a process: what a new alert costs and takes beside how many others, and how long a
//! post takes while thousands of groups are told. What the threads used is asked of the scheduler, so it says nothing of
//! the machine's other work, but a busy machine makes it more.
//!
//! `cargo bench -p watchbell --bench whole`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, net, thread};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// As many alerts as Prometheus sends at once.
const BATCH: usize = 64;

/// Alerts, and how many servers get so many, one after the other.
const SIZES: [(usize, usize); 3] = [(10_000, 10), (100_000, 3), (1_000_000, 1)];

/// Groups that are due at once.
const GROUPS: usize = 5_000;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("new alerts      µs of CPU each: all (requests and engine, journal, gone threads)      MiB");
    for (alerts, servers) in SIZES {
        let mut grown = Vec::new();
        for _ in 0..servers {
            grown.push(grow(alerts).await);
        }
        let mean = |of: fn(&Grown) -> f64| grown.iter().map(of).sum::<f64>() / servers as f64;
        let [engine, journal] = [mean(|grown| grown.engine), mean(|grown| grown.journal)];
        let [gone, memory] = [mean(|grown| grown.gone), mean(|grown| grown.memory)];
        let all = engine + journal + gone;
        println!("{alerts:>10}      {all:.2} ({engine:.2}, {journal:.2}, {gone:.2})      {memory:.0}");
    }
    tell().await;
}

/// What new alerts have cost, µs each, and the memory with them, MiB.
struct Grown {
    engine: f64,
    journal: f64,
    /// Of threads that have ended, to the hundredth of a second.
    gone: f64,
    memory: f64,
}

/// Sends a server so many alerts.
async fn grow(alerts: usize) -> Grown {
    let route = "route: {receiver: r, group_by: [alertname], group_wait: 10m}";
    let server = Server::start(&format!("{route}\nreceivers: [{{name: r}}]\n")).await;
    let bodies = bodies(alerts);
    let before = server.used();
    for body in bodies {
        server.post(body).await;
    }
    server.rest().await;
    let used = server.used();
    let each = |name: &str| (used.of(name) - before.of(name)) * 1e6 / alerts as f64;
    let (journal, all) = (each("committer"), (used.all - before.all) * 1e6 / alerts as f64);
    let engine = each("tokio-rt-worker");
    Grown { engine, journal, gone: (all - journal - engine).max(0.0), memory: server.memory() }
}

/// Posts one alert after the other while groups are told.
async fn tell() {
    let told = Arc::new(AtomicUsize::new(0));
    let hook = receiver(Arc::clone(&told));
    let route = "route: {receiver: r, group_by: [alertname, series], group_wait: 4s, group_interval: 10m}";
    let receivers = format!("receivers: [{{name: r, webhook_configs: [{{url: 'http://{hook}/'}}]}}]\n");
    let server = Server::start(&format!("{route}\n{receivers}")).await;
    for body in bodies(GROUPS) {
        server.post(body).await;
    }
    await_that("the first group is told", || told.load(Relaxed) > 0).await;
    let mut took = Vec::new();
    for number in GROUPS.. {
        if told.load(Relaxed) >= GROUPS {
            break;
        }
        let (body, begun) = (body(number..number + 1), Instant::now());
        server.post(body).await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let [p50, p99, most] = [50, 99, 100].map(|percent| took[(took.len() * percent).div_ceil(100) - 1]);
    println!(
        "a post while {GROUPS} groups are told ({} of them): p50 {p50:?}, p99 {p99:?}, the slowest {most:?}",
        took.len()
    );
}

/// A receiver that takes everything, on a thread of its own, and counts.
fn receiver(told: Arc<AtomicUsize>) -> net::SocketAddr {
    let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("a socket can be told so");
    let address = listener.local_addr().expect("a listener has an address");
    let count = move || async move {
        told.fetch_add(1, Relaxed);
        StatusCode::OK
    };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is room for it");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is a socket");
            axum::serve(listener, axum::Router::new().fallback(count)).await
        })
    });
    address
}

/// A running Watchbell with a directory of its own.
struct Server {
    process: Child,
    url: String,
    client: Client,
    _directory: TempDir,
}

impl Server {
    async fn start(config: &str) -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        let file = directory.path().join("watchbell.yml");
        fs::write(&file, config).expect("a file can be written");
        let port = net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = port.expect("a port is free");
        let process = Command::new(env!("CARGO_BIN_EXE_watchbell"))
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .spawn()
            .expect("the server can be started");
        await_that("the server listens", || net::TcpStream::connect(address).is_ok()).await;
        let client = Client::builder().no_proxy().build().expect("a client needs nothing");
        Self { process, url: format!("http://{address}/api/v2/alerts"), client, _directory: directory }
    }

    async fn post(&self, body: String) {
        let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        let answer = request.send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Returns once it has used nothing for a while.
    async fn rest(&self) {
        let mut last = self.used().all;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.used().all;
            if now - last < 0.02 {
                return;
            }
            last = now;
        }
    }

    fn used(&self) -> Used {
        let threads = fs::read_dir(self.of_process("task")).expect("a process has threads").flatten().map(|thread| {
            let read = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let nanoseconds = read("schedstat").split(' ').next().and_then(|number| number.parse::<f64>().ok());
            (read("comm").trim().to_owned(), nanoseconds.unwrap_or_default() / 1e9)
        });
        let mut by_thread = BTreeMap::new();
        threads.for_each(|(name, seconds)| *by_thread.entry(name).or_default() += seconds);
        let stat = fs::read_to_string(self.of_process("stat")).expect("a process has a state");
        let fields: Vec<_> = stat.rsplit(')').next().expect("there is a last part").split_whitespace().collect();
        let all =
            [11, 12].map(|field| fields[field].parse::<f64>().expect("it is a number")).iter().sum::<f64>() / 100.0;
        Used { all, by_thread }
    }

    /// Resident memory, MiB.
    fn memory(&self) -> f64 {
        let status = fs::read_to_string(self.of_process("status")).expect("a process has a state");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("it is a number") / 1024.0
    }

    fn of_process(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.process.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to be kept.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Seconds of CPU that a server has used: all of them, to the hundredth, and those of the threads that it has now.
struct Used {
    all: f64,
    by_thread: BTreeMap<String, f64>,
}

impl Used {
    fn of(&self, thread: &str) -> f64 {
        self.by_thread.get(thread).copied().unwrap_or_default()
    }
}

/// What a sender posts of so many alerts, as Prometheus does.
fn bodies(alerts: usize) -> Vec<String> {
    (0..alerts).step_by(BATCH).map(|first| body(first..alerts.min(first + BATCH))).collect()
}

fn body(numbers: std::ops::Range<usize>) -> String {
    Value::from_iter(numbers.map(alert)).to_string()
}

fn alert(number: usize) -> Value {
    let host = number % 500;
    json!({
        "labels": {
            "alertname": format!("Alert{}", number % 50), "instance": format!("host{host}.example.org:9100"),
            "job": "node", "severity": "critical", "cluster": format!("c{}", number % 10), "series": number.to_string(),
        },
        "annotations": {
            "summary": format!("Something is wrong with series {number}"),
            "description": format!("Series {number} on host{host} has been above its threshold for ten minutes."),
        },
        "generatorURL": format!("http://prometheus.example.org/graph?g0.expr=up%7Bseries%3D%22{number}%22%7D&g0.tab=1"),
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
    })
}

async fn await_that(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
