//! Lists: whole however long they are, not sent to who has them, kept while they hold.

use std::time::Duration;

use serde_json::json;

use super::*;

const LISTS: [&str; 3] = ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"];

/// Posts alerts of these numbers that fire for a minute.
async fn fire(api: &Api, numbers: std::ops::Range<usize>) {
    let alert = |number: usize| {
        json!({"labels": {"alertname": format!("A{}", number % 7), "series": number.to_string()},
               "annotations": {"summary": "something is \"wrong\" \u{1f514}\n"}, "startsAt": "2026-11-23T14:00:00Z"})
    };
    let alerts: Vec<_> = numbers.map(alert).collect();
    assert_eq!(ask(api, "POST", "/api/v2/alerts", &json!(alerts).to_string()).await.status, 200);
}

async fn silence(api: &Api) {
    let matchers = json!([{"name": "series", "value": "1", "isRegex": false}]);
    let body = json!({"matchers": matchers, "startsAt": "2026-11-23T14:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
                      "createdBy": "me", "comment": "why"});
    assert_eq!(ask(api, "POST", "/api/v2/silences", &body.to_string()).await.status, 200);
}

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answered {
    ask_with(api, "GET", path, headers, "").await
}

/// Whether a client that has the answer with this tag is told that it holds.
async fn holds(api: &Api, path: &str, tag: &str) -> bool {
    let answered = get(api, path, &[("if-none-match", tag)]).await;
    assert!(answered.status == 200 || (answered.status == 304 && answered.body.is_empty()), "{answered:?}");
    answered.status == 304
}

fn known(api: &Api) -> (u64, u64) {
    let http = &api.0.metrics.http;
    (http.answers_unchanged.get(), http.answers_reused.get())
}

#[tokio::test]
async fn a_list_is_whole_however_long_it_is() {
    let api = api(options());
    for (from, to) in [(0, 1), (1, 16), (16, 17), (17, 300), (300, 3000)] {
        fire(&api, from..to).await;
        for encoding in ["identity", "gzip"] {
            let ask = async |path| get(&api, path, &[("accept-encoding", encoding)]).await;
            let alerts = ask("/api/v2/alerts").await;
            assert_eq!(alerts.json().as_array().unwrap().len(), to);
            assert!(alerts.body.ends_with("}]\n"));
            let groups = ask("/api/v2/alerts/groups").await.json();
            let held = |group: &Value| group["alerts"].as_array().unwrap().len();
            assert_eq!(groups.as_array().unwrap().iter().map(held).sum::<usize>(), to);
            let some = ask("/api/v2/alerts?filter=alertname=A3&filter=series=~.*3").await.json();
            let wanted = (0..to).filter(|number| number % 7 == 3 && number % 10 == 3).count();
            assert_eq!(some.as_array().unwrap().len(), wanted);
        }
    }
}

#[tokio::test]
async fn who_has_an_answer_is_not_sent_it_again_until_something_changes() {
    let api = api(options());
    fire(&api, 0..40).await;
    let mut tags = Vec::new();
    for path in LISTS {
        let answered = get(&api, path, &[]).await;
        let tag = answered.header("etag").to_owned();
        assert!(holds(&api, path, &tag).await && holds(&api, path, &format!("\"other\", {tag}")).await, "{path}");
        assert!(!holds(&api, path, &tag.replace("W/\"", "W/\"0")).await && !holds(&api, path, "*").await, "{path}");
        tags.push(tag);
    }
    assert_eq!(known(&api).0, 6);
    fire(&api, 0..1).await;
    let held = [holds(&api, LISTS[0], &tags[0]).await, holds(&api, LISTS[1], &tags[1]).await];
    assert_eq!(held, [false, false], "an alert was repeated");
    assert!(holds(&api, LISTS[2], &tags[2]).await, "no silence was touched");
    silence(&api).await;
    for (path, tag) in LISTS.iter().zip(&tags) {
        assert!(!holds(&api, path, tag).await, "{path} after a silence was made");
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_each_query_and_encoding_while_it_holds() {
    let api = api(options());
    fire(&api, 0..40).await;
    let (plain, packed) = ([("accept-encoding", "identity")], [("accept-encoding", "gzip")]);
    for (round, reused) in [(0, 0), (1, 4)] {
        for (path, headers) in [
            ("/api/v2/alerts", plain),
            ("/api/v2/alerts", packed),
            ("/api/v2/alerts?silenced=false", plain),
            ("/api/v2/alerts/groups", packed),
        ] {
            let answered = get(&api, path, &headers).await;
            assert!(answered.body.contains(r#""series":"39""#), "{path}, round {round}");
            assert_eq!(answered.header("content-encoding") == "gzip", headers == packed);
        }
        assert_eq!(known(&api).1, reused, "round {round}");
    }
    assert!(api.0.metrics.http.answers_kept.get() > 10_000);
    fire(&api, 40..41).await;
    assert!(get(&api, "/api/v2/alerts", &plain).await.body.contains(r#""series":"40""#));
    silence(&api).await;
    assert!(!get(&api, "/api/v2/alerts?silenced=false", &plain).await.body.contains(r#""series":"1""#));
}

#[tokio::test]
async fn what_ends_with_time_alone_is_not_said_to_hold() {
    let api = api(options());
    fire(&api, 0..3).await;
    let soon = (jiff::Timestamp::now() + Duration::from_secs(8)).to_string();
    let body = json!([{"labels": {"alertname": "Short"}, "endsAt": soon}]).to_string();
    assert_eq!(ask(&api, "POST", "/api/v2/alerts", &body).await.status, 200);
    let first = get(&api, "/api/v2/alerts", &[]).await;
    let tag = first.header("etag");
    assert!(first.body.contains("Short"));
    let deadline = Instant::now() + Duration::from_secs(40);
    while holds(&api, "/api/v2/alerts", tag).await {
        assert!(Instant::now() < deadline, "the answer holds for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let later = get(&api, "/api/v2/alerts", &[]).await.body;
    assert!(!later.contains("Short") && later.contains("A2"), "{later}");
}
