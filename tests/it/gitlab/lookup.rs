//! How an issue is found again: among many, in which project, after people moved it, deleted it or took its marker.

use jiff::ToSpan;
use serde_json::json;

use super::fake::{Gitlab, Issue, Operation};
use super::lab::{ISSUES, Lab, PROJECT, alarm, check_requests, issues, labelled, prepare};
use super::node::{Node, block_on, notification};

/// Issues of other groups, more than two pages of a hundred hold.
const OTHERS: u64 = 260;

/// Fills the project with open issues like ours, made by the same user.
fn crowd(gitlab: &Gitlab) {
    gitlab.change(|world| {
        let project = world.find_project(PROJECT).expect("it is there").id;
        let (author, created_at) = (world.user_named("watchbell").expect("it is there").id, world.now() - 24.hours());
        for _ in 0..OTHERS {
            let id = world.new_id();
            let iid = world.next_iid(project);
            let description = format!("<!-- watchbell:v1 key={iid:064x} -->");
            let labels = vec!["alertmanager".to_owned()];
            world.issues.push(Issue { id, iid, description, labels, ..Issue::new(project, author, created_at) });
        }
    });
}

#[test]
fn f3_09_an_issue_is_found_among_hundreds_and_is_cheap_to_keep() {
    block_on(async {
        let gitlab = Gitlab::start_here(prepare);
        crowd(&gitlab);
        let mut node = Node::new(&gitlab, "");
        node.tell(notification("Fire", &[("a", true)])).await.expect("it is told");
        let made = OTHERS + 1;
        assert_eq!(gitlab.look(|world| issues(world, PROJECT).last().map(|issue| issue.iid)), Some(made));
        let lists = |since: usize| {
            let listed = gitlab.journal().into_iter().skip(since);
            listed.filter(|entry| entry.call.operation == Operation::ListIssues).count()
        };
        assert!(lists(0) >= 3, "all pages were read");

        // Another node, which remembers nothing, finds it on the last page.
        let mut other = Node::new(&gitlab, "");
        other.tell(notification("Fire", &[("a", true)])).await.expect("it is told");
        assert_eq!(gitlab.look(|world| world.issues.len() as u64), made);

        // From then on few requests will do, whatever is told.
        for alerts in [&[("a", true)][..], &[("a", true), ("b", true)], &[("a", true)], &[("a", false)]] {
            let before = gitlab.journal().len();
            node.tell(notification("Fire", alerts)).await.expect("it is told");
            let asked = gitlab.journal().len() - before;
            assert!(asked <= 4, "{asked} requests for {alerts:?}");
        }
        assert!(gitlab.journal().iter().all(|entry| !entry.call.has_query("search")));
        check_requests(&gitlab);
    });
}

#[test]
fn f3_13_a_template_chooses_the_project_and_one_that_is_not_there_stops_nobody() {
    let lab = Lab::start(&[("team", "project: '{{ .CommonLabels.project }}'")]);
    let alert = |name: &str, project: &str| labelled(alarm("team", name, "a"), "project", project);
    let number = lab.gitlab.look(|world| world.find_project("tools/other").expect("it is there").id.to_string());
    lab.post(&[
        alert("Lost", "tools/nowhere"),
        alert("Fire", PROJECT),
        alert("Flood", "tools/other"),
        alert("Frost", &number),
    ]);
    for (name, project) in [("Fire", PROJECT), ("Flood", "tools/other"), ("Frost", "tools/other")] {
        let issue = lab.await_issue(name);
        assert_eq!(lab.gitlab.look(|world| world.project(issue.project).path.clone()), project);
    }
    lab.wait("the failure is counted", || {
        let failed = "alertmanager_notifications_failed_total{integration=\"gitlab\"";
        (lab.metric(failed) >= 1.0).then_some(())
    });
    let paths: Vec<_> = lab.asked().into_iter().map(|entry| entry.call.path).collect();
    assert!(paths.iter().any(|path| path == "/api/v4/projects/tools%2Fdeep%2Fsite/issues"), "{paths:?}");
    assert_eq!(lab.gitlab.look(|world| world.issues.len()), 3);
    lab.wait("it is in the log", || lab.router.log().contains("404 Project Not Found").then_some(()));
    assert!(!lab.router.log().contains("glpat"), "{}", lab.router.log());
}

#[test]
fn f3_14_a_moved_issue_is_followed() {
    let lab = Lab::start(&[("team", "send_resolved: true")]);
    lab.post(&[alarm("team", "Fire", "a")]);
    let issue = lab.await_issue("Fire");
    lab.settle();
    let other = lab.gitlab.look(|world| world.find_project("tools/other").expect("it is there").id);
    lab.ann().post(&format!("{ISSUES}/{}/move", issue.iid), &json!({"to_project_id": other}));
    lab.post(&[alarm("team", "Fire", "b")]);
    let told = |issue: &Issue| issue.project == other && issue.description.contains("b is in need");
    lab.await_state("Fire", "told where it is now", told);
    lab.settle();
    assert_eq!(lab.gitlab.look(|world| (issues(world, PROJECT).len(), issues(world, "tools/other").len())), (1, 1));
    lab.post(&[super::lab::over(alarm("team", "Fire", "a")), super::lab::over(alarm("team", "Fire", "b"))]);
    lab.await_state("Fire", "closed", |issue| !issue.open);
}

#[test]
fn f3_14_what_was_deleted_or_lost_its_marker_is_replaced() {
    let lab = Lab::start(&[("team", "send_resolved: true")]);
    lab.post(&[alarm("team", "Fire", "a"), alarm("team", "Flood", "a")]);
    let [fire, flood] = ["Fire", "Flood"].map(|word| lab.await_issue(word).iid);
    lab.settle();
    let ann = lab.ann();
    let deleted = ann.ask(&ann.request("DELETE", &format!("{ISSUES}/{fire}"))).expect("an answer");
    assert_eq!(deleted.status, 204);
    ann.put(&format!("{ISSUES}/{flood}"), &json!({"description": "Mine now.", "title": "The cellar"}));
    lab.post(&[alarm("team", "Fire", "b"), alarm("team", "Flood", "b")]);
    let [fire_now, flood_now] = ["Fire", "Flood"].map(|word| lab.await_issue(word));
    lab.settle();
    assert!(fire_now.iid > fire && flood_now.iid > flood);
    let left = lab.issue("The cellar");
    assert_eq!((left.iid, left.description.as_str(), left.open), (flood, "Mine now.", true));
    assert_eq!(lab.issues().len(), 3);
    let log = lab.router.log();
    assert!(
        log.lines().any(|line| line.contains("WARN") || line.contains("level=warn")) && log.contains("marker"),
        "{log}"
    );
}
