//! Silences: what they keep quiet, how they are edited, and what is told when they end.

use serde_json::json;

use super::grouping::TEAM;
use super::script::History;

pub(super) fn histories() -> Vec<History> {
    [hushing(), editing(), reading()].into_iter().flatten().collect()
}

/// What a silence keeps quiet.
fn hushing() -> Vec<History> {
    vec![
        History::new("a silence keeps an alert quiet until it is expired", TEAM)
            .silence("hush", "alertname=Fire")
            .fire("alertname=Fire instance=1")
            .quiet()
            .get("/api/v2/alerts")
            .get("/api/v2/alerts/groups")
            .get("/api/v2/silences")
            .expire("hush")
            .told("team", 1)
            .get("/api/v2/silences")
            .get("/api/v2/alerts"),
        History::new("a silence after the notification", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .silence("hush", "alertname=Fire instance=1")
            .quiet()
            .expire("hush")
            .quiet()
            .resolve("alertname=Fire instance=1")
            .told("team", 2),
        History::new("what resolved while it was silenced", TEAM)
            .fire("alertname=Fire instance=1")
            .told("team", 1)
            .silence("hush", "alertname=Fire instance=1")
            .resolve("alertname=Fire instance=1")
            .quiet()
            .expire("hush")
            .told_by_watchbell("team", 2),
        History::new("a silence that is to come", TEAM)
            .silence_during("later", "instance=2", 8, 600)
            .get("/api/v2/silences")
            .shows("/api/v2/silences", r#""state":"active""#)
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 1)
            .quiet()
            .get("/api/v2/silences"),
        History::new("a silence that ends by itself", TEAM)
            .silence_during("short", "alertname=Fire", 0, 7)
            .fire("alertname=Fire instance=1")
            .quiet()
            .told("team", 1)
            .get("/api/v2/silences")
            .get("/api/v2/alerts"),
        History::new("one of two alerts is silenced", TEAM)
            .silence("hush", "instance=2")
            .fire_all(&["alertname=Fire instance=1", "alertname=Fire instance=2"])
            .told("team", 1)
            .get("/api/v2/alerts/groups")
            .expire("hush")
            .told("team", 2)
            .quiet(),
        History::new("a silence of regular expressions and negations", TEAM)
            .silence("hush", "alertname=~Fi.. site!=harbour deck!~[1-3]")
            .fire_all(&[
                "alertname=Fire site=dock deck=4",
                "alertname=Fire site=harbour deck=4",
                "alertname=Fire site=dock deck=2",
                "alertname=Fires site=dock",
            ])
            .told("team", 2)
            .get("/api/v2/silences")
            .get("/api/v2/alerts"),
    ]
}

/// What an edit keeps, and what it makes anew.
fn editing() -> Vec<History> {
    vec![
        History::new("an edit that keeps the silence", TEAM)
            .silence("hush", "alertname=Fire")
            .silence_during("hush", "alertname=Fire", 0, 1200)
            .get("/api/v2/silences"),
        History::new("an edit that makes another silence", TEAM)
            .silence("hush", "alertname=Fire")
            .silence("hush", "alertname=Flood")
            .get("/api/v2/silences")
            .fire_all(&["alertname=Fire instance=1", "alertname=Flood instance=1"])
            .told("team", 1)
            .quiet(),
        History::new("an edit that only turns the matchers around", TEAM)
            .silence("hush", "alertname=Fire instance=1")
            .silence("hush", "instance=1 alertname=Fire")
            .get("/api/v2/silences"),
        History::new("an edit of an expired silence", TEAM)
            .silence("hush", "alertname=Fire")
            .expire("hush")
            .silence("hush", "alertname=Fire")
            .get("/api/v2/silences"),
        History::new("an edit that ends a silence soon", TEAM)
            .silence("hush", "alertname=Fire")
            .fire("alertname=Fire instance=1")
            .quiet()
            .silence_during("hush", "alertname=Fire", 0, 6)
            .told("team", 1),
        History::new("expiring a silence that is to come, and one that is over", TEAM)
            .silence_during("later", "alertname=Fire", 60, 600)
            .expire("later")
            .expire("later")
            .get("/api/v2/silence/{later}"),
    ]
}

/// What is shown of silences, and what is not taken.
fn reading() -> Vec<History> {
    vec![
        History::new("silences sorted and filtered", TEAM)
            .silence_during("third", "alertname=Fire", 0, 900)
            .silence_during("first", "alertname=Fire site=dock", 0, 300)
            .silence_during("second", "alertname=~Fi.*", 0, 600)
            .silence_during("later", "alertname=Flood", 120, 600)
            .silence_during("soon", "alertname=Flood", 60, 600)
            .silence("gone", "alertname=Fire")
            .expire("gone")
            .get("/api/v2/silences")
            .get("/api/v2/silences?filter=alertname%3DFire")
            .get("/api/v2/silences?filter=alertname%3DFire&filter=site%3D%22dock%22")
            .get("/api/v2/silences?filter=alertname%3D~%22Fi.*%22")
            .get("/api/v2/silences?filter=alertname!%3DFire"),
        History::new("silences nobody may make", TEAM)
            .post("/api/v2/silences", &silence(&json!([{"name": "a", "value": "b", "isRegex": false}]), "{+5}", "{+1}"))
            .post("/api/v2/silences", &silence(&json!([{"name": "a", "value": "b", "isRegex": false}]), "{-9}", "{-1}"))
            .post("/api/v2/silences", &silence(&json!([{"name": "a", "value": "b", "isRegex": false}]), "{+1}", "soon"))
            .post("/api/v2/silences", &silence(&json!([]), "{+1}", "{+5}"))
            .post("/api/v2/silences", &silence(&json!("x"), "{+1}", "{+5}"))
            .get("/api/v2/silences"),
    ]
}

fn silence(matchers: &serde_json::Value, starts_at: &str, ends_at: &str) -> serde_json::Value {
    json!({"matchers": matchers, "startsAt": starts_at, "endsAt": ends_at, "createdBy": "the test", "comment": ""})
}
