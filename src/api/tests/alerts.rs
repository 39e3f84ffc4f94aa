//! Alerts in and out.

use serde_json::json;

use super::*;

const FAR: &str = "2100-01-01T00:00:00.000Z";

async fn post(api: &Api, body: &str) -> (u16, String) {
    let answered = ask(api, "POST", "/api/v2/alerts", body).await;
    (answered.status, answered.body)
}

async fn names(api: &Api, query: &str) -> Vec<String> {
    let answered = ask(api, "GET", &format!("/api/v2/alerts?{query}"), "").await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    answered
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_posted_is_listed_as_alertmanager_lists_it() {
    let api = api(options());
    assert_eq!(ask(&api, "GET", "/api/v2/alerts", "").await.body, "[]\n");
    let body = format!(
        r#"[{{"labels":{{"alertname":"D","empty":""}},"startsAt":"2026-11-23T14:00:00.123456789+02:00","endsAt":"{FAR}","generatorURL":"http://p/graph?a=<b>&c"}}]"#
    );
    let answered = ask(&api, "POST", "/api/v2/alerts", &body).await;
    assert_eq!((answered.status, answered.body.as_str(), answered.header("content-type")), (200, "", ""));
    assert_eq!((answered.header("cache-control"), answered.header("vary")), ("no-store", "Origin"));
    let answered = ask(&api, "GET", "/api/v2/alerts", "").await;
    assert_eq!(answered.header("content-type"), "application/json");
    let updated_at = answered.json()[0]["updatedAt"].as_str().unwrap().to_owned();
    let expected = concat!(
        r#"[{"annotations":{},"endsAt":"FAR","fingerprint":"d2bcefc389d6b4a2","receivers":[{"name":"default"}],"#,
        r#""startsAt":"2026-11-23T14:00:00.123+02:00","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"#,
        r#""updatedAt":"NOW","generatorURL":"http://p/graph?a=<b>&c","labels":{"alertname":"D"}}]"#,
        "\n"
    );
    assert_eq!(answered.body, expected.replace("FAR", FAR).replace("NOW", &updated_at));
}

#[tokio::test]
async fn one_bad_alert_does_not_cost_the_others() {
    let api = api(options());
    for (body, expected) in [
        ("[]", (200, "")),
        ("null", (200, "")),
        (r#"[{"labels":{}}]"#, (400, "\"at least one label pair required\"\n")),
        (
            r#"[{"labels":{"alertname":"Good"}},{"labels":{"":"x","alertname":"Mixed"}},{"labels":{"a":""}}]"#,
            (400, "\"invalid label set: invalid name \\\"\\\"\\nat least one label pair required\"\n"),
        ),
        (
            r#"[{"labels":{"a":"b"},"startsAt":"2026-11-23T14:00:00Z","endsAt":"2026-11-22T14:00:00Z"}]"#,
            (400, "\"start time must be before end time\"\n"),
        ),
        (r#"[{"labels":{"a":"b"},"annotations":{"":"x"}}]"#, (400, "\"invalid annotations: invalid name \\\"\\\"\"\n")),
        (r#"[{"annotations":{}}]"#, (422, r#"{"code":602,"message":"0.labels in body is required"}"#)),
        ("", (422, r#"{"code":602,"message":"alerts in body is required"}"#)),
    ] {
        assert_eq!(post(&api, body).await, (expected.0, expected.1.to_owned()), "{body}");
    }
    assert_eq!(names(&api, "").await, ["Good"]);
    let page = ask(&api, "GET", "/metrics", "").await.body;
    assert!(page.contains("\nalertmanager_alerts_invalid_total{version=\"v2\"} 5\n"), "{page}");
    assert!(page.contains("\nalertmanager_alerts_received_total{status=\"resolved\",version=\"v2\"} 1\n"), "{page}");
}

#[tokio::test]
async fn times_left_out_are_filled_in() {
    let api = api(options());
    let zero =
        r#"[{"labels":{"alertname":"A"},"startsAt":"0001-01-01T00:00:00.000Z","endsAt":"0001-01-01T00:00:00.000Z"}]"#;
    assert_eq!(post(&api, zero).await.0, 200);
    let ended = r#"[{"labels":{"alertname":"Ended"},"endsAt":"2020-01-01T00:00:00Z"}]"#;
    assert_eq!(post(&api, ended).await.0, 200);
    let listed = ask(&api, "GET", "/api/v2/alerts", "").await.json();
    let time = |key: &str| listed[0][key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("endsAt").as_second() - time("startsAt").as_second(), 300);
    assert_eq!(listed.as_array().unwrap().len(), 1, "an alert that is over is not shown: {listed}");
}

#[tokio::test]
async fn alerts_are_chosen_by_parameters() {
    let api = api(options());
    let body = r#"[{"labels":{"alertname":"A","severity":"page"}},{"labels":{"alertname":"B","team":"b"}}]"#;
    assert_eq!(post(&api, body).await.0, 200);
    for (query, expected) in [
        ("filter=alertname%3DA", vec!["A"]),
        ("filter=%22alertname%22%3D~%22A%7CC%22", vec!["A"]),
        ("filter=severity%3D", vec!["B"]),
        ("filter=alertname%3DA&filter=severity%3Dx", vec![]),
        ("receiver=oth.*", vec!["B"]),
        ("receiver=oth", vec![]),
        ("receiver=", vec!["A", "B"]),
        ("receiver_matchers=owner%3Db", vec!["B"]),
        ("active=False", vec![]),
        ("active=maybe", vec![]),
        ("active=true&active=false", vec![]),
        ("active=1&silenced=no&inhibited=no&unprocessed=no&ruleMetadata=true", vec!["A", "B"]),
    ] {
        let mut found = names(&api, query).await;
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
    for (query, expected) in [
        ("filter=%7Bbad", "unexpected open or close brace: {bad"),
        ("filter=", "bad matcher format: "),
        ("receiver=(", "failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`"),
        ("receiver_matchers=x", "failed to parse receiver_matchers param: bad matcher format: x"),
    ] {
        let answered = ask(&api, "GET", &format!("/api/v2/alerts?{query}"), "").await;
        assert_eq!((answered.status, answered.json()), (400, json!(expected)), "{query}");
    }
}

#[tokio::test]
async fn groups_hold_their_alerts_in_alertmanagers_order() {
    let api = api(options());
    let body = r#"[{"labels":{"alertname":"B","team":"b"}},{"labels":{"alertname":"A","instance":"2"}},
        {"labels":{"alertname":"A","instance":"1"}},{"labels":{"other":"x"}}]"#;
    assert_eq!(post(&api, body).await.0, 200);
    let groups = ask(&api, "GET", "/api/v2/alerts/groups", "").await.json();
    let outline: Vec<Value> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let instances = group["alerts"].as_array().unwrap().iter().map(|alert| alert["labels"]["instance"].clone());
            json!([group["labels"], group["receiver"]["name"], group["routeLabels"], instances.collect::<Vec<_>>()])
        })
        .collect();
    let expected = json!([
        [{}, "default", {}, [null]],
        [{"alertname": "A"}, "default", {}, ["1", "2"]],
        [{"alertname": "B"}, "other", {}, [null]],
    ]);
    assert_eq!(Value::from(outline), expected);
    let of_other =
        ask(&api, "GET", "/api/v2/alerts/groups?receiver=other&group=alertname&muted=false", "").await.json();
    assert_eq!(of_other.as_array().unwrap().len(), 1);
    assert_eq!(of_other[0]["alerts"][0]["receivers"], json!([{"name": "other"}]));
}
