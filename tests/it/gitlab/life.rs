//! The life of an issue: made once, kept up to date, closed, opened again, and what people did to it left alone.

use jiff::ToSpan;
use serde_json::json;

use super::fake::{Deed, Operation};
use super::lab::{ISSUES, Lab, alarm, labelled, over};
use super::node::{Node, block_on, notification};

#[test]
fn f3_01_what_fires_first_makes_one_issue() {
    let lab = Lab::start(&[("team", "labels: ['{{ .CommonLabels.severity }}', '{{ .CommonLabels.nothing }}', tools]")]);
    lab.post(&[alarm("team", "Fire", "a"), alarm("team", "Fire", "b")]);
    let issue = lab.await_issue("Fire");
    lab.settle();
    assert_eq!(lab.calls(Operation::CreateIssue).len(), 1);
    assert_eq!(lab.issues().len(), 1);
    assert_eq!(issue.labels, ["alertmanager", "critical", "tools"]);
    assert_eq!((issue.issue_type.as_str(), issue.confidential, issue.open), ("issue", false, true));
    assert!(issue.description.contains("a is in need") && issue.description.contains("b is in need"));
    let marker = issue.description.lines().next_back().expect("a last line");
    let key = marker.strip_prefix("<!-- watchbell:v1 key=").and_then(|rest| rest.strip_suffix(" -->"));
    assert!(key.is_some_and(|key| key.len() == 64 && key.chars().all(|digit| digit.is_ascii_hexdigit())), "{marker}");
    assert_eq!(lab.comments(&issue), [""; 0]);
}

#[test]
fn f3_01_what_is_over_before_it_was_told_makes_none() {
    block_on(async {
        let gitlab = super::fake::Gitlab::start_here(super::lab::prepare);
        let mut node = Node::new(&gitlab, "");
        node.tell(notification("Fire", &[("a", false)])).await.expect("there is nothing to do");
        assert!(gitlab.look(|world| world.issues.is_empty()));
        assert!(gitlab.journal().iter().all(|entry| entry.call.reads()));
        node.tell(notification("Fire", &[("a", true)])).await.expect("it is told");
        assert_eq!(gitlab.look(|world| world.issues.len()), 1);
    });
}

#[test]
fn f3_02_a_repetition_changes_nothing() {
    let lab = Lab::repeating("500ms", &[("team", "send_resolved: true")]);
    lab.post(&[alarm("team", "Fire", "a")]);
    let made = lab.await_issue("Fire");
    lab.wait("it was repeated", || (lab_reads(&lab) >= 4).then_some(()));
    assert_eq!((lab.calls(Operation::UpdateIssue).len(), lab.calls(Operation::CreateNote).len()), (0, 0));
    assert_eq!(lab.issue("Fire").updated_at, made.updated_at);
}

fn lab_reads(lab: &Lab) -> usize {
    lab.answered(Operation::GetIssue)
}

/// What people may write, with what is easily lost: spaces at the end, other alphabets, code with a command in it.
const BEFORE: &str = "\n  Call the harbour first!  \n\tآن سوی دریا 🚢\n```\n/close\n```\n\n";
const AFTER: &str = "\n\n* [ ] rope\n* [x] <b>bell</b>\n\n";

#[test]
fn f3_03_a_change_is_told_once_and_what_people_wrote_stays() {
    let lab = Lab::start(&[("team", "labels: ['{{ .CommonLabels.severity }}']")]);
    lab.post(&[alarm("team", "Fire", "a")]);
    let issue = lab.await_issue("Fire");
    let (head, marker) = issue.description.rsplit_once("<!-- watchbell:v1").expect("the marker");
    let edited = format!("{BEFORE}{head}{AFTER}<!-- watchbell:v1{marker}\nPS: thanks");
    let path = format!("{ISSUES}/{}", issue.iid);
    lab.ann().put(&path, &json!({"description": edited, "labels": ["alertmanager", "mine: ü"]}));
    lab.settle();

    lab.post(&[alarm("team", "Fire", "b")]);
    let issue = lab.await_state("Fire", "about b too", |issue| issue.description.contains("b is in need"));
    lab.settle();
    assert_eq!(outside(&issue.description), outside(&edited));
    assert!(issue.description.contains("a is in need"));
    assert_eq!(issue.labels, ["alertmanager", "mine: ü"]);
    assert_eq!(lab.comments(&issue).len(), 1);
    assert_eq!(lab.calls(Operation::UpdateIssue).len(), 1);
    assert!(!lab.gitlab.look(|world| world.deeds.iter().any(|deed| matches!(deed, Deed::Command { .. }))));
}

/// A description without what stands between our two fences.
fn outside(description: &str) -> (&str, &str) {
    let (before, rest) = description.split_once("<!-- watchbell:begin -->").expect("our region begins");
    (before, rest.split_once("<!-- watchbell:end -->").expect("our region ends").1)
}

#[test]
fn f3_04_what_is_over_is_closed_once_unless_people_object() {
    let careful = "close_only_untouched: true";
    let receivers = [("plain", "send_resolved: true"), ("careful", careful), ("open", "close_on_resolved: false")];
    let lab = Lab::start(&receivers);
    let alerts = [
        alarm("plain", "Fire", "a"),
        alarm("plain", "Kept", "a"),
        alarm("careful", "Noted", "a"),
        alarm("careful", "Assigned", "a"),
        alarm("careful", "Renamed", "a"),
        alarm("open", "Stays", "a"),
    ];
    lab.post(&alerts);
    let path = |word: &str| format!("{ISSUES}/{}", lab.await_issue(word).iid);
    let ann = lab.ann();
    ann.put(&path("Kept"), &json!({"add_labels": "keep-open"}));
    ann.post(&format!("{}/notes", path("Noted")), &json!({"body": "I am on it."}));
    ann.put(
        &path("Assigned"),
        &json!({"assignee_ids": [lab.gitlab.look(|world| world.user_named("bob").map(|bob| bob.id))]}),
    );
    ann.put(&path("Renamed"), &json!({"title": "Renamed by a human"}));
    for word in ["Fire", "Stays"] {
        path(word);
    }
    lab.settle();

    lab.post(&alerts.map(over));
    for word in ["Fire", "Renamed"] {
        lab.await_state(word, "closed", |issue| !issue.open);
    }
    lab.settle();
    let open: Vec<_> = lab.issues().into_iter().filter(|issue| issue.open).map(|issue| issue.title).collect();
    let stays = |word: &str| open.iter().any(|title| title.contains(word));
    assert!(["Kept", "Noted", "Assigned", "Stays"].iter().all(|word| stays(word)) && open.len() == 4, "{open:?}");
    for word in ["Fire", "Kept", "Noted", "Assigned", "Renamed", "Stays"] {
        assert_eq!(lab.comments(&lab.issue(word)).len(), 1, "what is over is said of {word}");
    }
    let closed =
        lab.calls(Operation::UpdateIssue).into_iter().filter(|entry| entry.call.body.contains_key("state_event"));
    assert_eq!(closed.count(), 2);
}

#[test]
fn f3_05_what_comes_back_soon_is_opened_again() {
    let lab = Lab::start(&[("team", "reopen: true")]);
    let (fire, flood) = (alarm("team", "Fire", "a"), alarm("team", "Flood", "a"));
    close(&lab, &[&fire, &flood], &["Fire", "Flood"]);
    lab.ann().put(&format!("{ISSUES}/{}", lab.issue("Flood").iid), &json!({"add_labels": "wontfix"}));
    let lists = lab.answered(Operation::ListIssues);
    lab.post(&[fire.clone(), flood.clone()]);
    lab.await_state("Fire", "open again", |issue| issue.open);
    lab.wait("both were looked at", || (lab.answered(Operation::ListIssues) >= lists + 2).then_some(()));
    lab.settle();
    assert_eq!(lab.issues().len(), 2);
    assert!(!lab.issue("Flood").open, "what people will not fix stays closed");
    assert_eq!(lab.comments(&lab.issue("Fire")).len(), 2, "over, and firing again");
}

#[test]
fn f3_05_what_comes_back_late_makes_another_issue_that_names_the_old_one() {
    let lab = Lab::start(&[("team", "reopen: true"), ("never", "reopen: false"), ("short", "reopen_duration: 0s")]);
    let alerts = [alarm("team", "Fire", "a"), alarm("never", "Flood", "a"), alarm("short", "Frost", "a")];
    close(&lab, &alerts.each_ref(), &["Fire", "Flood", "Frost"]);
    lab.gitlab.change(|world| {
        let yesterday = world.now() - 25.hours();
        let fire = world.issues.iter_mut().find(|issue| issue.title.contains("Fire")).expect("it is there");
        fire.closed_at = Some(yesterday);
        fire.updated_at = yesterday;
    });
    lab.post(&alerts);
    let issues = lab.until("there are new ones", |world| Some(world.issues.clone()).filter(|issues| issues.len() == 6));
    lab.settle();
    assert_eq!(lab.issues().len(), 6);
    for word in ["Fire", "Flood", "Frost"] {
        let [old, new] = [false, true].map(|open| {
            let found = issues.iter().find(|issue| issue.title.contains(word) && issue.open == open);
            found.unwrap_or_else(|| panic!("no issue about {word} with open: {open}"))
        });
        assert!(new.iid > old.iid && new.description.contains(&format!("#{}", old.iid)), "{}", new.description);
        let linked =
            lab.gitlab.look(|world| world.links.iter().any(|link| (link.source, link.target) == (new.id, old.id)));
        assert!(linked, "{word}");
    }
}

/// Lets these alerts fire and end, until their issues are closed.
fn close(lab: &Lab, alerts: &[&serde_json::Value], words: &[&str]) {
    let alerts: Vec<_> = alerts.iter().map(|alert| (*alert).clone()).collect();
    lab.post(&alerts);
    for word in words {
        lab.await_issue(word);
    }
    lab.settle();
    lab.post(&alerts.into_iter().map(over).collect::<Vec<_>>());
    for word in words {
        lab.await_state(word, "closed", |issue| !issue.open);
    }
    lab.settle();
}

#[test]
fn f3_04_the_group_ends_when_its_last_alert_does() {
    let lab = Lab::start(&[("team", "send_resolved: true")]);
    let (a, b) = (alarm("team", "Fire", "a"), labelled(alarm("team", "Fire", "b"), "extra", "x"));
    lab.post(&[a.clone(), b.clone()]);
    lab.await_issue("Fire");
    lab.settle();
    lab.post(&[over(a)]);
    lab.wait("it is said", || (lab.answered(Operation::CreateNote) == 1).then_some(()));
    lab.settle();
    assert!(lab.issue("Fire").open);
    lab.post(&[over(b)]);
    lab.await_state("Fire", "closed", |issue| !issue.open);
}
