//! Reads: what the API shows of alerts and groups, filtered in every way there is.

use serde_json::json;

use super::script::History;

pub(super) fn histories() -> Vec<History> {
    [filtered(), posted()].into_iter().flatten().collect()
}

/// What is left of a stocked router by each parameter.
fn filtered() -> Vec<History> {
    vec![
        stocked("alerts by filter")
            .get("/api/v2/alerts")
            .get("/api/v2/alerts?filter=alertname%3DFire")
            .get("/api/v2/alerts?filter=alertname%3D%22Fire%22&filter=site%3Ddock")
            .get("/api/v2/alerts?filter=site%3D~%22d.*%7Charbour%22")
            .get("/api/v2/alerts?filter=site%3D~%22dock%22")
            .get("/api/v2/alerts?filter=site!%3D%22%22")
            .get("/api/v2/alerts?filter=site%3D%22%22")
            .get("/api/v2/alerts?filter=site!~%22d.*%22")
            .get("/api/v2/alerts?filter=nothing%3Dsuch"),
        stocked("alerts by state")
            .get("/api/v2/alerts?active=false")
            .get("/api/v2/alerts?silenced=false")
            .get("/api/v2/alerts?inhibited=false")
            .get("/api/v2/alerts?silenced=false&inhibited=false")
            .get("/api/v2/alerts?active=false&silenced=false&inhibited=false")
            .get("/api/v2/alerts?active=TRUE&silenced=no&inhibited=")
            .get("/api/v2/alerts?unprocessed=false"),
        stocked("alerts by receiver")
            .get("/api/v2/alerts?receiver=team")
            .get("/api/v2/alerts?receiver=te")
            .get("/api/v2/alerts?receiver=te.*%7Cfall.*")
            .get("/api/v2/alerts?receiver=nobody")
            .get("/api/v2/alerts?receiver=%5B"),
        stocked("groups by filter, state and receiver")
            .get("/api/v2/alerts/groups")
            .get("/api/v2/alerts/groups?filter=site%3Ddock")
            .get("/api/v2/alerts/groups?active=false")
            .get("/api/v2/alerts/groups?silenced=false")
            .get("/api/v2/alerts/groups?inhibited=false")
            .get("/api/v2/alerts/groups?receiver=team")
            .get("/api/v2/alerts/groups?receiver=(")
            .get("/api/v2/alerts/groups?filter=bad%7B"),
    ]
}

/// What is shown of what was posted.
fn posted() -> Vec<History> {
    vec![
        History::new("an order of groups and of alerts in them", &STOCK.replace("[alertname]", "[alertname, site, deck]"))
            .fire_all(&[
                "alertname=Zebra",
                "alertname=Fire site=dock",
                "alertname=Fire deck=1",
                "site=dock",
                "alertname=Fire site=dock deck=1",
                "alertname=Fire site=dock job=b instance=1",
                "alertname=Fire site=dock job=a instance=2",
                "alertname=Fire site=dock instance=0",
            ])
            .shows("/api/v2/alerts/groups", "Zebra")
            .get("/api/v2/alerts/groups")
            .get("/api/v2/alerts"),
        History::new("a batch with good and bad alerts", STOCK)
            .post("/api/v2/alerts", &json!([
                {"labels": {"alertname": "Good"}},
                {"labels": {"alertname": "Backwards"}, "startsAt": "{+60}", "endsAt": "{+30}"},
                {"labels": {"empty": ""}},
                {"labels": {"alertname": "AlsoGood", "empty": ""}, "annotations": {"kept": ""}},
            ]))
            .get("/api/v2/alerts"),
        History::new("times given and not given", STOCK)
            .post("/api/v2/alerts", &json!([
                {"labels": {"alertname": "StartOnly"}, "startsAt": "{-60}"},
                {"labels": {"alertname": "EndOnly"}, "endsAt": "{+60}"},
                {"labels": {"alertname": "Both"}, "startsAt": "{-60}", "endsAt": "{+60}"},
                {"labels": {"alertname": "Neither"}},
                {"labels": {"alertname": "Zero"}, "startsAt": "0001-01-01T00:00:00.000Z", "endsAt": "0001-01-01T00:00:00Z"},
                {"labels": {"alertname": "Over"}, "startsAt": "{-60}", "endsAt": "{-30}"},
                {"labels": {"alertname": "Zoned"}, "startsAt": "2026-01-01T00:00:00.123456789+02:00"},
                {"labels": {"alertname": "Bare"}, "startsAt": "2026-01-01T00:00:00"},
                {"labels": {"alertname": "Future"}, "startsAt": "{+60}", "endsAt": "{+90}"},
            ]))
            .get("/api/v2/alerts"),
        History::new("reports of one alert that overlap", STOCK)
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-100}", "endsAt": "{+100}"}]))
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-50}", "endsAt": "{+50}"}]))
            .get("/api/v2/alerts")
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-200}"}]))
            .get("/api/v2/alerts")
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-20}", "endsAt": "{+400}"}]))
            .get("/api/v2/alerts")
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-90}", "endsAt": "{-10}"}]))
            .get("/api/v2/alerts")
            .post("/api/v2/alerts", &json!([{"labels": {"a": "1"}, "startsAt": "{-5}", "endsAt": "{+60}"}]))
            .get("/api/v2/alerts"),
        History::new("receivers in their order, used or not", STOCK).get("/api/v2/receivers"),
    ]
}

/// A history that begins with active, silenced and inhibited alerts at two receivers.
fn stocked(name: &'static str) -> History {
    History::new(name, STOCK)
        .silence("hush", "alertname=Fire site=dock")
        .fire_all(&[
            "alertname=Fire site=dock severity=page",
            "alertname=Fire site=harbour severity=page",
            "alertname=Flood",
            "alertname=Slow severity=warning site=harbour",
        ])
        .shows("/api/v2/alerts/groups", "Slow")
}

const STOCK: &str = "
route:
  receiver: fallback
  group_by: [alertname]
  group_wait: 500ms
  group_interval: 1s
  routes: [{receiver: team, matchers: [severity=page]}]
inhibit_rules: [{source_matchers: [severity=page], target_matchers: [severity=warning], equal: [site]}]
receivers: [{name: unused}, {name: team}, {name: fallback}]
";
