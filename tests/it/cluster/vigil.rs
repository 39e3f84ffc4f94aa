//! What the nodes of a cluster raise themselves: each of them, and it is told once.

use std::time::{Duration, Instant};

use serde_json::json;

use super::audience::Audience;
use super::nodes::{Cluster, LONG, metric, sees};
use crate::harness::sink::Sink;
use crate::harness::wait::{eventually_within, seen_within};

const CONFIG: &str = r#"
route:
  receiver: team
  group_by: [alertname, peer]
  group_wait: 1s
  group_interval: 3s
receivers:
  - {name: team, webhook_configs: [{url: '{url}'}]}
  - {name: nobody}
"#;

/// Longer than two flushes of a group, and than a peer may be away.
const ROUND: Duration = Duration::from_secs(8);

fn told(audience: &Audience) -> Vec<(String, String)> {
    let line = |told: &crate::harness::sink::Delivery| {
        (told.text("status").to_owned(), told.body["groupLabels"]["peer"].as_str().unwrap_or_default().to_owned())
    };
    audience.heard().iter().map(line).collect()
}

fn line(status: &str, peer: &str) -> (String, String) {
    (status.to_owned(), peer.to_owned())
}

#[test]
fn a_peer_that_dies_is_told_of_once_and_so_is_its_return() {
    let audience = Audience(Sink::start());
    let config = format!("{}peer_down: {{for: 3s}}\n", audience.config(CONFIG));
    let mut cluster = Cluster::start(3, &config, &[]);
    // The one that tells as long as it lives.
    cluster.nodes[0].kill();
    audience.each_is_told_once(1);
    assert_eq!(told(&audience), [line("firing", "n1")]);
    assert_eq!(metric(&cluster.nodes[1], "watchbell_peer_down{peer=\"n1\"}"), 1.0);

    // A survivor that is started anew still knows whom it misses; that it was away is its own affair.
    cluster.nodes[1].stop();
    cluster.nodes[1].launch();
    eventually_within(LONG, "n2 misses n1", || {
        (metric(&cluster.nodes[1], "watchbell_peer_down{peer=\"n1\"}") == 1.0).then_some(())
    });
    let more = seen_within(ROUND, || (told(&audience).len() > 1).then(|| told(&audience)));
    assert_eq!(more, None);

    cluster.nodes[0].launch();
    eventually_within(LONG, "its return is told", || (told(&audience).len() >= 2).then_some(()));
    // Who says goodbye is not missed.
    cluster.nodes[2].stop();
    sees(&cluster.nodes[0], &["n1", "n2"]);
    let more = seen_within(ROUND, || (told(&audience).len() > 2).then(|| told(&audience)));
    assert_eq!((told(&audience), more), (vec![line("firing", "n1"), line("resolved", "n1")], None));
}

#[test]
fn what_one_node_receives_no_other_misses_and_what_none_receives_is_told_once() {
    let audience = Audience(Sink::start());
    let expect = "expect: [{name: a, matchers: [alertname=Watchdog], within: 25s}]\n";
    let routed = "  routes: [{matchers: [alertname=Watchdog], receiver: nobody}]\nreceivers:";
    let config = format!("{}{expect}", audience.config(CONFIG).replace("receivers:", routed));
    let cluster = Cluster::start(2, &config, &[]);
    let watchdog = json!([{"labels": {"alertname": "Watchdog"}}]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        cluster.nodes[1].client().post("/api/v2/alerts", &watchdog).ok();
        let missing = |node| metric(node, "watchbell_expected_alert_missing{expect=\"a\"}");
        let seen = seen_within(Duration::from_millis(500), || cluster.nodes.iter().find(|node| missing(node) > 0.0));
        assert!(seen.is_none(), "one node takes for missing what another receives");
    }
    audience.each_is_told_once(1);
    assert_eq!(audience.heard()[0].body["commonLabels"]["alertname"], "ExpectedAlertMissing");
    cluster.nodes[0].client().post("/api/v2/alerts", &watchdog).ok();
    eventually_within(LONG, "its return is told", || (told(&audience).len() >= 2).then_some(()));
    let more = seen_within(ROUND, || (told(&audience).len() > 2).then_some(()));
    assert_eq!((told(&audience), more), (vec![line("firing", ""), line("resolved", "")], None));
}
