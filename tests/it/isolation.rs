//! Receivers that hang, fail or refuse: what happens to them happens to nobody else.

use std::time::Duration;

use serde_json::json;

use crate::harness::server::{Program, Server};
use crate::harness::sink::{Answer, Sink};
use crate::harness::wait::{eventually, seen_within};

const BOTH: [Program; 2] = [Program::Alertmanager, Program::Watchbell];

/// Longer than the first pauses between attempts, which are half a second or so.
const SOME_ATTEMPTS: Duration = Duration::from_secs(3);

#[test]
fn a_hanging_receiver_does_not_delay_another() {
    for program in BOTH {
        let sink = Sink::start();
        sink.answer("slow", Answer::Hang);
        let router = Server::start(program, &config(&sink));
        fire(&router, &["a"]);
        sink.wait_for("slow", 1);
        sink.wait_for("fast", 1);
        for (count, name) in (2..).zip(["b", "c", "d"]) {
            fire(&router, &[name]);
            sink.wait_for("fast", count);
        }
        assert!(sink.at("slow").iter().all(|delivery| delivery.answered.is_none()));
    }
}

/// Alertmanager's groups wait for the slowest of a receiver's integrations; Watchbell's do not.
#[test]
fn a_hanging_integration_does_not_delay_its_neighbour() {
    let sink = Sink::start();
    sink.answer("slow", Answer::Hang);
    let router = Server::start(Program::Watchbell, &neighbours(&sink));
    fire(&router, &["a"]);
    sink.wait_for("fast", 1);
    fire(&router, &["b"]);
    let told = sink.wait_for("fast", 2);
    assert_eq!(told[1].body["alerts"].as_array().map(Vec::len), Some(2));

    sink.answer("slow", Answer::Status(200));
    eventually("the slow one knows of both alerts", || {
        let alerts =
            sink.at("slow").iter().map(|delivery| delivery.body["alerts"].as_array().map_or(0, Vec::len)).max();
        (alerts == Some(2)).then_some(())
    });
    assert_eq!(seen_within(SOME_ATTEMPTS, || (sink.at("fast").len() > 2).then_some(())), None, "told again");
}

#[test]
fn a_receiver_that_fails_is_told_when_it_has_recovered() {
    for program in BOTH {
        let sink = Sink::start();
        sink.answer("fast", Answer::Status(503));
        let router = Server::start(program, &config(&sink));
        fire(&router, &["a"]);
        sink.wait_for("fast", 2);
        sink.answer("fast", Answer::Status(200));
        eventually("it has been told", || sink.at("fast").iter().any(|delivery| delivery.accepted()).then_some(()));
        let attempts = sink.at("fast").len();
        let again = seen_within(SOME_ATTEMPTS, || (sink.at("fast").len() > attempts).then_some(()));
        assert_eq!(again, None, "told again after it was told");
    }
}

#[test]
fn a_receiver_that_refuses_is_not_pestered() {
    for program in BOTH {
        let sink = Sink::start();
        sink.answer("fast", Answer::Status(400));
        let router = Server::start(program, &config(&sink).replace("group_interval: 1s", "group_interval: 1m"));
        fire(&router, &["a"]);
        sink.wait_for("fast", 1);
        let again = seen_within(SOME_ATTEMPTS, || (sink.at("fast").len() > 1).then_some(()));
        assert_eq!(again, None, "{program:?} repeats what was refused");
        let failed = r#"alertmanager_notifications_failed_total{integration="webhook""#;
        eventually("the failure is counted", || counted(&router, failed).then_some(()));
    }
}

#[test]
fn a_receiver_that_is_not_there_is_told_when_it_comes() {
    for program in BOTH {
        let gone = crate::harness::address::reserve();
        let sink = Sink::start();
        let router = Server::start(program, &config(&sink).replace(&sink.url("fast"), &format!("http://{gone}/fast")));
        fire(&router, &["a"]);
        sink.wait_for("slow", 1);
        let late = Sink::start_at(gone);
        assert_eq!(late.wait_for("fast", 1)[0].text("status"), "firing");
    }
}

#[test]
fn a_slow_receiver_is_waited_for_and_told_once() {
    for program in BOTH {
        let sink = Sink::start();
        sink.answer("slow", Answer::After(Duration::from_secs(2)));
        let router = Server::start(program, &config(&sink));
        fire(&router, &["a"]);
        eventually("it has answered", || sink.at("slow").first().filter(|delivery| delivery.accepted()).map(drop));
        assert_eq!(seen_within(SOME_ATTEMPTS, || (sink.at("slow").len() > 1).then_some(())), None, "told again");
    }
}

/// Whether the first metric that begins so is above zero.
fn counted(router: &Server, metric: &str) -> bool {
    let metrics = router.client().get("/metrics").ok().text();
    metrics.lines().any(|line| line.starts_with(metric) && !line.ends_with(" 0"))
}

fn fire(router: &Server, instances: &[&str]) {
    let alerts: Vec<_> =
        instances.iter().map(|instance| json!({"labels": {"alertname": "Fire", "instance": instance}})).collect();
    router.client().post("/api/v2/alerts", &alerts.into()).ok();
}

/// Two routes that both take everything.
fn config(sink: &Sink) -> String {
    format!(
        "
route:
  receiver: slow
  group_by: [instance]
  group_wait: 100ms
  group_interval: 1s
  routes:
    - {{receiver: slow, continue: true}}
    - {{receiver: fast}}
receivers:
  - name: slow
    webhook_configs: [{{url: '{}'}}]
  - name: fast
    webhook_configs: [{{url: '{}'}}]
",
        sink.url("slow"),
        sink.url("fast")
    )
}

/// One receiver with two webhooks.
fn neighbours(sink: &Sink) -> String {
    format!(
        "
route: {{receiver: both, group_by: [alertname], group_wait: 100ms, group_interval: 1s}}
receivers: [{{name: both, webhook_configs: [{{url: '{}'}}, {{url: '{}'}}]}}]
",
        sink.url("slow"),
        sink.url("fast")
    )
}
