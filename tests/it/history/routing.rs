//! Routes: which receivers hear of which alert, and in which groups.

use serde_json::json;

use super::script::History;

pub(super) fn histories() -> Vec<History> {
    [matching(), branching()].into_iter().flatten().collect()
}

/// Which route takes an alert.
fn matching() -> Vec<History> {
    vec![
        History::new("the first matching route takes the alert", &tree(&[
            "{matchers: ['severity=page'], receiver: pager}",
            "{matchers: ['alertname=~\"Fire|Flood\"'], receiver: team}",
        ]))
        .fire_all(&["alertname=Fire severity=page", "alertname=Flood severity=warning", "alertname=Other"])
        .told("pager", 1)
        .told("team", 1)
        .told("fallback", 1)
        .quiet()
        .get("/api/v2/alerts")
        .get("/api/v2/alerts/groups"),
        History::new("a route that goes on", &tree(&[
            "{matchers: ['severity=page'], receiver: pager, continue: true}",
            "{matchers: ['alertname=Fire'], receiver: team}",
        ]))
        .fire_all(&["alertname=Fire severity=page", "alertname=Flood severity=page"])
        .told("pager", 2)
        .told("team", 1)
        .quiet()
        .get("/api/v2/alerts/groups"),
        History::new("a parent stands in when no child matches", &tree(&[
            "{matchers: ['site=harbour'], receiver: team, routes: [{matchers: ['severity=page'], receiver: pager}]}",
        ]))
        .fire_all(&["alertname=Fire site=harbour severity=page", "alertname=Fire site=harbour", "alertname=Fire"])
        .told("pager", 1)
        .told("team", 1)
        .told("fallback", 1)
        .get("/api/v2/alerts"),
        History::new("regular expressions match the whole value", &tree(&[
            "{matchers: ['site=~\"harb|dock\"'], receiver: team}",
        ]))
        .fire_all(&["alertname=Fire site=harbour", "alertname=Fire site=dock"])
        .told("team", 1)
        .told("fallback", 1)
        .get("/api/v2/alerts/groups"),
        History::new("a missing label is an empty one", &tree(&[
            "{matchers: ['site!=harbour'], receiver: pager}",
            "{matchers: ['severity!~\"page|warning\"'], receiver: team}",
        ]))
        .fire_all(&["alertname=Fire", "alertname=Fire site=harbour", "alertname=Fire site=harbour severity=page"])
        .told("pager", 1)
        .told("team", 1)
        .told("fallback", 1),
        History::new("several matchers in one text", &tree(&[
            "{matchers: ['{site=\"harbour\", severity=~\"page\"}'], receiver: team}",
        ]))
        .fire_all(&["alertname=Fire site=harbour severity=page", "alertname=Flood site=harbour"])
        .told("team", 1)
        .told("fallback", 1),
        History::new("the old keys for matchers", &tree(&[
            "{match: {site: harbour}, match_re: {severity: 'pa.*'}, receiver: team}",
        ]))
        .fire_all(&["alertname=Fire site=harbour severity=page", "alertname=Flood site=harbour"])
        .told("team", 1)
        .told("fallback", 1)
        .get("/api/v2/alerts/groups"),
    ]
}

/// What a route hands on to others.
fn branching() -> Vec<History> {
    vec![
        History::new("two routes to one receiver", &tree(&[
            "{matchers: ['severity=page'], receiver: team, continue: true}",
            "{matchers: ['site=harbour'], receiver: team}",
        ]))
        .fire("alertname=Fire severity=page site=harbour")
        .told("team", 2)
        .quiet()
        .get("/api/v2/alerts")
        .get("/api/v2/alerts/groups"),
        History::new("a route with a grouping of its own", &tree(&[
            "{matchers: ['site=harbour'], receiver: team, group_by: [site, deck]}",
        ]))
        .fire_all(&["alertname=Fire site=harbour", "alertname=Flood site=harbour", "alertname=Flood site=harbour deck=2"])
        .told("team", 2)
        .quiet()
        .get("/api/v2/alerts/groups"),
        History::new("a route that takes the grouping away", &tree(&[
            "{matchers: ['site=harbour'], receiver: team, group_by: []}",
        ]))
        .fire("alertname=Fire site=harbour")
        .told("team", 1),
        History::new("a receiver's name with letters that mean something", &tree(&[]).replace("fallback", "team.a+b"))
            .fire("alertname=Fire")
            .told("team.a+b", 1)
            .get("/api/v2/alerts?receiver=team.a%2Bb")
            .get("/api/v2/alerts?receiver=team%5C.a%5C%2Bb"),
        History::new("values that need quoting", &tree(&["{matchers: ['site=\"a\\\"b\"'], receiver: team}"]))
            .post("/api/v2/alerts", &json!([
                {"labels": {"alertname": "q\"uo\\te\n\u{e9}\u{1F514}", "site": "a\"b"}, "annotations": {"x": "<a href=\"&\">"}},
                {"labels": {"alertname": "tab\there\u{7f}", "site": "b"}},
            ]))
            .told("team", 1)
            .told("fallback", 1)
            .get("/api/v2/alerts"),
    ]
}

/// A root that tells `fallback` and has these child routes.
fn tree(routes: &[&str]) -> String {
    format!(
        "
route:
  receiver: fallback
  group_by: [alertname]
  group_wait: 500ms
  group_interval: 1s
  routes: [{}]
receivers:
  - name: fallback
    webhook_configs: [{{url: '{{sink}}/fallback'}}]
  - name: team
    webhook_configs: [{{url: '{{sink}}/team'}}]
  - name: pager
    webhook_configs: [{{url: '{{sink}}/pager'}}]
",
        routes.join(", ")
    )
}
