//! One machine of the pair: a network namespace with Prometheus, the exporters and the router, each with the flags that
//! `config/ha/default` gives it.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::shipped::arguments;
use super::shortened::{PROMETHEUS_FLAGS, ROUTER_FLAGS};
use crate::harness::http::{Client, Request};
use crate::harness::process::Process;
use crate::harness::server::{Program, Server, in_space};
use crate::harness::wait::eventually_within;

/// How long programs may take to come up, on a machine that is busy with many.
const UP: std::time::Duration = std::time::Duration::from_secs(90);

/// Where a machine is and what it has.
pub(super) struct Place<'a> {
    /// `mon1` or `mon2`.
    pub(super) name: &'a str,
    /// `primary` or `secondary`.
    pub(super) role: &'a str,
    pub(super) space: String,
    /// Where the test reaches it, and where the other machines do.
    pub(super) test: IpAddr,
    pub(super) peers: IpAddr,
    /// With the configuration of Prometheus in `prometheus` and the secrets in `watchbell`.
    pub(super) etc: &'a Path,
    /// The authority that its programs trust.
    pub(super) trusted: PathBuf,
    /// The routers' configuration.
    pub(super) config: &'a str,
}

/// A running machine.
pub(super) struct Machine {
    pub(super) router: Server,
    prometheus: Process,
    /// Where Prometheus answers.
    asked: Client,
    _exporters: [Process; 2],
}

impl Machine {
    /// Starts all programs; the router is not awaited, as it waits for the other one.
    pub(super) fn start(place: &Place<'_>, dir: &Path) -> Self {
        let dir = dir.join(place.name);
        fs::create_dir_all(&dir).expect("a directory can be made");
        let blackbox =
            place.command("/usr/bin/prometheus-blackbox-exporter", &["--config.file=blackbox.yml".to_owned()]);
        let exporters = [
            Process::start(blackbox, &dir.join("blackbox.log"), "prometheus-blackbox-exporter"),
            node_exporter(&place.space, &dir),
        ];
        let mut router = place.router();
        router.begin();
        let asked = Client { address: SocketAddr::new(place.test, 9090) };
        let prometheus = Process::start(place.prometheus(&dir), &dir.join("prometheus.log"), "prometheus");
        Self { router, prometheus, asked, _exporters: exporters }
    }

    /// Waits until Prometheus answers.
    pub(super) fn wait_prometheus(&mut self) {
        eventually_within(UP, "Prometheus is ready", || {
            assert!(self.prometheus.ended().is_none(), "it has ended:\n{}", self.prometheus.log());
            self.asked.send(&Request::new("GET", "/-/ready")).ok().filter(|answer| answer.status == 200)
        });
    }

    /// What Prometheus answers to a query: the labels of each series with its last value.
    pub(super) fn query(&self, query: &str) -> Vec<(Value, String)> {
        self.ask(&format!("/api/v1/query?query={}", encoded(query)))
    }

    /// The same as it was at this time, in seconds since 1970.
    pub(super) fn query_at(&self, query: &str, time: &str) -> Vec<(Value, String)> {
        self.ask(&format!("/api/v1/query?query={}&time={time}", encoded(query)))
    }

    fn ask(&self, path: &str) -> Vec<(Value, String)> {
        let answer = self.asked.get(path).ok().json();
        let series = answer["data"]["result"].as_array().expect("a result").iter();
        series.map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap_or_default().to_owned())).collect()
    }
}

impl Place<'_> {
    fn command(&self, program: &str, flags: &[String]) -> Command {
        let mut command = in_space(&self.space, program);
        command.args(flags).current_dir(self.etc.join("prometheus")).env("SSL_CERT_FILE", &self.trusted);
        command
    }

    fn prometheus(&self, dir: &Path) -> Command {
        let data = dir.join("metrics").display().to_string();
        let etc = self.etc.join("prometheus").display().to_string();
        let shipped = arguments(&format!("default/prometheus-{}", self.role)).into_iter();
        let shipped =
            shipped.map(|flag| flag.replace("/etc/prometheus", &etc).replace("/var/lib/prometheus/metrics2", &data));
        let flags: Vec<_> = shipped.chain(PROMETHEUS_FLAGS.map(str::to_owned)).collect();
        self.command("/usr/bin/prometheus", &flags)
    }

    fn router(&self) -> Server {
        let secrets = self.etc.join("watchbell").display().to_string();
        let shipped = arguments("default/watchbell").into_iter().filter(|flag| !flag.starts_with("--config.file"));
        let mut flags: Vec<_> = shipped.map(|flag| flag.replace("/etc/watchbell", &secrets)).collect();
        flags.extend(ROUTER_FLAGS.map(str::to_owned));
        flags.push(format!("--cluster.peer-name={}", self.name));
        // The defaults, which the harness changes, but for the second line by which the test comes in.
        flags.push("--cluster.listen-address=0.0.0.0:9094".to_owned());
        flags.push(format!("--web.listen-address={}:9093", self.peers));
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let mut router = Server::prepare(Program::Watchbell, self.config, &flags);
        router.address = SocketAddr::new(self.test, 9093);
        router.space = Some(self.space.clone());
        router.trusted = Some(self.trusted.clone());
        router
    }
}

/// Debian's node_exporter, which shows nothing but the files `*.prom` in its directory.
pub(super) fn node_exporter(space: &str, dir: &Path) -> Process {
    let mut command = in_space(space, "/usr/bin/prometheus-node-exporter");
    command.args(["--collector.disable-defaults", "--collector.textfile"]);
    command.arg(format!("--collector.textfile.directory={}", dir.display()));
    Process::start(command, &dir.join("node.log"), "prometheus-node-exporter")
}

/// A query as it stands in a URL.
fn encoded(query: &str) -> String {
    let escaped =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    query.bytes().map(escaped).collect()
}
