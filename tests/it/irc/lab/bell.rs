//! A real Watchbell that speaks on a test's network, and what the tests ask of it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::network::Network;
use super::observer::PATIENCE;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

/// The nick of the router under test. Not longer than ngIRCd allows.
pub(crate) const NICK: &str = "bell";

/// Where alerts go unless a test says otherwise.
pub(crate) const CHANNEL: &str = "#alerts";

/// A configuration with one network and one receiver, in which each key can be set anew.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    server: Vec<String>,
    receiver: Vec<String>,
    route: Vec<String>,
}

impl Config {
    /// Speaks in the clear to this network, so that a proxy can see what is said.
    pub(crate) fn plain(network: &Network) -> Self {
        Self::at(&network.plain.to_string())
    }

    /// Speaks in the clear to this address.
    pub(crate) fn at(address: &str) -> Self {
        let server = [
            &format!("addresses: ['{address}']"),
            "tls: false",
            &format!("nick: {NICK}"),
            "reconnect: {min: 500ms, max: 4s, reset_after: 10s}",
        ];
        let receiver = [
            &format!("to: ['{CHANNEL}']"),
            "rate_limit: {lines: 10000, per: 1h}",
            "message: '{{ template \"says\" . }}'",
        ];
        let route = ["group_by: [group]", "group_wait: 100ms", "group_interval: 5m", "repeat_interval: 4h"];
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Self { server: owned(&server), receiver: owned(&receiver), route: owned(&route) }
    }

    /// Speaks TLS to this network and trusts its authority.
    pub(crate) fn tls(network: &Network) -> Self {
        let authority = network.authority().file();
        Self::at(&network.tls.to_string())
            .server("tls: true")
            .server(&format!("tls_config: {{ca_file: '{}', server_name: irc.test}}", authority.display()))
    }

    /// Sets a key of the network.
    pub(crate) fn server(mut self, line: &str) -> Self {
        set(&mut self.server, line);
        self
    }

    /// Sets a key of the receiver.
    pub(crate) fn receiver(mut self, line: &str) -> Self {
        set(&mut self.receiver, line);
        self
    }

    /// Sets a key of the route.
    pub(crate) fn route(mut self, line: &str) -> Self {
        set(&mut self.route, line);
        self
    }

    /// The message that comes without being asked for.
    pub(crate) fn default_message(mut self) -> Self {
        self.receiver.retain(|line| !line.starts_with("message:"));
        self
    }

    pub(crate) fn text(&self, templates: &str) -> String {
        let list = |lines: &[String], first: &str, rest: &str| {
            let indents = [first].into_iter().chain(std::iter::repeat(rest));
            lines.iter().zip(indents).map(|(line, indent)| format!("{indent}{line}\n")).collect::<String>()
        };
        format!(
            "global:\n  irc_servers:\n    - name: net\n{}templates: ['{templates}']\nroute:\n  receiver: team\n{}\
             receivers:\n  - name: team\n    irc_configs:\n      - server: net\n{}",
            list(&self.server, "      ", "      "),
            list(&self.route, "  ", "  "),
            list(&self.receiver, "        ", "        "),
        )
    }

    /// The router, ready to take alerts; its session with the network may not be up yet.
    pub(crate) fn start(&self) -> Bell {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, flags: &[&str]) -> Bell {
        let flags: Vec<_> = ["--log.level=debug"].iter().chain(flags).copied().collect();
        let mut server = Server::prepare(Program::Watchbell, "", &flags);
        std::fs::write(server.dir().join("irc.tmpl"), TEMPLATES).expect("a template can be written");
        server.write_config(&self.text("irc.tmpl"));
        server.launch();
        Bell { server }
    }
}

/// What the tests' receivers say: one line a group, and exactly the annotation `text` of its first alert.
const TEMPLATES: &str = r#"{{ define "says" }}{{ (index .Alerts 0).Annotations.text }}{{ end }}"#;

fn set(lines: &mut Vec<String>, line: &str) {
    let key = line.split(':').next().unwrap_or_default();
    lines.retain(|old| old.split(':').next() != Some(key));
    lines.push(line.to_owned());
}

/// A running router.
pub(crate) struct Bell {
    pub(crate) server: Server,
}

impl Bell {
    /// Takes a new configuration without a restart.
    pub(crate) fn reload(&self, config: &Config) {
        self.server.reload(&config.text("irc.tmpl")).ok();
    }

    /// Fires one alert in a group of its own, whose message is `text`.
    pub(crate) fn fire(&self, group: &str, text: &str) {
        self.post(&[alert(group, text)]);
    }

    pub(crate) fn post(&self, alerts: &[Value]) {
        self.server.client().post("/api/v2/alerts", &json!(alerts)).ok();
    }

    /// The sum of all samples of a metric whose labels contain each of these texts.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.server.client().get("/metrics").ok().text();
        let samples = metrics.lines().filter(|line| {
            let named = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
            named && labels.iter().all(|label| line.contains(label))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until a metric has at least this value.
    pub(crate) fn wait_metric(&self, name: &str, labels: &[&str], at_least: f64) {
        let what = format!("{name}{labels:?} is at least {at_least}");
        eventually_within(PATIENCE, &what, || (self.metric(name, labels) >= at_least).then_some(()));
    }

    /// Waits until the router says it is in the channel.
    pub(crate) fn wait_joined(&self, channel: &str) {
        self.wait_metric("watchbell_irc_channel_joined", &[&format!("channel=\"{channel}\"")], 1.0);
    }

    /// How many notifications have failed, for whichever reason.
    pub(crate) fn failed(&self) -> f64 {
        self.metric("alertmanager_notification_requests_failed_total", &["integration=\"irc\""])
    }

    /// Waits until at least this many attempts have failed.
    pub(crate) fn wait_failed(&self, count: f64) {
        self.wait_metric("alertmanager_notification_requests_failed_total", &["integration=\"irc\""], count);
    }

    /// Notifications that were told, as the router believes.
    pub(crate) fn told(&self) -> f64 {
        let attempts = self.metric("alertmanager_notification_requests_total", &["integration=\"irc\""]);
        // What fails between the two looks is in the second only.
        (attempts - self.failed()).max(0.0)
    }
}

/// An alert of a group whose message is `text`. It begins when the test says so, as a sender tells all nodes the same.
pub(crate) fn alert(group: &str, text: &str) -> Value {
    static BEGIN: LazyLock<String> = LazyLock::new(|| jiff::Timestamp::now().to_string());
    json!({"labels": {"alertname": "Test", "group": group}, "annotations": {"text": text}, "startsAt": *BEGIN})
}
