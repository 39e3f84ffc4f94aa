//! The metrics, as Prometheus and Alertmanager's dashboards read them.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::process::cannot_start;
use crate::harness::server::{Program, Server};
use crate::harness::sink::Sink;
use crate::harness::wait::eventually;

/// Metrics of 0.25 that 0.34 has no more, and so Watchbell has not.
const GONE: [&str; 1] = ["alertmanager_marked_alerts"];

#[test]
fn every_metric_of_alertmanager_is_there_with_its_type() {
    let [measure, subject] = [Program::Alertmanager, Program::Watchbell].map(|program| families(&busy(program)));
    let missing: Vec<_> =
        measure.difference(&subject).filter(|family| !GONE.iter().any(|gone| family.contains(gone))).collect();
    assert!(measure.len() > 30, "{measure:#?}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn prometheus_can_read_the_metrics() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let complaints = promtool(&busy(program));
        assert!(!complaints.contains("error while linting"), "{program:?}: {complaints}");
    }
}

/// Some clients refuse to work, or end, if this is not a version of at least 0.22.0.
#[test]
fn the_version_is_one_that_clients_accept() {
    let metrics = busy(Program::Watchbell);
    let line = metrics.lines().find(|line| line.starts_with("alertmanager_build_info{")).expect("a build_info");
    let version = line.split("version=\"").last().and_then(|rest| rest.split('"').next()).expect("a version");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert!(parts.len() == 3 && parts >= vec![0, 22, 0], "{version}");
}

#[test]
fn what_has_happened_is_counted() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let metrics = busy(program);
        for line in [
            r#"alertmanager_alerts_received_total{status="firing",version="v2"} 2"#,
            r#"alertmanager_alerts_invalid_total{version="v2"} 1"#,
            r#"alertmanager_notifications_total{integration="webhook"} 1"#,
            r#"alertmanager_notification_requests_total{integration="webhook"} 1"#,
            r#"alertmanager_silences{state="active"} 1"#,
            r#"alertmanager_alerts{state="active"} 1"#,
            "alertmanager_config_last_reload_successful 1",
            "alertmanager_cluster_enabled 0",
        ] {
            assert!(metrics.lines().any(|shown| shown == line), "{program:?} has no {line}:\n{metrics}");
        }
    }
}

/// The metrics of a router that has been sent a good and a bad alert and a silence, and has told a receiver.
fn busy(program: Program) -> String {
    let sink = Sink::start();
    let server = Server::start(program, &CONFIG.replace("{url}", &sink.url("team")));
    let client = server.client();
    let alerts = json!([
        {"labels": {"alertname": "Fire"}},
        {"labels": {"alertname": "Backwards"}, "startsAt": "2099-01-02T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"},
    ]);
    assert_eq!(client.post("/api/v2/alerts", &alerts).status, 400);
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Flood", "isRegex": false}], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z", "createdBy": "the test", "comment": "",
    });
    client.post("/api/v2/silences", &silence).ok();
    sink.wait_for("team", 1);
    // Last of all what is counted once the receiver's answer is read.
    eventually("the notification is counted", || {
        let metrics = client.get("/metrics").ok().text();
        metrics.contains("alertmanager_notification_requests_total{integration=\"webhook\"} 1").then_some(metrics)
    })
}

/// The families with their types, as in `alertmanager_alerts gauge`; those of the language's runtime are left out.
fn families(metrics: &str) -> BTreeSet<String> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter(|family| family.starts_with("alertmanager_")).map(str::to_owned).collect()
}

/// What promtool says of the metrics; remarks on style are not errors.
fn promtool(metrics: &str) -> String {
    let mut command = Command::new("/usr/bin/promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}", cannot_start(&command, "prometheus", &error)));
    child.stdin.take().expect("stdin is piped").write_all(metrics.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

const CONFIG: &str = "
route: {receiver: team, group_by: [alertname], group_wait: 100ms}
receivers:
  - name: team
    webhook_configs: [{url: '{url}'}]
";
