//! What HTTP itself asks: paths, methods, media types, foreign origins, limits.

use serde_json::json;

use super::*;

#[tokio::test]
async fn health_reload_and_the_index_answer() {
    let api = api(options());
    for uri in ["/-/healthy", "/-/ready"] {
        let answered = ask(&api, "GET", uri, "").await;
        assert_eq!(
            (answered.status, answered.body.as_str(), answered.header("content-type")),
            (200, "OK", "text/plain; charset=utf-8")
        );
        assert_eq!(ask(&api, "HEAD", uri, "").await.status, 200);
    }
    let reloaded = ask(&api, "POST", "/-/reload", "").await;
    assert_eq!((reloaded.status, reloaded.body.as_str()), (200, ""));
    assert_eq!(ask(&api, "GET", "/", "").await.status, 200);
    let wrong = ask(&api, "GET", "/-/reload", "").await;
    assert_eq!(
        (wrong.status, wrong.body.as_str(), wrong.header("allow")),
        (405, "Method Not Allowed\n", "OPTIONS, POST")
    );
}

#[tokio::test]
async fn a_failed_reload_is_told_in_text() {
    let api = Api::new(handle(Err("no such file".into())), Metrics::new(&Features::default()), options());
    let answered = ask(&api, "POST", "/-/reload", "").await;
    assert_eq!((answered.status, answered.body.as_str()), (500, "failed to reload config: no such file\n"));
}

#[tokio::test]
async fn unknown_paths_are_not_found_each_in_its_way() {
    let api = api(options());
    for uri in ["/alertmanager/api/v2/status", "/api/v1/status/buildinfo", "/nope", "/debug/pprof/", "/api"] {
        let answered = ask(&api, "GET", uri, "").await;
        assert_eq!(
            (answered.status, answered.body.as_str(), answered.header("content-type")),
            (404, "404 page not found\n", "text/plain; charset=utf-8"),
            "{uri}"
        );
    }
    let answered = ask(&api, "GET", "/api/v2/nope", "").await;
    assert_eq!(
        (answered.status, answered.body.as_str()),
        (404, r#"{"code":404,"message":"path /api/v2/nope was not found"}"#)
    );
    let redirected = ask(&api, "GET", "/api/v2", "").await;
    assert_eq!((redirected.status, redirected.header("location")), (301, "/api/v2/"));
    assert_eq!(ask(&api, "GET", "/-/healthy/", "").await.header("location"), "/-/healthy");
    assert_eq!(ask(&api, "POST", "/-/reload/", "").await.status, 307);
}

#[tokio::test]
async fn methods_are_checked() {
    let api = api(options());
    let put = ask(&api, "PUT", "/api/v2/silences", "").await;
    assert_eq!((put.status, put.header("allow")), (405, "GET,POST"));
    assert_eq!(put.body, r#"{"code":405,"message":"method PUT is not allowed, but [GET,POST] are"}"#);
    let head = ask(&api, "HEAD", "/api/v2/status", "").await;
    assert_eq!((head.status, head.header("allow")), (405, "GET"));
    assert_eq!(ask(&api, "GET", "/api/v2/silences/", "").await.status, 200);
}

#[tokio::test]
async fn the_removed_api_says_so() {
    let api = api(options());
    for (method, uri, status) in [
        ("GET", "/api/v1/alerts", 410),
        ("POST", "/api/v1/silences", 410),
        ("DELETE", "/api/v1/silence/x", 410),
        ("PUT", "/api/v1/alerts", 405),
        ("GET", "/api/v1/alerts/groups", 404),
    ] {
        let answered = ask(&api, method, uri, "").await;
        assert_eq!(answered.status, status, "{method} {uri}");
        assert_eq!(
            answered.status == 410,
            answered.body.starts_with(r#"{"status":"deprecated","error":"The Alertmanager v1"#)
        );
    }
}

#[tokio::test]
async fn media_types_are_checked() {
    let api = api(options());
    for (headers, status) in [
        (&[("content-type", "text/plain")][..], 415),
        (&[], 415),
        (&[("content-type", "application/json; charset=utf-8")], 200),
        (&[("content-type", "application/json"), ("accept", "application/xml")], 406),
    ] {
        assert_eq!(ask_with(&api, "POST", "/api/v2/alerts", headers, "[]").await.status, status, "{headers:?}");
    }
    let answered = ask_with(&api, "POST", "/api/v2/alerts", &[], "[]").await;
    let expected = "unsupported media type \"application/octet-stream\", only [application/json] are allowed";
    assert_eq!(answered.json(), json!({"code": 415, "message": expected}));
    let answered = ask_with(&api, "GET", "/api/v2/status", &[("accept", "application/xml")], "").await;
    let expected = "unsupported media type requested, only [application/json] are available";
    assert_eq!((answered.status, answered.json()), (406, json!({"code": 406, "message": expected})));
    assert_eq!(ask_with(&api, "GET", "/api/v2/status", &[("content-type", "text/plain")], "").await.status, 200);
}

#[tokio::test]
async fn foreign_pages_may_read_and_post() {
    let api = api(options());
    let answered = ask_with(&api, "GET", "/api/v2/receivers", &[("origin", "http://k")], "").await;
    assert_eq!((answered.header("access-control-allow-origin"), answered.header("vary")), ("*", "Origin"));
    let expected = r#"[{"labels":{"name":"default","owner":"a"},"name":"default"},{"labels":{"name":"other","owner":"b"},"name":"other"}]"#;
    assert_eq!(answered.body, format!("{expected}\n"));
    let answered = ask_with(&api, "DELETE", "/api/v2/silence/x", &[("origin", "http://k")], "").await;
    assert_eq!(answered.header("access-control-allow-origin"), "");
    for (method, sent, allowed) in
        [("POST", "content-type", true), ("POST", "authorization,content-type", false), ("DELETE", "", false)]
    {
        let headers = [
            ("origin", "http://k"),
            ("access-control-request-method", method),
            ("access-control-request-headers", sent),
        ];
        let answered = ask_with(&api, "OPTIONS", "/api/v2/silences", &headers, "").await;
        assert_eq!((answered.status, answered.body.as_str()), (204, ""));
        assert_eq!(answered.header("vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        assert_eq!(answered.header("access-control-allow-methods"), if allowed { method } else { "" });
        assert_eq!(answered.header("access-control-allow-origin"), if allowed { "*" } else { "" });
    }
}

#[tokio::test]
async fn a_prefix_holds_for_everything() {
    let api = api(ApiOptions { route_prefix: "/am".into(), ..options() });
    assert_eq!(ask(&api, "GET", "/am/api/v2/status", "").await.status, 200);
    assert_eq!(ask(&api, "GET", "/am/-/healthy", "").await.status, 200);
    assert_eq!(ask(&api, "GET", "/am/", "").await.status, 200);
    for (uri, status, location) in [
        ("/", 302, "/am"),
        ("/am", 301, "/am/"),
        ("/am/metrics/", 301, "/am/metrics"),
        ("/am/api/v2", 301, "/am/api/v2/"),
        ("/-/healthy", 404, ""),
        ("/amx/metrics", 404, ""),
    ] {
        let answered = ask(&api, "GET", uri, "").await;
        assert_eq!((answered.status, answered.header("location")), (status, location), "{uri}");
    }
    let page = ask(&api, "GET", "/am/metrics", "").await.body;
    let series =
        r#"alertmanager_http_request_duration_seconds_count{handler="/api/v2/status",method="get",code="200"} 1"#;
    assert!(page.contains(series), "{page}");
}

#[tokio::test]
async fn the_status_has_all_that_clients_need() {
    let answered = ask(&api(options()), "GET", "/api/v2/status", "").await.json();
    assert_eq!(answered["cluster"], json!({"peers": [], "status": "disabled"}));
    assert_eq!(answered["config"], json!({"original": "route:\n  receiver: default\n"}));
    assert!(answered["uptime"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let version = answered["versionInfo"].as_object().unwrap();
    let keys: Vec<&String> = version.keys().collect();
    assert_eq!(keys, ["branch", "buildDate", "buildUser", "goVersion", "revision", "version"]);
    assert_eq!(version["version"], "0.34.0");
}

#[tokio::test]
async fn metrics_are_compressed_and_answers_are_not() {
    let api = api(options());
    let gzip = [("accept-encoding", "gzip")];
    let metrics = ask_with(&api, "GET", "/metrics", &gzip, "").await;
    assert_eq!((metrics.header("content-encoding"), metrics.header("content-type")), ("gzip", METRICS_CONTENT_TYPE));
    let status = ask_with(&api, "GET", "/api/v2/status", &gzip, "").await;
    assert_eq!((status.header("content-encoding"), status.header("vary")), ("", "Origin"));
    let open_metrics = [("accept", "application/openmetrics-text;version=1.0.0")];
    assert_eq!(ask_with(&api, "GET", "/metrics", &open_metrics, "").await.header("content-type"), METRICS_CONTENT_TYPE);
}

/// A handle of which nobody reads the commands: whoever asks, waits.
fn stuck() -> (Handle, mpsc::Receiver<Command>) {
    let (commands, unread) = mpsc::channel(1);
    let (_, running) = watch::channel(handle(Ok(())).running());
    (Handle::new(commands, running, mpsc::channel(1).0, None), unread)
}

#[tokio::test]
async fn too_many_gets_are_turned_away() {
    let (handle, mut unread) = stuck();
    let api = Api::new(handle, Metrics::new(&Features::default()), ApiOptions { get_concurrency: 1, ..options() });
    let waiting = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, "GET", "/api/v2/alerts", "").await.status }
    });
    let first = unread.recv().await.unwrap();
    let refused = ask(&api, "GET", "/-/healthy", "").await;
    let expected = "Limit of concurrent GET requests reached (1), try again later.\n\n";
    assert_eq!(
        (refused.status, refused.body.as_str(), refused.header("content-type")),
        (503, expected, "text/plain; charset=utf-8")
    );
    assert_eq!(ask(&api, "POST", "/api/v2/alerts", "[]").await.status, 200);
    drop(first);
    assert_eq!(waiting.await.unwrap(), 503);
    assert_eq!(ask(&api, "GET", "/-/healthy", "").await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let (handle, _unread) = stuck();
    let timeout = Some(Duration::from_millis(10));
    let api = Api::new(handle, Metrics::new(&Features::default()), ApiOptions { timeout, ..options() });
    let answered = ask(&api, "GET", "/api/v2/alerts", "").await;
    assert_eq!((answered.status, answered.body.as_str()), (503, "Exceeded configured timeout of 10ms.\n"));
}
