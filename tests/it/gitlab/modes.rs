//! Incidents, alerts, and whom and what an issue is given.

use std::fs;

use serde_json::json;

use super::fake::{Deed, Operation};
use super::lab::{Lab, PROJECT, alarm, config, gitlab, labelled, over};
use crate::harness::server::{Program, Server};

#[test]
fn f3_15_an_incident_gets_its_severity_once() {
    let lab = Lab::repeating("700ms", &[("team", "mode: incident, severity_map: {critical: high}")]);
    lab.post(&[alarm("team", "Fire", "a"), labelled(alarm("team", "Flood", "a"), "severity", "odd")]);
    let fire = lab.await_state("Fire", "severe", |issue| issue.severity == "high");
    let flood = lab.await_issue("Flood");
    assert_eq!((fire.issue_type.as_str(), flood.issue_type.as_str()), ("incident", "incident"));
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.await_state("Fire", "about b", |issue| issue.description.contains("b is in need"));
    let lists = lab.answered(Operation::ListIssues);
    lab.wait("it was repeated", || (lab.answered(Operation::ListIssues) >= lists + 4).then_some(()));
    let commands = lab.gitlab.look(|world| world.deeds.clone());
    let severity = |deed: &Deed| matches!(deed, Deed::Command { name, .. } if name == "severity");
    assert_eq!(commands.iter().filter(|deed| severity(deed)).count(), 1, "{commands:?}");
    assert_eq!(lab.issue("Flood").severity, "unknown");

    // What people set stays.
    lab.ann().post(&format!("{}/{}/notes", super::lab::ISSUES, fire.iid), &json!({"body": "/severity low"}));
    lab.post(&[alarm("team", "Fire", "c")]);
    lab.await_state("Fire", "about c", |issue| issue.description.contains("c is in need"));
    assert_eq!(lab.issue("Fire").severity, "low");
}

#[test]
fn f3_16_alerts_are_told_by_a_fingerprint_that_stays() {
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let key = dir.path().join("key");
    fs::write(&key, "alert-key\n").expect("it can be written");
    let gitlab = gitlab();
    gitlab.change(|world| world.project_mut(PROJECT).alert_key = Some("alert-key".to_owned()));
    let url = format!("http://{}/{PROJECT}/alerts/notify.json", gitlab.address());
    let settings = |identity: &str| {
        format!("mode: alert, alert_url: '{url}', alert_key_file: {}, alert_identity: {identity}", key.display())
    };
    let (each, group) = (settings("alert"), settings("group"));
    let config = config(&gitlab, "gitlab_token: glpat-watchbell", "700ms", &[("each", &each), ("group", &group)]);
    let lab = Lab { router: Server::start(Program::Watchbell, &config), gitlab };
    let began = |mut alert: serde_json::Value| {
        alert["startsAt"] = "2026-01-02T03:04:05Z".into();
        alert["annotations"]["summary"] = "The same for all".into();
        alert
    };
    let alerts = [("each", "Fire", "a"), ("each", "Fire", "b"), ("group", "Flood", "a"), ("group", "Flood", "b")];
    let alerts = alerts.map(|(to, name, instance)| began(alarm(to, name, instance)));
    lab.post(&alerts);
    lab.until("all were told again", |world| {
        let alerts = &world.alerts;
        (alerts.len() == 3 && alerts.iter().all(|alert| alert.events >= 3)).then_some(())
    });
    let told = lab.gitlab.look(|world| world.alerts.clone());
    assert!(told.iter().all(|alert| alert.severity == "critical" && alert.fingerprint.is_some() && !alert.ended));
    assert!(
        told.iter().all(|alert| alert.payload["start_time"]
            .as_str()
            .is_some_and(|time| time.starts_with("2026-01-02T03:04:05")))
    );

    // One of two is over.
    lab.post(&[over(alerts[0].clone())]);
    lab.until("one is over", |world| (world.alerts.iter().filter(|alert| alert.ended).count() == 1).then_some(()));
    lab.post(&alerts.clone().map(over));
    lab.until("all are over", |world| world.alerts.iter().all(|alert| alert.ended).then_some(()));
    assert_eq!(lab.gitlab.look(|world| (world.alerts.len(), world.issues.len())), (3, 0));
    assert!(lab.asked().iter().all(|entry| entry.call.operation != Operation::CreateIssue));
}

#[test]
fn f3_16_a_wrong_key_is_a_failure_that_is_told_without_it() {
    let gitlab = gitlab();
    gitlab.change(|world| world.project_mut(PROJECT).alert_key = Some("alert-key".to_owned()));
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let key = dir.path().join("key");
    fs::write(&key, "wrong-key").expect("it can be written");
    let url = format!("http://{}/{PROJECT}/alerts/notify/watch/0123456789abcdef.json", gitlab.address());
    let settings = format!("mode: alert, alert_url: '{url}', alert_key_file: {}", key.display());
    let config = config(&gitlab, "gitlab_token: glpat-watchbell", "24h", &[("team", &settings)]);
    let lab = Lab { router: Server::start(Program::Watchbell, &config), gitlab };
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.wait("it is refused", || (lab.answered(Operation::PostAlert) >= 1).then_some(()));
    lab.wait("it is in the log", || lab.router.log().contains("401").then_some(()));
    let log = lab.router.log();
    assert!(!log.contains("wrong-key") && !log.contains("0123456789abcdef"), "{log}");
    fs::write(&key, "alert-key").expect("it can be written");
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.until("it is told", |world| (world.alerts.len() == 1).then_some(()));
}

#[test]
fn f3_17_people_and_milestones_are_named_and_looked_up_once() {
    let settings =
        "assignees: ['{{ .CommonLabels.owner }}', ann], milestone: Autumn, due_in: 48h, confidential: 'true'";
    let lab = Lab::start(&[("team", settings)]);
    let milestone = lab.gitlab.change(|world| world.add_milestone(PROJECT, "Autumn"));
    let mut alert = labelled(alarm("team", "Fire", "a"), "owner", "bob");
    alert["startsAt"] = "2026-01-02T03:04:05Z".into();
    lab.post(&[alert.clone()]);
    let issue = lab.await_issue("Fire");
    lab.settle();
    let bob = lab.gitlab.look(|world| world.user_named("bob").map(|bob| bob.id));
    assert_eq!((issue.assignees.first().copied(), issue.assignees.len()), (bob, 1), "one at most, without a licence");
    assert_eq!((issue.milestone, issue.confidential), (Some(milestone), true));
    assert_eq!(issue.due_date.map(|date| date.to_string()).as_deref(), Some("2026-01-04"));

    let lookups = || lab.calls(Operation::ListUsers).len() + lab.calls(Operation::ListMilestones).len();
    assert_eq!(lookups(), 3);
    lab.post(&[
        labelled(alarm("team", "Flood", "a"), "owner", "bob"),
        labelled(alarm("team", "Fire", "b"), "owner", "bob"),
    ]);
    lab.await_issue("Flood");
    lab.await_state("Fire", "about b", |issue| issue.description.contains("b is in need"));
    lab.settle();
    assert_eq!(lookups(), 3, "they are known");
    assert!(lab.calls(Operation::UpdateIssue).iter().all(|entry| !entry.call.body.contains_key("assignee_ids")));
}

#[test]
fn f3_17_who_and_what_is_not_there_is_a_warning() {
    let lab = Lab::start(&[("team", "assignees: [nobody-here], milestone: Never")]);
    lab.post(&[alarm("team", "Fire", "a")]);
    let issue = lab.await_issue("Fire");
    assert!(issue.assignees.is_empty() && issue.milestone.is_none());
    let log = lab.router.log();
    assert!(log.contains("nobody-here") && log.contains("Never"), "{log}");
}

/// All that is ever asked for, in one life with everything switched on, is known to GitLab's API.
#[test]
fn f3_19_every_request_is_one_that_gitlab_knows() {
    let settings = "labels: [tools, '{{ .CommonLabels.severity }}'], assignees: [bob], milestone: Autumn, due_in: 1h, confidential: 'true', mode: incident, internal_notes: true, close_only_untouched: true, create_lock: label";
    let lab = Lab::repeating("1s", &[("team", settings)]);
    lab.gitlab.change(|world| world.add_milestone(PROJECT, "Autumn"));
    lab.post(&[alarm("team", "Fire", "a")]);
    lab.await_issue("Fire");
    lab.wait("the token's end was asked for", || (lab.answered(Operation::OwnToken) == 1).then_some(()));
    lab.post(&[alarm("team", "Fire", "b")]);
    lab.await_state("Fire", "about b", |issue| issue.description.contains("b is in need"));
    lab.post(&[over(alarm("team", "Fire", "a")), over(alarm("team", "Fire", "b"))]);
    lab.await_state("Fire", "closed", |issue| !issue.open);
    lab.settle();
    let mut used: Vec<_> = lab.asked().iter().map(|entry| entry.call.operation).collect();
    used.sort_unstable();
    used.dedup();
    for operation in [
        Operation::ListIssues,
        Operation::CreateIssue,
        Operation::GetIssue,
        Operation::UpdateIssue,
        Operation::ListNotes,
        Operation::CreateNote,
        Operation::CreateLabel,
        Operation::DeleteLabel,
        Operation::ListUsers,
        Operation::ListMilestones,
        Operation::OwnToken,
    ] {
        assert!(used.contains(&operation), "{operation:?} was not used: {used:?}");
    }
    let internal = lab.gitlab.look(|world| world.notes.iter().filter(|note| !note.system).all(|note| note.internal));
    assert!(internal);
}
