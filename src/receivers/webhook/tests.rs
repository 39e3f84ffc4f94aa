use std::time::Duration;

use watchbell_engine::notification::FailureKind;

use super::super::tests::{WebServer, alert, integrations, notification, surroundings};

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn the_body_is_alertmanagers() {
    let mut server = WebServer::start(&["200 OK\r\ncontent-length: 0\r\n\r\n"]).await;
    let yaml = format!("webhook_configs: [{{url: 'http://127.0.0.1:{}/hook?x=1', max_alerts: 2}}]", server.port);
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let told = notification("webhook", vec![alert("a", true), alert("b", false), alert("c", true)]);
    integrations.send(&told).await.unwrap();
    let request = server.request().await;
    assert!(request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: Alertmanager/1.2.3\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"), "{request}");
    assert_eq!(
        body(&request),
        concat!(
            r#"{"receiver":"team\\.a","status":"firing","alerts":["#,
            r#"{"status":"firing","labels":{"alertname":"Disk\u003cfull\u003e","instance":"a"},"#,
            r#""annotations":{"summary":"it is\nfull"},"startsAt":"2026-01-02T05:04:05.12+02:00","#,
            r#""endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/g?a=1\u0026b=2","#,
            r#""fingerprint":"a5c88e29ccadaedc"},"#,
            r#"{"status":"resolved","labels":{"alertname":"Disk\u003cfull\u003e","instance":"b"},"#,
            r#""annotations":{"summary":"it is\nfull"},"startsAt":"2026-01-02T05:04:05.12+02:00","#,
            r#""endsAt":"2026-01-02T03:05:05Z","generatorURL":"http://prom/g?a=1\u0026b=2","#,
            r#""fingerprint":"a5ca8e29ccae31b3"}],"#,
            r#""notification_reason":"first notification","groupLabels":{"alertname":"Disk\u003cfull\u003e"},"#,
            r#""commonLabels":{"alertname":"Disk\u003cfull\u003e"},"commonAnnotations":{"summary":"it is\nfull"},"#,
            r#""routeLabels":{"team":"a"},"externalURL":"http://am:9093","version":"4","#,
            r#""groupKey":"{}:{alertname=\"Disk\u003cfull\u003e\"}","truncatedAlerts":1}"#,
            "\n",
        )
    );
}

#[tokio::test]
async fn the_answer_decides_about_another_attempt() {
    let answers = ["503 No\r\nretry-after: 7\r\n\r\nbusy", "404 No\r\n\r\nwhat?", "429 No\r\n\r\n", "202 Yes\r\n\r\n"];
    let server = WebServer::start(&answers).await;
    let yaml = format!("webhook_configs: [{{url: 'http://127.0.0.1:{}'}}]", server.port);
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let told = notification("webhook", vec![alert("a", true)]);
    let failure = integrations.send(&told).await.unwrap_err();
    assert_eq!((failure.retry, failure.retry_after), (true, Some(Duration::from_secs(7))));
    assert_eq!(failure.text, "unexpected status code 503: busy");
    let failure = integrations.send(&told).await.unwrap_err();
    assert_eq!((failure.retry, failure.kind), (false, FailureKind::ClientError));
    let failure = integrations.send(&told).await.unwrap_err();
    assert_eq!((failure.retry, failure.kind), (false, FailureKind::RateLimited));
    assert!(integrations.send(&told).await.is_ok());
}

#[tokio::test]
async fn a_failing_template_does_not_eat_the_page() {
    let mut server = WebServer::start(&["200 OK\r\n\r\n"]).await;
    let yaml = format!(
        "webhook_configs:\n- url: 'http://127.0.0.1:{}'\n  payload: {{text: 'x {{{{ .Nope }}}}', n: 1, ok: ['2', plain]}}",
        server.port
    );
    let surroundings = surroundings();
    let integrations = integrations(&yaml, &surroundings).unwrap();
    integrations.send(&notification("webhook", vec![alert("a", true)])).await.unwrap();
    let request = server.request().await;
    assert!(request.contains(r#"{"n":1,"ok":[2,"plain"],"text":"[FIRING:1] team.a: "#), "{request}");
    assert!(request.contains("instance=a") && request.contains("can't evaluate field Nope"), "{request}");
    let counts: Vec<_> = surroundings.fallbacks.counts().collect();
    assert_eq!(counts, [("webhook", 1), ("email", 0), ("irc", 0), ("gitlab", 0), ("terminal", 0)]);
}

#[tokio::test]
async fn a_slow_server_runs_into_the_webhooks_own_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let yaml = format!("webhook_configs: [{{url: 'http://127.0.0.1:{port}', timeout: 20ms}}]");
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let failure = integrations.send(&notification("webhook", vec![alert("a", true)])).await.unwrap_err();
    assert_eq!((failure.retry, failure.kind), (true, FailureKind::ContextDeadlineExceeded));
    assert_eq!(failure.text, "configured webhook timeout reached (20ms)");
}

#[tokio::test]
async fn a_secret_url_shows_in_no_error_and_its_file_is_read_each_time() {
    // Where nobody listens.
    let port = 1;
    let file = tempfile::NamedTempFile::new().unwrap();
    let yaml = format!("webhook_configs: [{{url_file: '{}'}}]", file.path().display());
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    let told = notification("webhook", vec![alert("a", true)]);
    let failure = integrations.send(&told).await.unwrap_err();
    assert!(!failure.retry && failure.text.contains("empty"), "{failure:?}");
    std::fs::write(file.path(), format!("http://127.0.0.1:{port}/s3cret\n")).unwrap();
    let failure = integrations.send(&told).await.unwrap_err();
    assert!(failure.retry && failure.text.contains("<redacted>") && !failure.text.contains("s3cret"), "{failure:?}");
}
