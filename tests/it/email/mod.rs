//! Mail: the real program tells, real servers take it, and a reader that knows nothing of us reads the mailbox. The name
//! of each test begins with the number of the promise that it holds.

mod cyrus;
pub(crate) mod dovecot;
mod endurance;
mod form;
mod identity;
mod policy;
pub(crate) mod postfix;
mod proxy;
pub(crate) mod reader;
mod recipients;
mod rendering;
mod secrecy;
mod settings;
mod threads;
mod tokens;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use self::postfix::Postfix;
use self::reader::Mail;
use crate::harness::server::{Program, Server};

/// How long a test waits for mail: several programs take part, on a machine that may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(90);

/// When the alerts of these tests began to fire.
const STARTED: &str = "2026-01-02T03:04:05Z";

/// A configuration with one receiver, to which everything goes: `email` is its one integration, in YAML's flow style.
fn config(server: SocketAddr, email: &str) -> String {
    CONFIG.replace("{smarthost}", &server.to_string()).replace("{email}", email)
}

/// No TLS, and nobody told of a second flush by itself.
const CONFIG: &str = "
global: {smtp_smarthost: '{smarthost}', smtp_from: watch@example.org, smtp_require_tls: false}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: team
    email_configs: [{email}]
";

/// A router that tells by mail.
fn router(server: SocketAddr, email: &str) -> Server {
    Server::start(Program::Watchbell, &config(server, email))
}

/// An alert that fires, with further labels.
fn alert(name: &str, labels: &[(&str, &str)]) -> Value {
    let mut alert = json!({"labels": {"alertname": name}, "startsAt": STARTED});
    for (label, value) in labels {
        alert["labels"][label] = json!(value);
    }
    alert
}

fn post(router: &Server, alerts: &[Value]) {
    router.client().post("/api/v2/alerts", &json!(alerts)).ok();
}

/// The mails that come of one alert called `Fire` to a receiver with these settings, once `count` have come.
fn told(postfix: &Postfix, email: &str, count: usize) -> Vec<Mail> {
    let router = router(postfix.address(), email);
    post(&router, &[alert("Fire", &[])]);
    postfix.wait_for(count)
}

/// A counter or gauge of the router's; 0 if it is not there.
fn metric(router: &Server, series: &str) -> f64 {
    let metrics = router.client().get("/metrics").ok().text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}
