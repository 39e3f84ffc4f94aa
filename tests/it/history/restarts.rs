//! Reloads and restarts: nothing is told twice and nothing is forgotten. After a restart the sender repeats what still
//! fires, as Prometheus does.

use super::grouping::TEAM;
use super::script::History;

pub(super) fn histories() -> Vec<History> {
    [reloads(), restarts()].into_iter().flatten().collect()
}

/// The configuration is read again.
fn reloads() -> Vec<History> {
    vec![
        History::new("a reload tells nothing again", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .reload(TEAM)
            .quiet()
            .get("/api/v2/alerts")
            .get("/api/v2/alerts/groups")
            .resolve("alertname=Fire instance=1")
            .told("team", 2),
        History::new("a reload to another receiver", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .reload(&TEAM.replace("team", "crew"))
            .told("crew", 1)
            .quiet()
            .get("/api/v2/receivers")
            .get("/api/v2/alerts"),
        History::new("a reload to another grouping", TEAM)
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 1)
            .reload(&TEAM.replace("[alertname]", "[instance]"))
            .told("team", 3)
            .quiet(),
        History::new("a reload of what cannot be read", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .reload("route: {receiver: nobody}\n")
            .fire("alertname=Flood instance=1")
            .told("team", 2)
            .quiet(),
        History::new("a reload keeps silences", TEAM)
            .silence("hush", "alertname=Fire")
            .fire("alertname=Fire instance=1")
            .reload(TEAM)
            .quiet()
            .expire("hush")
            .told("team", 1),
        History::new("a reload within the group wait", &TEAM.replace("group_wait: 500ms", "group_wait: 10s"))
            .fire("alertname=Fire instance=1")
            .reload(&TEAM.replace("group_wait: 500ms", "group_wait: 10s"))
            .told("team", 1)
            .quiet(),
    ]
}

/// The program is stopped and started again.
fn restarts() -> Vec<History> {
    vec![
        History::new("a restart tells nothing again", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .restart()
            .fire("alertname=Fire instance=1")
            .quiet()
            .get("/api/v2/alerts")
            .get("/api/v2/alerts/groups"),
        History::new("what resolves after a restart is told", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .restart()
            .fire("alertname=Fire instance=1")
            .resolve("alertname=Fire instance=1")
            .told("team", 2)
            .quiet(),
        History::new("a restart keeps silences", TEAM)
            .silence("hush", "alertname=Fire")
            .silence("gone", "alertname=Flood")
            .expire("gone")
            .restart()
            .get("/api/v2/silences")
            .fire_all(&["alertname=Fire instance=1", "alertname=Flood instance=1"])
            .told("team", 1)
            .quiet()
            .expire("hush")
            .told("team", 2),
        History::new("an alert that comes after a restart", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .restart()
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 2)
            .quiet(),
    ]
}
