//! What the tests change in the files of `config/ha`: times, so that nobody waits for minutes; where secrets are; where
//! GitLab is, as the stand-in speaks no TLS and has a port of its own. Nothing else.

use std::fs;
use std::path::Path;

use super::shipped::{shipped, text};

/// Of `prometheus/primary.yml` and `secondary.yml`.
const SERVERS: [(&str, &str); 6] = [
    ("remote_timeout: 5s", "remote_timeout: 500ms"),
    ("timeout: 5s", "timeout: 2s"),
    ("scrape_interval: 15s", "scrape_interval: 2s"),
    ("scrape_interval: 30s", "scrape_interval: 3s"),
    ("scrape_timeout: 10s", "scrape_timeout: 2s"),
    ("evaluation_interval: 15s", "evaluation_interval: 1s"),
];

/// Of the rules.
const RULES: [(&str, &str); 7] = [
    ("keep_firing_for: 2m", "keep_firing_for: 12s"),
    ("for: 2m", "for: 8s"),
    ("[5m]", "[15s]"),
    ("for: 1m", "for: 4s"),
    ("for: 5m", "for: 18s"),
    ("for: 10m", "for: 30s"),
    ("for: 1h", "for: 4m"),
];

/// Of `watchbell.yml`.
const ROUTER: [(&str, &str); 6] = [
    ("within: 5m", "within: 40s"),
    ("for: 1m", "for: 10s"),
    ("interval: 1m", "interval: 3s"),
    ("group_wait: 30s", "group_wait: 4s"),
    ("group_interval: 5m", "group_interval: 10s"),
    ("/etc/watchbell/", "{dir}/"),
];

/// Flags that are not in `config/ha`: where defaults are too long to wait for, and for a log that says whom a router tells.
pub(super) const PROMETHEUS_FLAGS: [&str; 1] = ["--rules.alert.resend-delay=10s"];
pub(super) const ROUTER_FLAGS: [&str; 2] = ["--cluster.reconnect-interval=1s", "--log.level=debug"];

/// Writes what belongs into `/etc/prometheus` into this directory.
pub(super) fn write_prometheus(dir: &Path) {
    for folder in ["rules", "targets"] {
        fs::create_dir_all(dir.join(folder)).expect("a directory can be made");
    }
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("a file can be written");
    let mut applied = Applied::default();
    for name in ["primary.yml", "secondary.yml"] {
        write(name, &applied.to(&text(&format!("prometheus/{name}")), &SERVERS));
    }
    for name in ["rules/hosts.yml", "rules/pair.yml"] {
        write(name, &applied.to(&text(&format!("prometheus/{name}")), &RULES));
    }
    applied.check(SERVERS.iter().chain(&RULES));
    write("blackbox.yml", &text("prometheus/blackbox.yml"));
    for entry in fs::read_dir(shipped("prometheus/targets")).expect("the targets can be read") {
        let name = format!("targets/{}", entry.expect("the targets can be read").file_name().display());
        write(&name, &text(&format!("prometheus/{name}")));
    }
}

/// The routers' configuration, with secrets in this directory and GitLab at this URL.
pub(super) fn router(secrets: &Path, gitlab: &str) -> String {
    let mut applied = Applied::default();
    let gitlab = ("https://gitlab.example.org/api/v4/", gitlab);
    let config = applied.to(&text("watchbell/watchbell.yml"), &ROUTER);
    let config = applied.to(&config, &[gitlab]);
    applied.check(ROUTER.iter().chain([&gitlab]));
    config.replace("{dir}", &secrets.display().to_string())
}

/// Which replacements had something to replace.
#[derive(Default)]
struct Applied(Vec<String>);

impl Applied {
    fn to(&mut self, text: &str, replacements: &[(&str, &str)]) -> String {
        replacements.iter().fold(text.to_owned(), |text, (from, to)| {
            if text.contains(from) {
                self.0.push((*from).to_owned());
            }
            text.replace(from, to)
        })
    }

    /// Fails for one that had nothing to replace: the shipped files have changed.
    fn check<'a>(&self, replacements: impl Iterator<Item = &'a (&'a str, &'a str)>) {
        for (from, _) in replacements {
            assert!(self.0.iter().any(|applied| applied == from), "no {from:?} in the shipped files");
        }
    }
}
