//! The whole pair: two monitoring machines, one that is watched, and those who are told, joined by a network that can be
//! cut. Started from the files of `config/ha`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::machine::{Machine, Place, node_exporter};
use super::shortened;
use super::sinks::{CHANNELS, Sinks};
use crate::cluster::network::{Hosts, Network};
use crate::cluster::nodes::sees;
use crate::email::dovecot::PASSWORD;
use crate::harness::process::Process;
use crate::harness::server::{Program, Server, in_space};
use crate::harness::wait::{eventually_within, seen_within};

/// How long anything may take that takes seconds when nothing else is going on.
pub(super) const LONG: Duration = Duration::from_secs(150);

/// Longer than it takes for a flush of every group to come round, and for Prometheus to repeat everything.
pub(super) const ROUND: Duration = Duration::from_secs(14);

/// The numbers of the machines in the network.
pub(super) const MON1: usize = 1;
pub(super) const MON2: usize = 2;
pub(super) const WEB1: usize = 3;

/// Everything. Processes end before the namespaces that they are in.
pub(super) struct Stage {
    pub(super) machines: [Machine; 2],
    _web: [Process; 2],
    pub(super) sinks: Sinks,
    pub(super) network: Network,
    _hosts: Vec<Hosts>,
    dir: TempDir,
    /// A moment, in seconds since 1970, at which the secondary watched and the primary did not yet.
    pub(super) before_primary: String,
}

impl Stage {
    /// The pair in good health: every target answers both servers, both routers are in all channels and agree.
    pub(super) fn start() -> Self {
        Self::start_with(|config, _| config, &[])
    }

    /// The same; what these rules say is told to the counter as well.
    pub(super) fn start_counting(rules: &str) -> Self {
        Self::start_with(counting, &[("storm.yml", rules)])
    }

    fn start_with(change: impl Fn(String, &Sinks) -> String, rules: &[(&str, &str)]) -> Self {
        let dir =
            tempfile::Builder::new().prefix("watchbell-pair-").tempdir().expect("a temporary directory can be had");
        let network = Network::new(3);
        let sinks = Sinks::start(network.test());
        let hosts = hosts(&network);
        let etc = dir.path().join("etc");
        shortened::write_prometheus(&etc.join("prometheus"));
        for (name, text) in rules {
            fs::write(etc.join("prometheus/rules").join(name), text).expect("rules can be written");
        }
        write_secrets(&etc.join("watchbell"), &sinks.counter.url("heartbeat"));
        let config = change(shortened::router(&etc.join("watchbell"), &gitlab_url(&sinks)), &sinks);
        let web = web(&network.space(WEB1), &sinks, &dir.path().join("web1"));
        let place = |number: usize, name: &'static str, role: &'static str| Place {
            name,
            role,
            space: network.space(number),
            test: network.address(number),
            peers: Network::peer_address(number),
            etc: &etc,
            trusted: sinks.authority(),
            config: &config,
        };
        let mut second = Machine::start(&place(MON2, "mon2", "secondary"), dir.path());
        let before_primary = watched_alone(&mut second);
        let mut first = Machine::start(&place(MON1, "mon1", "primary"), dir.path());
        first.wait_prometheus();
        let machines = [first, second];
        let mut stage = Self { machines, _web: web, sinks, network, _hosts: hosts, dir, before_primary };
        stage.settle();
        stage
    }

    fn settle(&mut self) {
        self.routers_mut().for_each(Server::wait_until_ready);
        self.see_each_other();
        for machine in &self.machines {
            eventually_within(LONG, "every target answers", || {
                let all = machine.query("count(up == 1)").pop()?.1;
                let probes = machine.query("count(probe_success == 1)").pop()?.1;
                (all == "16" && probes == "7").then_some(())
            });
        }
        for channel in CHANNELS {
            ["bell-mon1", "bell-mon2"].iter().for_each(|nick| self.sinks.observer.sees(nick, channel));
        }
        until("both Watchdogs are told", || (self.sinks.said("#watchdog").len() == 2).then_some(()));
    }

    /// Waits until both routers see each other.
    pub(super) fn see_each_other(&self) {
        self.machines.iter().for_each(|machine| sees(&machine.router, &["mon1", "mon2"]));
    }

    pub(super) fn routers_mut(&mut self) -> impl Iterator<Item = &mut Server> {
        self.machines.iter_mut().map(|machine| &mut machine.router)
    }

    /// What the node_exporter of web1 shows among its metrics from now on.
    pub(super) fn show(&self, metrics: &str) {
        let folder = self.dir.path().join("web1");
        fs::write(folder.join("new"), metrics).expect("metrics can be written");
        fs::rename(folder.join("new"), folder.join("shown.prom")).expect("a file can be renamed");
    }

    /// Another file with the same program, as an upgrade puts it in place.
    pub(super) fn upgrade(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::copy(Program::Watchbell.path(), &path).expect("a program can be copied");
        path
    }
}

/// The configuration with one more receiver, by which every notification about web1's own metrics is counted.
fn counting(config: String, sinks: &Sinks) -> String {
    let [routes, receivers] = ["\n  routes:\n", "\nreceivers:\n"];
    assert!(config.contains(routes) && config.contains(receivers), "{config}");
    let route = format!("{routes}    - {{receiver: counter, matchers: [job=node, kind!=\"\"], continue: true}}\n");
    let receiver =
        format!("{receivers}  - {{name: counter, webhook_configs: [{{url: '{}'}}]}}\n", sinks.counter.url("counter"));
    config.replacen(routes, &route, 1).replacen(receivers, &receiver, 1)
}

/// Waits until this is so.
pub(super) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(LONG, what, look)
}

/// Looks on for a while and fails if anything is seen that should not be.
pub(super) fn nothing_more<T: std::fmt::Debug>(look: impl FnMut() -> Option<T>) {
    if let Some(seen) = seen_within(ROUND, look) {
        panic!("there is more than should be: {seen:#?}");
    }
}

/// How many seconds have passed, for the report.
pub(super) fn seconds(since: Instant) -> u64 {
    since.elapsed().as_secs()
}

/// Waits until the secondary has scraped for a while that the primary will know nothing of.
fn watched_alone(machine: &mut Machine) -> String {
    machine.wait_prometheus();
    eventually_within(LONG, "the secondary has scraped itself", || {
        machine.query("up{job='prometheus',node='mon2'} == 1").pop().map(|_| ())
    });
    machine.query("vector(time())").pop().expect("Prometheus knows what time it is").1
}

/// Names as DNS would have them.
fn hosts(network: &Network) -> Vec<Hosts> {
    let [mon1, mon2, web1] = [MON1, MON2, WEB1].map(Network::peer_address);
    let (gateway, test) = (Network::gateway(), network.test());
    // Prometheus looks up what this machine is called, and would wait for a DNS that is not there.
    let this = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let text = format!(
        "127.0.0.1 localhost {this}\n{mon1} mon1.example.org\n{mon2} mon2.example.org\n{web1} web1.example.org www.example.org\n\
         {gateway} gateway.example.org\n{test} irc.example.org mail.example.org gitlab.example.org\n"
    );
    [MON1, MON2, WEB1].iter().map(|number| Hosts::of(&network.space(*number), &text)).collect()
}

fn gitlab_url(sinks: &Sinks) -> String {
    format!("http://gitlab.example.org:{}/api/v4/", sinks.gitlab.address().port())
}

fn write_secrets(dir: &Path, heartbeat: &str) {
    fs::create_dir_all(dir).expect("a directory can be made");
    for (name, secret) in [
        ("smtp-password", PASSWORD),
        ("gitlab-token", "glpat-watchbell"),
        ("heartbeat-url", heartbeat),
        ("cluster.keys", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="),
    ] {
        fs::write(dir.join(name), secret).expect("a secret can be written");
    }
}

/// What is on the machine that is watched: node_exporter and a web server.
fn web(space: &str, sinks: &Sinks, dir: &Path) -> [Process; 2] {
    fs::create_dir_all(dir).expect("a directory can be made");
    let certificate = sinks.certificate("www", "www.example.org");
    let mut server = in_space(space, "/usr/bin/openssl");
    server
        .args(["s_server", "-www", "-accept", "443", "-cert"])
        .arg(&certificate.cert)
        .arg("-key")
        .arg(&certificate.key);
    [node_exporter(space, dir), Process::start(server, &dir.join("www.log"), "openssl")]
}
