//! When GitLab says no: what is tried again and when, what is not, what is said of it, and what is not done twice.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use watchbell_engine::notification::FailureKind;

use super::fake::{Answer, End, Fate, Gitlab, Operation, Treatment};
use super::lab::{Lab, PATIENCE, alarm, config, gitlab, over, post, prepare};
use super::node::{Node, block_on, notification};
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

#[test]
fn f3_10_who_is_told_to_wait_waits_that_long() {
    let gitlab = gitlab();
    let refused = AtomicUsize::new(0);
    gitlab.treat(move |call| {
        let wait = || Answer::json(429, &json!({"message": {"error": "too many"}})).header("retry-after", 7);
        let refuse = call.operation == Operation::ListIssues && refused.fetch_add(1, Ordering::Relaxed) == 0;
        if refuse { Treatment::refused(wait()) } else { Treatment::default() }
    });
    let lab = Lab { router: start(&gitlab), gitlab };
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.await_issue("Fire");
    let asked = lab.asked();
    assert_eq!(asked[0].fate, Fate::Answered(429));
    let waited = asked[1].call.arrived - asked[0].call.arrived;
    assert!(waited >= Duration::from_secs(7), "{waited:?}");
}

fn start(gitlab: &Gitlab) -> Server {
    // Groups are looked at again less often than the wait lasts.
    let config = config(gitlab, "gitlab_token: glpat-watchbell", "24h", &[("team", "send_resolved: true")]);
    Server::start(Program::Watchbell, &config.replace("group_interval: 400ms", "group_interval: 40s"))
}

#[test]
fn f3_10_what_may_pass_is_tried_again_and_what_will_not_is_said_without_the_token() {
    let limited = Answer::limited().header("x-note", "the application's");
    let throttled = Answer::throttled(10, 60);
    let wait = Some(Duration::from_secs(60));
    let message = |status, text| Answer::message(status, text);
    let validation = json!({"message": {"title": ["can't be blank"]}});
    let scope = json!({"error": "insufficient_scope", "error_description": "needs more", "scope": "api"});
    let cases = [
        (limited, FailureKind::RateLimited, true, wait, "too many times"),
        (throttled, FailureKind::RateLimited, true, wait, "Retry later"),
        (message(500, "500 Internal Server Error"), FailureKind::ServerError, true, None, "Internal"),
        (Answer::text(502, "<html>Bad Gateway</html>"), FailureKind::ServerError, true, None, "502"),
        (message(503, "503 Service Unavailable"), FailureKind::ServerError, true, None, "503"),
        (message(409, "409 Conflict: Resource lock"), FailureKind::ClientError, true, None, "Resource lock"),
        (Answer::bad_parameter("title is missing"), FailureKind::ClientError, false, None, "title is missing"),
        (Answer::json(400, &validation), FailureKind::ClientError, false, None, "can't be blank"),
        (message(401, "401 Unauthorized"), FailureKind::AuthError, false, None, "401 Unauthorized"),
        (Answer::json(403, &scope), FailureKind::AuthError, false, None, "insufficient_scope"),
        (message(404, "404 Project Not Found"), FailureKind::ClientError, false, None, "404 Project Not Found"),
        (message(422, "glpat-watchbell is unprocessable"), FailureKind::ClientError, false, None, "unprocessable"),
    ];
    block_on(async {
        for (answer, kind, retry, retry_after, text) in cases {
            let gitlab = Gitlab::start_here(prepare);
            gitlab.treat(move |call| match call.operation {
                Operation::CreateIssue => Treatment::refused(answer.clone()),
                _ => Treatment::default(),
            });
            let mut node = Node::new(&gitlab, "");
            let failure = node.tell(notification("Fire", &[("a", true)])).await.expect_err("it is refused");
            assert_eq!((failure.kind, failure.retry, failure.retry_after), (kind, retry, retry_after), "{failure:?}");
            assert!(failure.text.contains(text) && !failure.text.contains("glpat-"), "{failure:?}");
            let posts = gitlab.journal().iter().filter(|entry| entry.call.operation == Operation::CreateIssue).count();
            assert_eq!(posts, 1, "{text}");
        }
    });
}

#[test]
fn f3_10_the_reason_reaches_the_log_and_the_metrics_and_the_token_does_not() {
    let lab = Lab::start(&[("team", "send_resolved: true")]);
    lab.gitlab.treat(|call| match call.operation {
        Operation::CreateIssue => Treatment::refused(Answer::invalid("title", "is not to our liking")),
        _ => Treatment::default(),
    });
    lab.post(&[alarm("team", "Fire", "a")]);
    eventually_within(PATIENCE, "it is in the log", || lab.router.log().contains("is not to our liking").then_some(()));
    let metrics = lab.router.client().get("/metrics").ok().text();
    let status = lab.router.client().get("/api/v2/status").ok().text();
    for text in [lab.router.log(), metrics, status] {
        assert!(!text.contains("glpat-"), "{text}");
    }
    assert!(lab.metric("watchbell_gitlab_requests_total{outcome=\"client_error\"") >= 1.0);
    assert!(
        lab.metric("alertmanager_notifications_failed_total{integration=\"gitlab\",receiver_name=\"team\"") >= 1.0
            || lab.metric("alertmanager_notifications_failed_total{integration=\"gitlab\"") >= 1.0
    );
}

#[test]
fn f3_18_another_token_in_the_file_is_used_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let file = dir.path().join("token");
    fs::write(&file, "glpat-watchbell\n").expect("it can be written");
    let gitlab = gitlab();
    gitlab.change(|world| {
        world.add_token("watchbell", "glpat-watchbell-2", &["api"]);
        world.add_token("watchbell", "glpat-watchbell-3", &["api"]);
        for token in &mut world.tokens {
            token.expires_at = Some("2031-02-03".parse().expect("a date"));
        }
    });
    let config =
        config(&gitlab, &format!("gitlab_token_file: {}", file.display()), "24h", &[("team", "send_resolved: true")]);
    let lab = Lab { router: Server::start(Program::Watchbell, &config), gitlab };
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.await_issue("Fire");
    lab.settle();

    // Between two notifications.
    fs::write(&file, "glpat-watchbell-2").expect("it can be written");
    let revoke = |secret: &str| {
        lab.gitlab.change(|world| {
            world.tokens.iter_mut().filter(|token| token.secret == secret).for_each(|token| token.revoked = true)
        });
    };
    revoke("glpat-watchbell");
    let before = lab.asked().len();
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.await_state("Fire", "about b", |issue| issue.description.contains("b is in need"));
    lab.settle();
    assert!(
        lab.asked()
            .iter()
            .skip(before)
            .all(|entry| entry.fate == Fate::Answered(200) || entry.fate == Fate::Answered(201))
    );

    // In the middle of one: the file is written while a request is on its way, and the old token is refused.
    let swapped = AtomicBool::new(false);
    let path = file.clone();
    lab.gitlab.treat(move |call| {
        if call.operation == Operation::UpdateIssue && !swapped.swap(true, Ordering::Relaxed) {
            fs::write(&path, "glpat-watchbell-3").expect("it can be written");
            return Treatment::refused(Answer::message(401, "401 Unauthorized"));
        }
        Treatment::default()
    });
    lab.post(&[alarm("team", "Fire", "c")]);
    lab.await_state("Fire", "about c", |issue| issue.description.contains("c is in need"));
    lab.settle();
    let updates = lab.calls(Operation::UpdateIssue);
    let tokens: Vec<_> = updates.iter().rev().take(2).map(|entry| entry.call.token().unwrap_or_default()).collect();
    assert_eq!(tokens, ["glpat-watchbell-3", "glpat-watchbell-2"]);

    assert!(lab.metric("alertmanager_notification_requests_total{integration=\"gitlab\"") >= 3.0);
    assert_eq!(lab.metric("alertmanager_notification_requests_failed_total{integration=\"gitlab\"") as u64, 0);

    // The end of the token is asked for when there is little else to ask.
    lab.router.reload(&config.replace("24h", "500ms")).ok();
    let expires = "watchbell_gitlab_token_expires_timestamp_seconds{";
    let day: jiff::Timestamp = "2031-02-03T00:00:00Z".parse().expect("a time");
    eventually_within(PATIENCE, "the token's end is known", || {
        (lab.metric(expires) == day.as_second() as f64).then_some(())
    });
}

#[test]
fn f3_20_what_is_done_is_not_done_again_when_the_rest_fails() {
    let lab = Lab::start(&[("team", "send_resolved: true")]);
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.await_issue("Fire");
    lab.settle();
    let refusing = Arc::new(AtomicBool::new(true));
    let refuses = Arc::clone(&refusing);
    lab.gitlab.treat(move |call| {
        if call.operation == Operation::CreateNote && refuses.load(Ordering::Relaxed) {
            return Treatment::refused(Answer::message(500, "500 Internal Server Error"));
        }
        Treatment::default()
    });
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.wait("the comment has failed twice", || (lab.answered(Operation::CreateNote) >= 2).then_some(()));
    refusing.store(false, Ordering::Relaxed);
    lab.wait("the comment is there", || (lab.comments(&lab.issue("Fire")).len() == 1).then_some(()));
    lab.settle();
    assert_eq!(lab.calls(Operation::UpdateIssue).len(), 1, "the description was changed once");
    assert_eq!(lab.comments(&lab.issue("Fire")).len(), 1);
}

#[test]
fn f3_20_a_comment_that_was_made_behind_an_error_is_not_made_again() {
    for end in [End::Fail, End::Cut] {
        let lab = Lab::start(&[("team", "send_resolved: true")]);
        lab.post(&[alarm("team", "Fire", "a")]);
        lab.await_issue("Fire");
        lab.settle();
        let failed = AtomicBool::new(false);
        lab.gitlab.treat(move |call| {
            let first = call.operation == Operation::CreateNote && !failed.swap(true, Ordering::Relaxed);
            if first { Treatment::ending(end) } else { Treatment::default() }
        });
        lab.post(&[alarm("team", "Fire", "b")]);
        lab.wait("the comment is there", || (lab.comments(&lab.issue("Fire")).len() == 1).then_some(()));
        lab.settle();
        assert_eq!(lab.comments(&lab.issue("Fire")).len(), 1, "{end:?}");
        lab.post(&[over(alarm("team", "Fire", "a")), over(alarm("team", "Fire", "b"))]);
        lab.await_state("Fire", "closed", |issue| !issue.open);
    }
}

/// Only what the log remembers survives a kill: a notification whose comment failed is not in it, and is told again.
#[test]
fn f3_20_what_is_not_all_told_is_told_again_after_a_kill() {
    let gitlab = gitlab();
    gitlab.treat(|call| match call.operation {
        Operation::UpdateIssue => Treatment::refused(Answer::message(500, "500 Internal Server Error")),
        _ => Treatment::default(),
    });
    let config = config(&gitlab, "gitlab_token: glpat-watchbell", "24h", &[("team", "send_resolved: true")]);
    let mut lab = Lab { router: Server::start(Program::Watchbell, &config), gitlab };
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.await_issue("Fire");
    lab.settle();
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.wait("it has failed twice", || (lab.answered(Operation::UpdateIssue) >= 2).then_some(()));
    lab.router.kill();
    lab.gitlab.treat(|_| Treatment::default());
    lab.router.launch();
    post(&lab.router, &[alarm("team", "Fire", "a"), alarm("team", "Fire", "b")]);
    lab.await_state("Fire", "about b", |issue| issue.description.contains("b is in need"));
    lab.wait("it is said", || (lab.comments(&lab.issue("Fire")).len() == 1).then_some(()));
    assert_eq!(lab.issues().len(), 1);
}
