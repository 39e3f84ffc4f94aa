//! Groups: who shares a notification, when it is sent and when it is sent again.

use super::script::{Alert, History};

/// One receiver, groups by name, timers short enough for a test.
pub(super) const TEAM: &str = "
route: {receiver: team, group_by: [alertname], group_wait: 500ms, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: team
    webhook_configs: [{url: '{sink}/team'}]
";

pub(super) fn histories() -> Vec<History> {
    [sharing(), timing(), ends(), bodies()].into_iter().flatten().collect()
}

/// Who shares a notification.
fn sharing() -> Vec<History> {
    vec![
        History::new("an alert fires and resolves", TEAM)
            .fire("alertname=Fire instance=1")
            .get("/api/v2/alerts")
            .told("team", 1)
            .get("/api/v2/alerts/groups")
            .resolve("alertname=Fire instance=1")
            .get("/api/v2/alerts")
            .told("team", 2)
            .quiet()
            .get("/api/v2/alerts/groups"),
        History::new("alerts of one name share a notification", TEAM)
            .fire_all(&["alertname=Fire instance=2", "alertname=Fire instance=1", "alertname=Fire job=z instance=3"])
            .told("team", 1)
            .resolve("alertname=Fire instance=2")
            .told("team", 2)
            .resolve_all(&["alertname=Fire instance=1", "alertname=Fire job=z instance=3"])
            .told("team", 3)
            .quiet(),
        History::new("an alert joins a group that has been told", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .fire("alertname=Fire instance=2")
            .told("team", 2)
            .quiet()
            .get("/api/v2/alerts/groups"),
        History::new("alerts of two names are two groups", TEAM)
            .fire_all(&["alertname=Fire instance=1", "alertname=Flood instance=1"])
            .told("team", 2)
            .resolve("alertname=Fire instance=1")
            .told("team", 3)
            .quiet(),
        History::new("an alert without a grouping label", &TEAM.replace("[alertname]", "[alertname, cluster]"))
            .fire_all(&["alertname=Fire", "alertname=Fire cluster=x", "cluster=x instance=1"])
            .told("team", 3)
            .get("/api/v2/alerts/groups"),
        History::new("grouping by all labels", &TEAM.replace("[alertname]", "['...']"))
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 2)
            .resolve("alertname=Fire instance=1")
            .told("team", 3)
            .get("/api/v2/alerts/groups"),
        History::new("no grouping at all", &TEAM.replace("group_by: [alertname], ", ""))
            .fire_all(&["alertname=Fire instance=1", "alertname=Flood site=2"])
            .told("team", 1)
            .get("/api/v2/alerts/groups"),
    ]
}

/// When a group is told, and told again.
fn timing() -> Vec<History> {
    vec![
        History::new("an old alert does not wait", &TEAM.replace("group_wait: 500ms", "group_wait: 1h"))
            .fire_with(Alert { age_seconds: 7200, ..Alert::new("alertname=Fire") })
            .told("team", 1)
            .quiet(),
        History::new(
            "what resolves within the group wait is not told",
            &TEAM.replace("group_wait: 500ms", "group_wait: 4s"),
        )
        .fire("alertname=Fire instance=1")
        .resolve("alertname=Fire instance=1")
        .quiet()
        .quiet()
        .get("/api/v2/alerts"),
        History::new("an alert resolves and fires again", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .resolve("alertname=Fire instance=1")
            .told("team", 2)
            .fire("alertname=Fire instance=1")
            .told("team", 3)
            .quiet(),
        History::new(
            "a resolve is taken back before it is told",
            &TEAM.replace("group_interval: 1s", "group_interval: 6s"),
        )
        .fire("alertname=Fire instance=1")
        .told("team", 1)
        .resolve("alertname=Fire instance=1")
        .fire("alertname=Fire instance=1")
        .quiet()
        .quiet()
        .quiet()
        .get("/api/v2/alerts"),
        History::new("resolved alone is not told to those who do not want it", &with_webhook("send_resolved: false"))
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .resolve("alertname=Fire instance=1")
            .quiet()
            .fire("alertname=Fire instance=1")
            .told("team", 2),
        History::new("resolved is left out for those who do not want it", &with_webhook("send_resolved: false"))
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 1)
            .resolve("alertname=Fire instance=1")
            .quiet()
            .fire("alertname=Fire instance=3")
            .told("team", 2),
        History::new("only so many alerts in a notification", &with_webhook("max_alerts: 1"))
            .fire_all(&["alertname=Fire instance=2", "alertname=Fire instance=1"])
            .told("team", 1),
        History::new("the repeat interval", &TEAM.replace("repeat_interval: 1h", "repeat_interval: 5s"))
            .fire("alertname=Fire instance=1")
            .told("team", 2)
            .resolve("alertname=Fire instance=1")
            .told("team", 3)
            .quiet(),
    ]
}

/// Ends that nobody reports.
fn ends() -> Vec<History> {
    vec![
        History::new("a resolve timeout", &format!("global: {{resolve_timeout: 8s}}{TEAM}"))
            .fire("alertname=Fire instance=1")
            .told("team", 2)
            .quiet()
            .get("/api/v2/alerts"),
        History::new("an end that comes by itself", TEAM)
            .fire_with(Alert { ends_in: Some(8), ..Alert::new("alertname=Fire") })
            .told("team", 2)
            .quiet(),
        History::new("an end that is put off", TEAM)
            .fire_with(Alert { ends_in: Some(6), ..Alert::new("alertname=Fire") })
            .told("team", 1)
            .fire_with(Alert { ends_in: Some(300), ..Alert::new("alertname=Fire") })
            .quiet()
            .quiet()
            .quiet()
            .get("/api/v2/alerts"),
    ]
}

/// What is in a notification.
fn bodies() -> Vec<History> {
    vec![
        History::new("annotations change without a notification", TEAM)
            .fire_with(Alert { annotations: "summary=smoke", ..Alert::new("alertname=Fire") })
            .told("team", 1)
            .fire_with(Alert { annotations: "summary=flames runbook=12", ..Alert::new("alertname=Fire") })
            .quiet()
            .get("/api/v2/alerts")
            .resolve("alertname=Fire")
            .told("team", 2),
        History::new("what all alerts of a group share", TEAM)
            .fire_all(&["alertname=Fire site=a deck=1", "alertname=Fire site=a deck=2", "alertname=Fire site=a"])
            .told("team", 1),
        History::new("a receiver with two webhooks", TWO_WEBHOOKS)
            .fire("alertname=Fire instance=1")
            .told("one", 1)
            .told("two", 1)
            .resolve("alertname=Fire instance=1")
            .told("one", 2)
            .quiet(),
        History::new(
            "a receiver with nothing to tell by",
            "route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]",
        )
        .fire("alertname=Fire")
        .quiet()
        .get("/api/v2/alerts/groups"),
    ]
}

fn with_webhook(option: &str) -> String {
    TEAM.replace("'{sink}/team'", &format!("'{{sink}}/team', {option}"))
}

const TWO_WEBHOOKS: &str = "
route: {receiver: both, group_by: [alertname], group_wait: 500ms, group_interval: 1s}
receivers:
  - name: both
    webhook_configs: [{url: '{sink}/one'}, {url: '{sink}/two', send_resolved: false}]
";
