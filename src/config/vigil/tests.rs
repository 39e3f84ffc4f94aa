use std::path::Path;
use std::time::Duration;

use super::super::{Config, Options, parse};

const BASE: &str = "route: {receiver: r}\nreceivers: [{name: r}]\n";

fn parsed(text: &str) -> Result<Config, String> {
    parse(&format!("{BASE}{text}"), Path::new("test.yml"), &Options::default()).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    parsed(text).map(|_| ()).unwrap_err().replace("test.yml:", "")
}

#[test]
fn without_a_word_only_dead_peers_are_told_of() {
    let vigil = &parsed("").unwrap().policy.vigil;
    assert!(vigil.expect.is_empty() && vigil.heartbeats.is_empty());
    let rule = vigil.peer_down.as_ref().unwrap();
    assert_eq!(rule.after, Duration::from_secs(60));
    assert_eq!(rule.raises.labels.to_string(), r#"{alertname="WatchbellPeerDown", severity="warning"}"#);
    assert_eq!(rule.raises.annotations.value("summary"), "The Watchbell peer {peer} is down");
    assert!(parsed("peer_down: {enabled: false}").unwrap().policy.vigil.peer_down.is_none());
    assert!(parsed("peer_down:").unwrap().policy.vigil.peer_down.is_some());
}

#[test]
fn a_rule_has_defaults_that_can_be_written_over_and_taken_away() {
    let text = "expect:\n  - {name: a, matchers: ['alertname=\"Watchdog\", prometheus=a']}\n  - name: b\n    \
                matchers: [x=y]\n    within: 10m\n    labels: {alertname: Gone, severity: '', team: infra}\n    \
                annotations: {summary: It is gone}\n";
    let config = parsed(text).unwrap();
    let [a, b] = &config.policy.vigil.expect[..] else { panic!("two rules are expected") };
    assert_eq!((a.within, a.matchers.len()), (Duration::from_secs(300), 2));
    assert_eq!(a.raises.labels.to_string(), r#"{alertname="ExpectedAlertMissing", expect="a", severity="critical"}"#);
    let told = r#"No node of Watchbell has received an alert {alertname="Watchdog",prometheus="a"} for 5m."#;
    assert!(a.raises.annotations.value("description").starts_with(told), "{:?}", a.raises.annotations);
    assert_eq!(b.within, Duration::from_secs(600));
    assert_eq!(b.raises.labels.to_string(), r#"{alertname="Gone", expect="b", team="infra"}"#);
    assert_eq!(b.raises.annotations.value("summary"), "It is gone");
    assert!(config.warnings.is_empty());
    assert!(!config.original.contains("expect"), "clients would not understand it:\n{}", config.original);
}

#[test]
fn a_heartbeat_inherits_how_it_is_sent() {
    let text = "global: {http_config: {follow_redirects: false}}\nexpect: [{name: a, matchers: [x=y]}]\n\
                heartbeats: [{name: h, expect: a, url: 'http://x/hunter2'}]\n";
    let config = parsed(text).unwrap();
    let heartbeat = &config.heartbeats[0];
    assert_eq!(heartbeat.http_config, config.global.http_config);
    assert_eq!((heartbeat.method.as_str(), heartbeat.interval.0), ("GET", Duration::from_secs(60)));
    assert!(!format!("{heartbeat:?}").contains("hunter2"), "the URL is a secret");
    assert_eq!(config.policy.vigil.heartbeats[0].interval, Duration::from_secs(60));
}

#[test]
fn mistakes_are_told_with_their_places() {
    let text = "expect:\n  - {matchers: [x=y]}\n  - {name: a}\n  - {name: a, matchers: ['x='], within: 0s}\n  -\n  \
                - {name: c, matchers: ['='], labels: {alertname: '', expect: '', severity: ''}}\n";
    assert_eq!(
        refused(text),
        "4:5: expect[0]: missing name in expect rule\n\
         5:5: expect[1]: missing matchers: they say which alert is expected\n\
         6:5: expect[2]: expect rule name \"a\" is not unique\n\
         6:41: expect[2].within: within cannot be zero\n\
         7:4: expect[3]: missing rule\n\
         8:5: expect[4]: an alert needs at least one label\n\
         8:26: expect[4].matchers[0]: bad matcher format: ="
    );
    assert_eq!(
        refused("peer_down: {labels: {peer: x}}"),
        "3:28: peer_down.labels.peer: the label \"peer\" is the name of the peer and cannot be set"
    );
}

#[test]
fn heartbeats_that_could_not_be_sent_are_refused() {
    let text = "expect: [{name: main, matchers: [x=y]}]\nheartbeats:\n  - {name: h, expect: man, url: 'http://x/'}\n  \
                - {name: h, expect: main}\n  - {name: i, expect: main, url: 'http://x/', method: PUT}\n  \
                - {name: j, expect: main, url: 'http://x/', interval: 0s}\n  - {name: k, url: 'http://x/'}\n";
    assert_eq!(
        refused(text),
        "5:5: heartbeats[0]: undefined expect rule \"man\" used in heartbeat (did you mean \"main\"?)\n\
         6:5: heartbeats[1]: heartbeat name \"h\" is not unique\n\
         6:5: heartbeats[1]: one of url or url_file must be configured\n\
         7:5: heartbeats[2]: unknown method \"PUT\", must be one of GET, HEAD, POST\n\
         8:5: heartbeats[3]: interval cannot be zero\n\
         9:5: heartbeats[4]: missing `expect`: the name of the rule whose alert must arrive"
    );
}

#[test]
fn a_rule_that_one_lost_request_breaks_is_warned_of() {
    let config = parsed("expect: [{name: a, matchers: [x=y], within: 90s}]").unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert_eq!(config.warnings[0].place.key, "expect[0].within");
}
