//! Debian's Prometheus, watching one target and telling one router.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use super::address;
use super::http::{Client, Request};
use super::process::Process;
use super::wait::eventually;

/// A Prometheus that scrapes, evaluates and repeats so often that a test need not wait.
pub(crate) struct Prometheus {
    // Declared before its directory, so that the process is gone when the directory goes.
    _process: Process,
    _dir: TempDir,
}

impl Prometheus {
    /// Watches `target` and raises `TargetMissing` at `router` while it does not answer.
    pub(crate) fn watch(target: SocketAddr, router: SocketAddr) -> Self {
        let dir = TempDir::new().expect("a temporary directory can be had");
        fs::write(dir.path().join("rules.yml"), RULES).expect("the rules can be written");
        let config = CONFIG.replace("{target}", &target.to_string()).replace("{router}", &router.to_string());
        fs::write(dir.path().join("prometheus.yml"), config).expect("the configuration can be written");
        let address = address::reserve();
        let mut process = Process::start(command(&dir, address), &dir.path().join("log"), "prometheus");
        eventually("Prometheus is ready", || {
            assert!(process.ended().is_none(), "Prometheus ended at its start:\n{}", process.log());
            Client { address }.send(&Request::new("GET", "/-/ready")).ok().filter(|response| response.status == 200)
        });
        Self { _process: process, _dir: dir }
    }
}

fn command(dir: &TempDir, address: SocketAddr) -> Command {
    let mut command = Command::new("/usr/bin/prometheus");
    command.current_dir(dir.path()).args([
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--rules.alert.resend-delay=3s",
        &format!("--web.listen-address={address}"),
    ]);
    command
}

const CONFIG: &str = "
global:
  scrape_interval: 500ms
  scrape_timeout: 400ms
  evaluation_interval: 500ms
  external_labels: {site: harbour}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['{router}']}]
scrape_configs:
  - job_name: lighthouse
    static_configs: [{targets: ['{target}']}]
";

const RULES: &str = "
groups:
  - name: presence
    rules:
      - alert: TargetMissing
        expr: up == 0
        labels: {severity: page}
        annotations: {summary: '{{ $labels.job }} does not answer'}
";
