//! What is on the disk: it outlives the process, it can be taken over from Alertmanager, and a directory that cannot be
//! trusted is refused.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::filling::{in_seconds, written};
use crate::harness::process::Process;
use crate::harness::server::{Program, Server};
use crate::harness::sink::Sink;
use crate::harness::wait::{eventually, seen_within};

/// Long enough for several flushes, and for a sending to be noted on the disk.
const A_WHILE: Duration = Duration::from_secs(2);

/// What fires goes on firing after a kill, though nobody repeats it; it is not told again, and its end is told.
#[test]
fn alerts_outlive_a_kill() {
    let sink = Sink::start();
    let mut router = Server::start(Program::Watchbell, &config(&sink));
    let alerts: Vec<_> =
        (0..20).map(|number| json!({"labels": {"alertname": "Fire", "instance": number.to_string()}})).collect();
    router.client().post("/api/v2/alerts", &alerts.into()).ok();
    sink.wait_for("team", 1);
    stays_quiet(&sink);
    router.kill();
    router.launch();
    assert_eq!(count(&router, "/api/v2/alerts"), 20);
    eventually("the group is there", || (count(&router, "/api/v2/alerts/groups") == 1).then_some(()));
    stays_quiet(&sink);

    let ended = json!([{"labels": {"alertname": "Fire", "instance": "7"}, "endsAt": written(Timestamp::now())}]);
    router.client().post("/api/v2/alerts", &ended).ok();
    let told = &sink.wait_for("team", 2)[1];
    assert_eq!(told.text("status"), "firing");
    let resolved = told.body["alerts"].as_array().expect("a list").iter().filter(|alert| alert["status"] == "resolved");
    assert_eq!(resolved.map(|alert| alert["labels"]["instance"].clone()).collect::<Vec<_>>(), ["7"]);
}

/// The end of an alert that came while the router was away is told only after its sender had time to repeat it.
#[test]
fn absence_is_not_recovery() {
    let sink = Sink::start();
    let mut router = Server::start(Program::Watchbell, &format!("global: {{resolve_timeout: 15s}}{}", config(&sink)));
    let end = in_seconds(Timestamp::now(), 10);
    let alert = |name: &str, ends_at| json!({"labels": {"alertname": name}, "endsAt": written(ends_at), "startsAt": written(end - Duration::from_secs(20))});
    router.client().post("/api/v2/alerts", &json!([alert("Repeated", end), alert("Over", end)])).ok();
    sink.wait_for("team", 2);
    stays_quiet(&sink);
    router.kill();
    eventually("both have run out", || (Timestamp::now() > end).then_some(()));
    router.launch();
    assert_eq!(count(&router, "/api/v2/alerts"), 2, "they may still fire");
    router.client().post("/api/v2/alerts", &json!([alert("Repeated", in_seconds(end, 600))])).ok();
    let told = &sink.wait_for("team", 3)[2];
    assert_eq!((told.text("status"), &told.body["groupLabels"]["alertname"]), ("resolved", &json!("Over")));
    stays_quiet(&sink);
}

/// An operator moves over: Watchbell starts in Alertmanager's directory, with its silences and its notification log.
#[test]
fn the_state_of_alertmanager_is_taken_over() {
    let sink = Sink::start();
    let mut router = Server::start(Program::Alertmanager, &config(&sink));
    let start = Timestamp::now();
    let alerts = json!([
        {"labels": {"alertname": "Fire"}, "startsAt": written(start)},
        {"labels": {"alertname": "Flood"}, "startsAt": written(start)},
    ]);
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Fl.*", "isRegex": true}, {"name": "site", "value": "dock", "isRegex": false, "isEqual": false}],
        "startsAt": written(start), "endsAt": written(in_seconds(start, 3600)), "createdBy": "me", "comment": "tide",
    });
    let id = router.client().post("/api/v2/silences", &silence).ok().json()["silenceID"].clone();
    router.client().post("/api/v2/alerts", &alerts).ok();
    sink.wait_for("team", 1);
    stays_quiet(&sink);
    let before = router.client().get("/api/v2/silences").ok().json();
    assert!(router.stop().success());

    router.program = Program::Watchbell;
    router.launch();
    assert_eq!(router.client().get("/api/v2/silences").ok().json(), before);
    assert_eq!(before[0]["id"], id);
    router.client().post("/api/v2/alerts", &alerts).ok();
    stays_quiet(&sink);

    router.client().delete(&format!("/api/v2/silence/{}", id.as_str().expect("an id"))).ok();
    let told = sink.wait_for("team", 2);
    assert_eq!(told[1].body["groupLabels"]["alertname"], "Flood");
    router.kill();
    router.launch();
    let after = router.client().get("/api/v2/silences").ok().json();
    assert_eq!(after[0]["status"]["state"], "expired", "Alertmanager's own file does not bring the silence back");
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let sink = Sink::start();
    let router = Server::prepare(Program::Watchbell, &config(&sink), &[]);
    fs::create_dir(router.dir().join("data")).expect("a directory can be made");
    fs::write(router.dir().join("data/holiday.jpg"), "beach").expect("a file can be written");
    refuses(&router, "holiday.jpg");
}

#[test]
fn a_damaged_directory_is_refused() {
    let sink = Sink::start();
    let mut router = Server::start(Program::Watchbell, &config(&sink));
    let silence = json!({
        "matchers": [{"name": "a", "value": "b", "isRegex": false}], "startsAt": written(Timestamp::now()),
        "endsAt": "2099-01-01T00:00:00Z", "createdBy": "me", "comment": "",
    });
    router.client().post("/api/v2/silences", &silence).ok();
    assert!(router.stop().success());
    let journal = router.dir().join("data/watchbell/journal-1");
    let mut bytes = fs::read(&journal).expect("the journal is a file");
    for byte in bytes.iter_mut().step_by(7) {
        *byte ^= 0x5a;
    }
    fs::write(&journal, &bytes).expect("the journal can be damaged");
    refuses(&router, "damaged");
    assert_eq!(fs::read(&journal).expect("it is left in place"), bytes);
}

#[test]
fn a_directory_in_use_is_refused() {
    let sink = Sink::start();
    let router = Server::start(Program::Watchbell, &config(&sink));
    refuses(&router, "another watchbell runs on this directory");
    assert_eq!(router.client().get("/-/healthy").status, 200);
}

/// A second process on this directory ends at once, with a text that holds this and names the directory.
fn refuses(router: &Server, text: &str) {
    let log = router.dir().join("refused.log");
    let mut process = Process::start(router.command(), &log, router.program.package());
    assert_eq!(process.wait().code(), Some(1));
    let said = process.log();
    assert!(said.contains(text) && said.contains(&*router.dir().join("data").to_string_lossy()), "{said}");
}

fn stays_quiet(sink: &Sink) {
    let count = sink.count();
    let heard = seen_within(A_WHILE, || sink.all().into_iter().nth(count));
    assert!(heard.is_none(), "{heard:#?}");
}

fn count(router: &Server, path: &str) -> usize {
    router.client().get(path).ok().json().as_array().expect("a list").len()
}

fn config(sink: &Sink) -> String {
    format!(
        "
route: {{receiver: team, group_by: [alertname], group_wait: 200ms, group_interval: 500ms}}
receivers: [{{name: team, webhook_configs: [{{url: '{}'}}]}}]
",
        sink.url("team")
    )
}
