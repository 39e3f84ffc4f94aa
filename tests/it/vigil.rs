//! What should happen and does not: an expected alert that stays away, and a heartbeat that says that all is well.

use std::time::Duration;

use serde_json::json;

use crate::cluster::nodes::metric;
use crate::harness::server::{Program, Server};
use crate::harness::sink::{Answer, Sink};
use crate::harness::wait::{eventually, seen_within};

/// Ten seconds without the alert are many, on a busy machine too.
const CONFIG: &str = r#"
route:
  receiver: team
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes: [{matchers: ['alertname="Watchdog"'], receiver: proof, repeat_interval: 1s}]
receivers:
  - {name: team, webhook_configs: [{url: '{team}'}]}
  - {name: proof, webhook_configs: [{url: '{proof}'}]}
expect:
  - {name: prometheus, matchers: ['alertname="Watchdog"'], within: 10s, labels: {team: infra}}
heartbeats:
  - {name: outside, expect: prometheus, url: '{beat}', interval: 500ms, method: POST}
"#;

struct Watched {
    router: Server,
    sink: Sink,
}

impl Watched {
    fn start() -> Self {
        let sink = Sink::start();
        let mut config = CONFIG.to_owned();
        for path in ["team", "proof", "beat"] {
            config = config.replace(&format!("{{{path}}}"), &sink.url(path));
        }
        Self { router: Server::start(Program::Watchbell, &config), sink }
    }

    /// Says that all is well, as Prometheus does all the time.
    fn watchdog(&self) {
        let alerts = json!([{"labels": {"alertname": "Watchdog"}}]);
        self.router.client().post("/api/v2/alerts", &alerts).ok();
    }

    fn beats(&self) -> usize {
        self.sink.at("beat").len()
    }

    /// The heartbeats, when none is on its way any more.
    fn beats_so_far(&self) -> usize {
        seen_within(Duration::from_secs(1), || None::<()>);
        self.beats()
    }

    /// Waits for some more heartbeats while all is well.
    fn beats_on(&self) {
        let before = self.beats();
        eventually("heartbeats are sent", || {
            self.watchdog();
            (self.beats() >= before + 3).then_some(())
        });
    }

    /// What the team was told: status and name.
    fn told(&self) -> Vec<String> {
        let told = self.sink.at("team");
        let line = |status: &str, name: &str| format!("{status} {name}");
        told.iter()
            .map(|told| line(told.text("status"), told.body["commonLabels"]["alertname"].as_str().unwrap_or("?")))
            .collect()
    }

    fn metric(&self, name: &str, label: &str) -> f64 {
        metric(&self.router, &format!("watchbell_{name}{{{label}}}"))
    }
}

#[test]
fn an_alert_that_stays_away_is_told_and_so_is_its_return() {
    let mut stage = Watched::start();
    stage.beats_on();
    assert_eq!(stage.told(), [""; 0]);
    assert!(stage.metric("expected_alert_last_seen_timestamp_seconds", "expect=\"prometheus\"") > 1.6e9);

    let labels = stage.sink.wait_for("team", 1)[0].body["commonLabels"].clone();
    let wanted = json!({
        "alertname": "ExpectedAlertMissing", "expect": "prometheus", "severity": "critical", "team": "infra",
    });
    assert_eq!(labels, wanted);
    assert_eq!(stage.metric("expected_alert_missing", "expect=\"prometheus\""), 1.0);
    let before = stage.beats_so_far();
    let more = seen_within(Duration::from_secs(3), || (stage.beats() > before).then_some(()));
    assert_eq!(more, None, "a heartbeat is sent although nothing is received");

    stage.router.kill();
    stage.router.launch();
    eventually("it is still missing", || {
        (stage.metric("expected_alert_missing", "expect=\"prometheus\"") == 1.0).then_some(())
    });
    stage.beats_on();
    stage.sink.wait_for("team", 2);
    let more = seen_within(Duration::from_secs(3), || {
        stage.watchdog();
        (stage.told().len() > 2).then_some(())
    });
    assert_eq!(
        (stage.told(), more),
        (vec!["firing ExpectedAlertMissing".into(), "resolved ExpectedAlertMissing".into()], None)
    );
    assert_eq!(stage.metric("expected_alert_missing", "expect=\"prometheus\""), 0.0);
}

#[test]
fn a_heartbeat_stops_when_nobody_can_be_told() {
    let stage = Watched::start();
    stage.beats_on();
    stage.sink.answer("proof", Answer::Status(500));
    eventually("the failure is noticed", || {
        stage.watchdog();
        (stage.metric("heartbeat_works", "heartbeat=\"outside\"") == 0.0).then_some(())
    });
    let before = stage.beats_so_far();
    let more = seen_within(Duration::from_secs(3), || {
        stage.watchdog();
        (stage.beats() > before).then_some(())
    });
    assert_eq!(more, None, "a heartbeat is sent although nobody is told");
    assert!(stage.metric("heartbeats_withheld_total", "heartbeat=\"outside\",reason=\"not_told\"") > 0.0);

    stage.sink.answer("proof", Answer::Status(200));
    stage.beats_on();
    stage.sink.answer("beat", Answer::Status(503));
    eventually("refusals are counted", || {
        stage.watchdog();
        (stage.metric("heartbeats_failed_total", "heartbeat=\"outside\"") >= 1.0).then_some(())
    });
    eventually("it is logged", || stage.router.log().contains("The heartbeat was not taken").then_some(()));
}
