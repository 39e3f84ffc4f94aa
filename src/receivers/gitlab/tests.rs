use std::sync::Arc;

use serde_json::{Value, json};
use watchbell_engine::nflog::{NflogEntry, ReceiverData, ReceiverDatum};
use watchbell_engine::notification::{Notification, NotifiedAlert, Reason};
use watchbell_engine::time::Timestamp;
use watchbell_engine::version::Version;

use super::super::tests::{NOW, WebServer, alert, integrations, notification, surroundings};
use super::super::{Integrations, identity};
use super::description;

/// A project as GitLab shows it to our requests, answer by answer.
struct Project {
    server: WebServer,
    integrations: Integrations,
}

impl Project {
    async fn start(answers: &[String], settings: &str) -> Self {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let server = WebServer::start(&answers).await;
        let yaml = format!(
            "gitlab_configs: [{{project: a/b, api_url: 'http://127.0.0.1:{}/api/v4/', token: t0ken, \
             duplicate_check_delay: 1ms{settings}}}]",
            server.port
        );
        Self { server, integrations: integrations(&yaml, &surroundings()).unwrap() }
    }

    /// What came: `METHOD path`, and the body.
    async fn request(&mut self) -> (String, Value) {
        let request = self.server.request().await;
        assert!(request.contains("\r\nprivate-token: t0ken\r\n"), "{request}");
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut words = head.split(' ');
        let line = format!("{} {}", words.next().unwrap(), words.next().unwrap().trim_start_matches("/api/v4/"));
        (line, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
    }

    /// The first words of all that came.
    async fn requests(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while self.server.pending() > 0 {
            lines.push(self.request().await.0.split('?').next().unwrap().to_owned());
        }
        lines
    }
}

fn ok(body: &Value) -> String {
    format!("200 OK\r\ndate: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\n{body}")
}

fn failed(status: &str) -> String {
    format!("{status}\r\ncontent-length: 2\r\n\r\n{{}}")
}

/// Issue 5 of project 3, with the description that `told` makes; `changes` are made to it.
fn issue(told: &Notification, region: &str, changes: Value) -> Value {
    let group = description::group_id("", &told.key);
    let mut issue = json!({
        "id": 105, "iid": 5, "project_id": 3, "title": "Disk<full>", "state": "opened",
        "description": format!("{}\nmine", description::new(region, &group, None)),
        "created_at": "2026-01-02T03:04:00.000Z", "closed_at": null, "labels": ["alertmanager"],
        "author": {"id": 9}, "assignees": [], "user_notes_count": 0, "moved_to_id": null, "severity": "UNKNOWN",
        "references": {"full": "a/b#5"}, "_links": {"closed_as_duplicate_of": null},
    });
    for (key, value) in changes.as_object().unwrap() {
        issue[key] = value.clone();
    }
    issue
}

fn told(alerts: &[(&str, bool)]) -> Notification {
    notification(
        "gitlab",
        alerts.iter().map(|(instance, firing)| alert(instance, *firing)).collect::<Vec<NotifiedAlert>>(),
    )
}

/// `next` after a notification that left `data` behind.
fn after(data: &ReceiverData, next: Notification) -> Notification {
    let entry = NflogEntry {
        key: next.key.clone(),
        timestamp: NOW,
        firing: vec![],
        resolved: vec![],
        receiver_data: data.clone(),
        expires_at: Timestamp::MAX,
        version: Version::default(),
        carried: vec![],
        ended: vec![],
        past: vec![],
    };
    Notification { previous: Some(Arc::new(entry)), reason: Reason::NewAlerts, ..next }
}

const LIST: &str = "GET projects/a%2Fb/issues";
const ISSUE: &str = "GET projects/3/issues/5";
const UPDATE: &str = "PUT projects/3/issues/5";
const COMMENT: &str = "POST projects/3/issues/5/notes";

/// What is remembered of issue 5 after it was made for `first`, and the region that it has.
async fn made(first: &Notification) -> (ReceiverData, String) {
    let mine = ok(&issue(first, "x", json!({})));
    let seen = ok(&json!([issue(first, "x", json!({}))]));
    let mut project = Project::start(&[ok(&json!([])), ok(&json!([])), mine, seen.clone(), seen], "").await;
    let data = project.integrations.send(first).await.unwrap();
    project.request().await;
    project.request().await;
    let (line, body) = project.request().await;
    assert_eq!(line, "POST projects/a%2Fb/issues");
    let description = body["description"].as_str().unwrap();
    let region = description.split("begin -->\n").nth(1).unwrap().split("\n<!-- watchbell:end").next().unwrap();
    (data, region.to_owned())
}

#[tokio::test]
async fn the_first_firing_makes_one_issue_and_looks_twice_for_rivals() {
    let first = told(&[("a", true)]);
    let mine = issue(&first, "x", json!({}));
    let answers = [ok(&json!([])), ok(&json!([])), ok(&mine), ok(&json!([mine])), ok(&json!([mine]))];
    let mut project = Project::start(&answers, ", labels: ['{{ .CommonLabels.nothing }}', 'x', 'y,z{{ \"\" }}']").await;
    let data = project.integrations.send(&first).await.unwrap();
    assert_eq!(data["gitlab.iid"], ReceiverDatum::Integer(5));
    assert_eq!(data["gitlab.checked"], ReceiverDatum::Integer(NOW.as_secs()));
    assert!(data.contains_key(identity::KEPT_AS));
    let (line, _) = project.request().await;
    let query = "state=opened&labels=alertmanager&scope=created_by_me&order_by=created_at&sort=asc&per_page=100";
    assert_eq!(line, format!("{LIST}?{query}"));
    let (line, _) = project.request().await;
    assert!(line.contains("state=closed") && line.contains("updated_after=2026-01-01T02%3A04%3A05Z"), "{line}");
    let (line, body) = project.request().await;
    assert_eq!(line, "POST projects/a%2Fb/issues");
    assert_eq!((&body["title"], &body["labels"]), (&json!("Disk<full>"), &json!("alertmanager,x")));
    let description = body["description"].as_str().unwrap();
    assert!(description.starts_with("<!-- watchbell:begin -->\nit is\nfull\n"), "{description}");
    assert!(description.contains("Disk&lt;full&gt;") && !description.contains("<full>"), "{description}");
    assert!(description.ends_with(&format!("<!-- watchbell:v1 key={} -->", description::group_id("", &first.key))));
    for _ in 0..2 {
        let (line, _) = project.request().await;
        assert!(line.starts_with(LIST) && line.contains("created_after=2026-01-02T03%3A02%3A00Z"), "{line}");
    }
    assert_eq!(project.server.pending(), 0);
}

#[tokio::test]
async fn what_never_fired_here_makes_no_issue() {
    let mut project = Project::start(&[ok(&json!([]))], "").await;
    project.integrations.send(&told(&[("a", false)])).await.unwrap();
    assert_eq!(project.requests().await, [LIST, "GET personal_access_tokens/self"]);
}

#[tokio::test]
async fn a_repeat_only_looks() {
    let first = told(&[("a", true)]);
    let (data, region) = made(&first).await;
    let same = ok(&issue(&first, &region, json!({})));
    let mut project = Project::start(&[same, ok(&json!([])), failed("403 No")], "").await;
    let repeat = Notification { reason: Reason::Repeat, ..after(&data, first) };
    let kept = project.integrations.send(&repeat).await.unwrap();
    assert_eq!(kept["gitlab.iid"], data["gitlab.iid"]);
    assert_eq!(project.requests().await, [ISSUE, LIST, "GET personal_access_tokens/self"]);
}

#[tokio::test]
async fn a_change_updates_our_region_and_comments_in_four_requests() {
    let first = told(&[("a", true)]);
    let (data, region) = made(&first).await;
    let before = issue(&first, &region, json!({"labels": ["alertmanager", "human"]}));
    let mut project = Project::start(&[ok(&before), ok(&json!([])), ok(&before), ok(&json!({}))], "").await;
    let more = after(&data, told(&[("a", true), ("b", true)]));
    project.integrations.send(&more).await.unwrap();
    project.request().await;
    project.request().await;
    let (line, body) = project.request().await;
    assert_eq!((line.as_str(), body.as_object().unwrap().len()), (UPDATE, 1));
    let description = body["description"].as_str().unwrap();
    assert!(description.contains("instance = b") && description.ends_with("-->\nmine"), "{description}");
    let (line, body) = project.request().await;
    assert_eq!(line, COMMENT);
    let comment = body["body"].as_str().unwrap();
    assert!(comment.starts_with("Firing: 2, resolved: 0."), "{comment}");
    assert!(comment.ends_with(&format!("\n\n<!-- watchbell:note {} -->", identity::identity(&more))), "{comment}");
    assert_eq!(project.server.pending(), 0);
}

#[tokio::test]
async fn a_comment_that_failed_is_all_that_is_done_again_and_only_if_it_is_not_there() {
    let first = told(&[("a", true)]);
    let (data, region) = made(&first).await;
    let before = issue(&first, &region, json!({}));
    let answers = [ok(&before), ok(&json!([])), ok(&before), failed("500 Oh")];
    let mut project = Project::start(&answers, "").await;
    let more = after(&data, told(&[("a", true), ("b", true)]));
    let failure = project.integrations.send(&more).await.unwrap_err();
    assert!(failure.retry && failure.text.starts_with("POST projects/3/issues/5/notes: "), "{failure:?}");
    project.request().await;
    project.request().await;
    let updated = issue(&first, "x", json!({"description": project.request().await.1["description"]}));
    let (_, comment) = project.request().await;

    let mut retry = Project::start(&[ok(&updated), ok(&json!([])), ok(&json!([])), ok(&json!({}))], "").await;
    retry.integrations.send(&more).await.unwrap();
    assert_eq!(retry.requests().await, [ISSUE, LIST, "GET projects/3/issues/5/notes", COMMENT]);

    let note = json!({"body": comment["body"], "author": {"id": 9}, "system": false});
    let mut retry = Project::start(&[ok(&updated), ok(&json!([])), ok(&json!([note])), ok(&json!({}))], "").await;
    retry.integrations.send(&more).await.unwrap();
    let expected = [ISSUE, LIST, "GET projects/3/issues/5/notes", "GET personal_access_tokens/self"];
    assert_eq!(retry.requests().await, expected);
}

#[tokio::test]
async fn the_end_of_all_alerts_closes_the_issue_unless_people_want_it_open() {
    let first = told(&[("a", true)]);
    let (data, region) = made(&first).await;
    let over = after(&data, told(&[("a", false)]));
    for (settings, changes, closes) in [
        ("", json!({}), true),
        ("", json!({"labels": ["alertmanager", "keep-open"]}), false),
        (", close_on_resolved: false", json!({}), false),
        (", close_only_untouched: true", json!({"assignees": [{"id": 4}]}), false),
    ] {
        let open = issue(&first, &region, changes);
        let mut project = Project::start(&[ok(&open), ok(&json!([])), ok(&open), ok(&json!({}))], settings).await;
        project.integrations.send(&over).await.unwrap();
        project.request().await;
        project.request().await;
        let (line, body) = project.request().await;
        assert_eq!((line.as_str(), body.get("state_event").is_some()), (UPDATE, closes), "{settings}");
        assert_eq!(project.request().await.0, COMMENT);
    }
}

#[tokio::test]
async fn a_rival_with_a_greater_number_is_closed_as_duplicate() {
    let first = told(&[("a", true)]);
    let (data, region) = made(&first).await;
    let mine = issue(&first, &region, json!({}));
    let rival = issue(&first, &region, json!({"id": 106, "iid": 6}));
    let closed = issue(&first, &region, json!({"id": 106, "iid": 6, "state": "closed"}));
    let answers = [ok(&mine), ok(&json!([rival])), ok(&mine), ok(&rival), ok(&json!({})), ok(&closed)];
    let mut project = Project::start(&answers, "").await;
    project.integrations.send(&Notification { reason: Reason::Repeat, ..after(&data, first) }).await.unwrap();
    for expected in [ISSUE, LIST, ISSUE, "GET projects/3/issues/6"] {
        assert!(project.request().await.0.starts_with(expected));
    }
    let (line, body) = project.request().await;
    assert_eq!(line, "POST projects/3/issues/6/notes");
    assert!(body["body"].as_str().unwrap().ends_with("\n\n/duplicate #5"), "{body}");
    assert_eq!(project.request().await, ("PUT projects/3/issues/6".to_owned(), json!({"state_event": "close"})));
    assert_eq!(project.server.pending(), 0);
}

#[tokio::test]
async fn who_wants_a_lock_makes_the_issue_under_a_label() {
    let first = told(&[("a", true)]);
    let mine = issue(&first, "x", json!({}));
    let (none, some) = (ok(&json!([])), ok(&json!([mine])));
    let answers = [&none, &none, &ok(&json!({})), &none, &none, &ok(&mine), &ok(&json!({})), &some, &some];
    let mut project = Project::start(&answers.map(Clone::clone), ", create_lock: label").await;
    project.integrations.send(&first).await.unwrap();
    let label = format!("projects/a%2Fb/labels/watchbell-lock%3A%3A{}", &description::group_id("", &first.key)[..12]);
    let unlock = format!("DELETE {label}");
    let expected =
        [LIST, LIST, "POST projects/a%2Fb/labels", LIST, LIST, "POST projects/a%2Fb/issues", &unlock, LIST, LIST];
    assert_eq!(project.requests().await, expected);

    for (until, lets_go) in [("2026-01-02T03:05:00Z", false), ("2026-01-02T03:04:00Z", true)] {
        let taken = "409 Conflict\r\n\r\n{\"message\":\"Label already exists\"}".to_owned();
        let answers = [none.clone(), none.clone(), taken, ok(&json!({"description": until})), ok(&json!({}))];
        let mut project = Project::start(&answers, ", create_lock: label").await;
        let failure = project.integrations.send(&first).await.unwrap_err();
        assert!(failure.retry && failure.text.contains("another node"), "{failure:?}");
        assert_eq!(project.requests().await.contains(&unlock), lets_go);
    }
}

#[tokio::test]
async fn no_error_shows_the_token_and_only_what_passes_is_tried_again() {
    for (status, retry, after) in [
        ("401 No", false, None),
        ("404 No", false, None),
        ("429 Slow\r\nretry-after: 7", true, Some(7)),
        ("502 Bad", true, None),
    ] {
        let answer = format!("{status}\r\n\r\n{{\"message\": \"no t0ken\"}}");
        let project = Project::start(&[answer], "").await;
        let failure = project.integrations.send(&told(&[("a", true)])).await.unwrap_err();
        assert_eq!((failure.retry, failure.retry_after.map(|wait| wait.as_secs())), (retry, after), "{failure:?}");
        assert!(failure.text.contains("no <secret>") && !failure.text.contains("t0ken"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_token_that_was_exchanged_is_read_again() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old\n").unwrap();
    let mut server = WebServer::start(&[&ok(&json!([]))]).await;
    let yaml = format!(
        "gitlab_configs: [{{project: a/b, api_url: 'http://127.0.0.1:{}', token_file: '{}'}}]",
        server.port,
        file.path().display()
    );
    let integrations = integrations(&yaml, &surroundings()).unwrap();
    for token in ["old", "new"] {
        std::fs::write(file.path(), token).unwrap();
        integrations.send(&told(&[("a", false)])).await.unwrap();
        let request = server.request().await;
        assert!(request.contains(&format!("private-token: {token}\r\n")), "{request}");
        server.request().await;
    }
}

#[tokio::test]
async fn an_alert_is_told_by_its_fingerprint() {
    let mut server = WebServer::start(&["200 OK\r\n\r\n[]"]).await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "k3y\n").unwrap();
    let yaml = |identity: &str| {
        format!(
            "gitlab_configs: [{{project: a/b, mode: alert, alert_url: 'http://127.0.0.1:{}/notify.json', \
             alert_key_file: '{}', alert_identity: {identity}, severity: page}}]",
            server.port,
            key.path().display()
        )
    };
    let (group, each) = (yaml("group"), yaml("alert"));
    let mut bodies = Vec::new();
    for yaml in [&group, &group, &each] {
        let integrations = integrations(yaml, &surroundings()).unwrap();
        integrations.send(&told(&[("a", true), ("b", false)])).await.unwrap();
    }
    for _ in 0..4 {
        let request = server.request().await;
        assert!(request.contains("authorization: Bearer k3y\r\n"), "{request}");
        bodies.push(serde_json::from_str::<Value>(request.split_once("\r\n\r\n").unwrap().1).unwrap());
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["fingerprint"], description::group_id("", &told(&[("a", true)]).key));
    assert_eq!((&bodies[0]["severity"], bodies[0].get("end_time")), (&json!("high"), None));
    assert_ne!(bodies[2]["fingerprint"], bodies[3]["fingerprint"]);
    assert_eq!((bodies[2].get("end_time"), &bodies[3]["end_time"]), (None, &json!("2026-01-02T03:05:05Z")));
}
