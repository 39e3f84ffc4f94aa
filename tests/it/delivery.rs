//! The main job, end to end: the real Prometheus notices, the router tells.

use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::thread;

use crate::harness::address;
use crate::harness::http::{read_headers, read_line};
use crate::harness::prometheus::Prometheus;
use crate::harness::server::{Program, Server};
use crate::harness::sink::{NOTED, Sink};
use crate::harness::wait::{eventually, seen_within};

#[test]
fn prometheus_is_heard_through_alertmanager() {
    a_missing_target_is_told_and_its_return_too(Program::Alertmanager);
}

#[test]
fn prometheus_is_heard_through_watchbell() {
    a_missing_target_is_told_and_its_return_too(Program::Watchbell);
}

/// A rule fires on a target's absence; the router is reloaded and restarted meanwhile; the target appears. The receiver
/// hears "firing" once and "resolved" once.
fn a_missing_target_is_told_and_its_return_too(program: Program) {
    let sink = Sink::start();
    let config = CONFIG.replace("{url}", &sink.url("team"));
    let mut router = Server::start(program, &config);
    let target = address::reserve();
    let _prometheus = Prometheus::watch(target, router.address);

    let first = &sink.wait_for("team", 1)[0];
    assert_eq!(first.text("status"), "firing");
    assert_eq!(first.text("groupKey"), r#"{}:{alertname="TargetMissing"}"#);
    let alert = &first.body["alerts"][0];
    assert_eq!(alert["labels"]["instance"], target.to_string());
    assert_eq!(alert["labels"]["site"], "harbour");
    assert_eq!(alert["annotations"]["summary"], "lighthouse does not answer");
    assert_eq!(alert["endsAt"], "0001-01-01T00:00:00Z", "a firing alert has no end");

    // Alertmanager tells again what a reload cuts off before it was noted.
    eventually("it is answered", || sink.at("team")[0].accepted().then_some(()));
    seen_within(NOTED, || None::<()>);
    router.reload(&config.replace("group_interval: 1s", "group_interval: 900ms")).ok();
    assert!(router.stop().success());
    router.launch();
    answer_scrapes(TcpListener::bind(target).expect("the target's address is free"));

    let told = sink.wait_for("team", 2);
    let states: Vec<_> = told.iter().map(|delivery| delivery.text("status")).collect();
    assert_eq!(states, ["firing", "resolved"]);
}

/// A target with no metrics at all: enough for `up` to be 1.
fn answer_scrapes(listener: TcpListener) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The request is read to its end, as an answer on top of unread bytes can be lost. A scraper that goes away
            // is none of the target's business.
            let mut reader = BufReader::new(&stream);
            let _ = read_line(&mut reader).and_then(|_| read_headers(&mut reader));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
}

const CONFIG: &str = "
route:
  receiver: team
  group_by: [alertname]
  group_wait: 300ms
  group_interval: 1s
receivers:
  - name: team
    webhook_configs: [{url: '{url}'}]
";
