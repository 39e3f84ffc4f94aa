//! The stand-in's own faults and limits: what a test asks for befalls the request, and nothing else does.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Barrier;

use super::fake::{Answer, End, Fate, Gitlab, Level, Throttle, Treatment};
use super::person::Person;
use crate::harness::wait::eventually;

const ISSUES: &str = "projects/a%2Fb/issues";

fn gitlab() -> Gitlab {
    Gitlab::start(|world| {
        world.add_user("ann");
        world.add_project("a/b", &[("ann", Level::Owner)]);
    })
}

fn titles(ann: &Person) -> Vec<String> {
    let found = ann.get(&format!("{ISSUES}?sort=asc"));
    found.as_array().expect("a list").iter().map(|issue| issue["title"].as_str().expect("a title").to_owned()).collect()
}

#[test]
fn an_answer_is_lost_or_wrong_after_all_is_done() {
    let gitlab = gitlab();
    let ann = Person::of(&gitlab, "ann");
    gitlab.treat(|call| match call.body.get("title").and_then(|title| title.as_str()) {
        Some("failed") => Treatment::ending(End::Fail),
        Some("cut") => Treatment::ending(End::Cut),
        Some("refused") => Treatment::refused(Answer::message(503, "503 Service Unavailable")),
        _ => Treatment::default(),
    });
    let make = |title: &str| ann.ask(&ann.request("POST", ISSUES).json(json!({ "title": title }).to_string()));
    let status = |title| make(title).expect("an answer").status;
    assert_eq!((status("failed"), status("refused"), status("well")), (500, 503, 201));
    assert!(make("cut").is_err());
    assert_eq!(titles(&ann), ["failed", "well", "cut"]);
    let fates: Vec<_> = gitlab.journal().into_iter().map(|entry| entry.fate).collect();
    let answered = Fate::Answered;
    assert_eq!(fates, [answered(500), answered(503), answered(201), Fate::Cut, answered(200)]);
}

#[test]
fn requests_wait_for_each_other() {
    let gitlab = gitlab();
    let ann = Person::of(&gitlab, "ann");
    let gate = Arc::new(Barrier::new(2));
    gitlab.treat(move |_| Treatment { gate: Some(Arc::clone(&gate)), ..Treatment::default() });
    thread::scope(|scope| {
        let first = scope.spawn(|| ann.post(ISSUES, &json!({"title": "one"})));
        eventually("the first has come", || (gitlab.journal().len() == 1).then_some(()));
        assert_eq!((gitlab.journal()[0].fate.clone(), first.is_finished()), (Fate::Pending, false));
        ann.post(ISSUES, &json!({"title": "two"}));
    });
    assert_eq!(gitlab.look(|world| world.issues.len()), 2);
}

#[test]
fn who_takes_the_first_number_may_be_seen_last() {
    let gitlab = gitlab();
    let ann = Person::of(&gitlab, "ann");
    gitlab.treat(|call| match call.body.get("title").and_then(|title| title.as_str()) {
        Some("slow") => Treatment { commit: Duration::from_secs(5), ..Treatment::default() },
        _ => Treatment::default(),
    });
    thread::scope(|scope| {
        let slow = scope.spawn(|| ann.post(ISSUES, &json!({"title": "slow"})));
        eventually("it has its number", || gitlab.look(|world| world.projects[0].last_iid == 1).then_some(()));
        assert_eq!(ann.post(ISSUES, &json!({"title": "quick"}))["iid"], 2);
        assert_eq!(slow.join().expect("it is made")["iid"], 1);
    });
    let order = gitlab.look(|world| world.issues.iter().map(|issue| issue.iid).collect::<Vec<_>>());
    assert_eq!(order, [2, 1], "in the order in which they were seen");
}

#[test]
fn reads_may_be_old_news() {
    let gitlab = gitlab();
    let ann = Person::of(&gitlab, "ann");
    gitlab.remember();
    ann.post(ISSUES, &json!({"title": "new"}));
    gitlab.treat(|_| Treatment { lag: Duration::from_secs(9), ..Treatment::default() });
    assert!(titles(&ann).is_empty());
    gitlab.treat(|_| Treatment::default());
    assert_eq!(titles(&ann), ["new"]);
}

#[test]
fn who_asks_too_much_is_told_so_in_both_forms() {
    let gitlab = gitlab();
    let ann = Person::of(&gitlab, "ann");
    let make = || ann.ask(&ann.request("POST", ISSUES).json(json!({"title": "x"}).to_string())).expect("an answer");
    gitlab.change(|world| world.limits.new_issues = Some(0));
    let refused = make();
    assert_eq!((refused.status, refused.header("Retry-After").as_deref()), (429, Some("60")));
    assert!(refused.json()["message"]["error"].as_str().is_some_and(|text| text.contains("too many times")));
    gitlab.change(|world| world.limits.throttle = Some(Throttle { requests: 1, seconds: 3600 }));
    let refused =
        [make(), make(), make()].into_iter().find(|answer| answer.text() == "Retry later\n").expect("the gate refuses");
    assert_eq!(refused.status, 429);
    assert!(refused.header("Retry-After").is_some() && refused.header("RateLimit-Limit").is_some());
    assert!(gitlab.look(|world| world.issues.is_empty()));
}
