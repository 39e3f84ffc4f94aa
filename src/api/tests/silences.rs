//! Silences made, edited, listed and ended.

use serde_json::json;

use super::*;

fn body(extra: &str) -> String {
    let matchers = r#"[{"name":"alertname","value":"A","isRegex":false}]"#;
    let defaults = [
        ("matchers", matchers),
        ("startsAt", r#""2026-01-01T14:00:00.000Z""#),
        ("endsAt", r#""2100-01-01T00:00:00.000Z""#),
        ("createdBy", r#""me""#),
        ("comment", r#""c""#),
    ];
    let kept = defaults.iter().filter(|(key, _)| !extra.contains(&format!("\"{key}\"")));
    let kept: Vec<String> = kept.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}{}{extra}}}", kept.join(","), if extra.is_empty() || kept.is_empty() { "" } else { "," })
}

async fn post(api: &Api, extra: &str) -> Answered {
    ask(api, "POST", "/api/v2/silences", &body(extra)).await
}

async fn created(api: &Api, extra: &str) -> String {
    let answered = post(api, extra).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    answered.json()["silenceID"].as_str().unwrap().to_owned()
}

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let listed = ask(api, "GET", &format!("/api/v2/silences?{query}"), "").await.json();
    listed.as_array().unwrap().iter().map(|silence| silence["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_silence_is_shown_as_alertmanager_shows_it() {
    let api = api(options());
    let id = created(&api, r#""id":null,"annotations":{"ticket":"T-1"}"#).await;
    let shown = ask(&api, "GET", &format!("/api/v2/silence/{id}"), "").await;
    let now = shown.json()["updatedAt"].as_str().unwrap().to_owned();
    let expected = concat!(
        r#"{"id":"ID","status":{"state":"active"},"updatedAt":"NOW","annotations":{"ticket":"T-1"},"comment":"c","#,
        r#""createdBy":"me","endsAt":"2100-01-01T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"#,
        r#""name":"alertname","value":"A"}],"startsAt":"NOW"}"#,
        "\n"
    );
    assert_eq!(shown.body, expected.replace("ID", &id).replace("NOW", &now));
    let bare = created(&api, r#""annotations":null,"status":null,"updatedAt":"2026-11-23T14:00:00Z""#).await;
    assert!(!ask(&api, "GET", &format!("/api/v2/silence/{bare}"), "").await.body.contains("annotations"));
}

#[tokio::test]
async fn a_silence_that_makes_no_sense_is_refused_in_alertmanagers_words() {
    let api = api(options());
    for (extra, status, expected) in [
        (
            r#""matchers":[{"name":"a","value":"(","isRegex":true}]"#,
            400,
            json!(
                "invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": error parsing regexp: missing closing ): `(`"
            ),
        ),
        (
            r#""matchers":[{"name":"a","value":"","isRegex":false}]"#,
            400,
            json!("invalid silence: matcher set 0: at least one matcher must not match the empty string"),
        ),
        (
            r#""endsAt":"2020-11-23T15:00:00.000Z""#,
            400,
            json!("Failed to create silence: start time must be before end time"),
        ),
        (
            r#""startsAt":"2019-11-23T14:00:00.000Z","endsAt":"2020-11-23T15:00:00.000Z""#,
            400,
            json!("Failed to create silence: end time can't be in the past"),
        ),
        (r#""id":"00000000-0000-0000-0000-000000000000""#, 404, json!("silence not found")),
        (r#""id":"notauuid""#, 404, json!("silence not found")),
        (r#""comment":null"#, 422, json!({"code": 602, "message": "comment in body is required"})),
        (r#""matchers":[]"#, 422, json!({"code": 612, "message": "matchers in body should have at least 1 items"})),
        (
            r#""matchers":[{"name":"a","value":"b"}]"#,
            422,
            json!({"code": 602, "message": "matchers.0.isRegex in body is required"}),
        ),
    ] {
        let answered = post(&api, extra).await;
        assert_eq!((answered.status, answered.json()), (status, expected), "{extra}");
        assert_eq!(answered.body.ends_with('\n'), status != 422, "{extra}");
    }
    let long = post(&api, &format!(r#""comment":"{}""#, "x".repeat(600_000))).await;
    assert_eq!(
        (long.status, long.json()),
        (400, json!("silence exceeded maximum size: 600012 bytes (limit: 524288 bytes)"))
    );
    assert_eq!(ids(&api, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_edit_keeps_the_id_if_the_matchers_stay() {
    let api = api(options());
    let id = created(&api, "").await;
    let shown = ask(&api, "GET", &format!("/api/v2/silence/{id}"), "").await.json();
    let starts_at = shown["startsAt"].as_str().unwrap();
    let edit = format!(r#""id":"{id}","startsAt":"{starts_at}","comment":"longer","endsAt":"2101-01-01T00:00:00Z""#);
    assert_eq!(created(&api, &edit).await, id);
    let moved = format!(r#""id":"{id}","matchers":[{{"name":"alertname","value":"B","isRegex":false}}]"#);
    let replaced = created(&api, &moved).await;
    assert_ne!(replaced, id);
    assert_eq!(ids(&api, "expired=false").await, [replaced]);
}

#[tokio::test]
async fn silences_are_listed_active_then_pending_then_expired() {
    let api = api(options());
    let later = created(&api, r#""endsAt":"2102-01-01T00:00:00Z""#).await;
    let sooner = created(
        &api,
        r#""endsAt":"2101-01-01T00:00:00Z","matchers":[{"name":"b","value":"x","isRegex":true,"isEqual":false}]"#,
    )
    .await;
    let pending = created(&api, r#""startsAt":"2099-01-01T00:00:00Z""#).await;
    let ended = created(&api, "").await;
    for _ in 0..2 {
        let answered = ask(&api, "DELETE", &format!("/api/v2/silence/{ended}"), "").await;
        assert_eq!((answered.status, answered.body.as_str()), (200, ""));
    }
    let all = [&sooner, &later, &pending, &ended];
    assert_eq!(
        ids(&api, "silenced=false&inhibited=false&muted=false&active=true").await.iter().collect::<Vec<_>>(),
        all
    );
    assert_eq!(ids(&api, "active=false&expired=false").await, [pending]);
    assert_eq!(ids(&api, "filter=b!~x").await, [sooner]);
    assert_eq!(ids(&api, "filter=b!~y").await, Vec::<String>::new());
    assert_eq!(ask(&api, "GET", "/api/v2/silences?filter=", "").await.status, 400);
}

#[tokio::test]
async fn an_unknown_silence_is_not_found_with_an_empty_body() {
    let api = api(options());
    for method in ["GET", "DELETE"] {
        let answered = ask(&api, method, "/api/v2/silence/00000000-0000-0000-0000-000000000000", "").await;
        assert_eq!((answered.status, answered.body.as_str(), answered.header("content-type")), (404, "", ""));
        let answered = ask(&api, method, "/api/v2/silence/notauuid", "").await;
        let expected = r#"{"code":601,"message":"silenceID in path must be of type uuid: \"notauuid\""}"#;
        assert_eq!((answered.status, answered.body.as_str()), (422, expected));
    }
}

#[tokio::test]
async fn a_silenced_alert_says_so() {
    let api = api(options());
    let id = created(&api, "").await;
    assert_eq!(ask(&api, "POST", "/api/v2/alerts", r#"[{"labels":{"alertname":"A"}}]"#).await.status, 200);
    let listed = ask(&api, "GET", "/api/v2/alerts", "").await.json();
    assert_eq!(
        listed[0]["status"],
        json!({"inhibitedBy": [], "mutedBy": [], "silencedBy": [id], "state": "suppressed"})
    );
    assert_eq!(ask(&api, "GET", "/api/v2/alerts?silenced=false", "").await.body, "[]\n");
    assert_eq!(ask(&api, "GET", "/api/v2/alerts/groups?silenced=false", "").await.body, "[]\n");
}
