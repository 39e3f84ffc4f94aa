//! Debian's amtool does its work with the router as with Alertmanager.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::amtool::{amtool, amtool_alone};
use crate::harness::server::{Program, Server};

#[test]
fn amtool_works_with_alertmanager() {
    every_command(Program::Alertmanager);
}

#[test]
fn amtool_works_with_watchbell() {
    every_command(Program::Watchbell);
}

fn every_command(program: Program) {
    let server = Server::start(program, CONFIG);
    alerts_are_added_and_found(&server);
    silences_are_added_updated_and_expired(&server);
    silences_are_imported(&server);
    bad_requests_are_explained(&server);
    the_configuration_is_shown_and_can_be_loaded(&server);
    routes_are_shown_and_tested(&server);
    the_cluster_is_shown(&server);
}

fn alerts_are_added_and_found(server: &Server) {
    let added = amtool(server, &["alert", "add", "Fire", "site=harbour", "--annotation=summary=Smoke on deck"]).ok();
    assert_eq!(added, "");
    amtool(server, &["alert", "add", "Flood", "site=dock", "--end=2099-01-01T00:00:00Z"]).ok();

    let table = amtool(server, &["alert", "query"]).ok();
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!(words(rows[0]), ["Alertname", "Starts", "At", "Summary", "State"]);
    assert!(table.contains("Smoke on deck") && table.contains("active"), "{table}");

    let found = json(&amtool(server, &["-o", "json", "alert", "query", "site=~har.*"]).ok());
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["labels"]["alertname"], "Fire");
    let extended = amtool(server, &["-o", "extended", "alert", "query", "alertname=Flood"]).ok();
    assert!(extended.contains(r#"alertname="Flood" site="dock""#), "{extended}");
    assert!(extended.contains("2099-01-01 00:00:00 UTC"), "{extended}");
    assert_eq!(amtool(server, &["alert", "query", "--receiver=crew"]).ok().lines().count(), 2);
    assert_eq!(amtool(server, &["alert", "query", "--silenced"]).ok().lines().count(), 1);
}

fn silences_are_added_updated_and_expired(server: &Server) {
    let add = ["silence", "add", "--author=me", "--comment=calm", "--duration=1h", "Fire", "site=harbour"];
    let id = amtool(server, &add).ok().trim().to_owned();
    assert_eq!(amtool(server, &["silence", "query", "-q"]).ok().trim(), id);
    let table = amtool(server, &["silence", "query", "site=harbour"]).ok();
    assert!(table.contains("alertname=\"Fire\" site=\"harbour\""), "{table}");
    assert!(amtool(server, &["alert", "query", "--silenced"]).ok().contains("suppressed"));
    assert!(!amtool(server, &["alert", "query"]).ok().contains("Fire"));

    let updated = json(&amtool(server, &["-o", "json", "silence", "update", "-d", "2h", "-c", "still", &id]).ok());
    assert_eq!(updated[0]["id"], id, "an update of the end and the comment keeps the silence");
    assert_eq!(updated[0]["comment"], "still");
    assert_eq!(amtool(server, &["silence", "expire", &id]).ok(), "");
    assert_eq!(amtool(server, &["silence", "query", "-q"]).ok(), "");
    assert_eq!(amtool(server, &["silence", "query", "-q", "--expired"]).ok().trim(), id);
    assert!(amtool(server, &["alert", "query"]).ok().contains("Fire"));
}

/// Known silences are updated or made anew, unknown ones are made anew: an import from another router works.
fn silences_are_imported(server: &Server) {
    let kept = amtool(server, &["silence", "add", "-a", "me", "-c", "kept", "Flood"]).ok().trim().to_owned();
    let mut silences = json(&amtool(server, &["-o", "json", "silence", "query"]).ok());
    let mut foreign = silences[0].clone();
    foreign["id"] = "a81fd4f1-bd06-4628-9859-a08ecfa84c3f".into();
    foreign["comment"] = "foreign".into();
    silences.as_array_mut().expect("amtool prints a list").push(foreign);
    let dir = TempDir::new().expect("a temporary directory can be had");
    let file = dir.path().join("silences.json");
    fs::write(&file, silences.to_string()).expect("a file can be written");

    let printed = amtool(server, &["silence", "import", &file.display().to_string()]).ok();
    assert_eq!(printed.lines().count(), 2, "{printed}");
    assert!(printed.contains(&kept), "{printed}");
    let after = json(&amtool(server, &["-o", "json", "silence", "query"]).ok());
    let comments: Vec<_> = after.as_array().expect("a list").iter().map(|silence| silence["comment"].clone()).collect();
    assert!(comments.contains(&"kept".into()) && comments.contains(&"foreign".into()), "{after}");
}

fn bad_requests_are_explained(server: &Server) {
    let error = amtool(server, &["silence", "add", "-a", "me", "-c", "x", "Fire", "site=~("]).failed();
    assert!(error.contains("error parsing regexp") || error.contains("bad matcher"), "{error}");
    let error = amtool(server, &["silence", "expire", "00000000-0000-0000-0000-000000000000"]).failed();
    assert!(error.contains("404") || error.contains("silence not found"), "{error}");
    let error = amtool(server, &["alert", "query", "Fire", "site=~("]).failed();
    assert!(error.contains("error parsing regexp"), "{error}");
    let error = amtool(server, &["alert", "add", "Fire", "--start=2026-01-02T00:00:00Z", "--end=2026-01-01T00:00:00Z"]);
    assert!(error.failed().contains("start time must be before end time"));
}

/// What the status shows is a configuration: amtool reads it, and so does the router's own check.
fn the_configuration_is_shown_and_can_be_loaded(server: &Server) {
    let shown = amtool(server, &["config", "show"]).ok();
    assert!(shown.contains("receiver: team") && shown.contains("group_by:"), "{shown}");
    assert!(!shown.contains("very-secret"), "secrets are not shown: {shown}");
    let status = json(&amtool(server, &["-o", "json", "config", "show"]).ok());
    for key in ["branch", "buildDate", "buildUser", "goVersion", "revision", "version"] {
        assert!(status["versionInfo"][key].is_string(), "{key} is missing: {status}");
    }
    let dir = TempDir::new().expect("a temporary directory can be had");
    let file = dir.path().join("shown.yml");
    fs::write(&file, shown.replace(SHOWN_SECRET_URL, "url: http://127.0.0.1:1/")).expect("a file can be written");
    let checked = amtool_alone(&["check-config", &file.display().to_string()]);
    assert!(checked.ok().contains("SUCCESS"));
}

/// Alertmanager shows the URL of a webhook as a secret since 0.26; 0.25's amtool cannot read it back.
const SHOWN_SECRET_URL: &str = "url: <secret>";

fn routes_are_shown_and_tested(server: &Server) {
    let tree = amtool(server, &["config", "routes", "show"]).ok();
    assert!(tree.contains("default-route  receiver: team"), "{tree}");
    assert!(tree.contains(r#"{severity="page"}  continue: true  receiver: pager"#), "{tree}");
    let test = |labels: &[&str]| amtool(server, &[&["config", "routes", "test"], labels].concat());
    assert_eq!(test(&["severity=page"]).ok().trim(), "pager");
    assert_eq!(test(&["severity=page", "site=dock"]).ok().trim(), "pager,crew");
    assert_eq!(test(&["severity=info"]).ok().trim(), "team");
    assert_eq!(test(&["--verify.receivers=team", "severity=info"]).code, 0);
    assert_eq!(test(&["--verify.receivers=crew", "severity=info"]).code, 1);
}

fn the_cluster_is_shown(server: &Server) {
    let shown = amtool(server, &["cluster", "show"]).ok();
    assert!(shown.contains("Cluster Status:") && shown.contains("disabled"), "{shown}");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

const CONFIG: &str = "
route:
  receiver: team
  group_by: [alertname]
  routes:
    - {matchers: [severity=page], receiver: pager, continue: true}
    - {matchers: ['site=~\"d.*\"'], receiver: crew}
receivers:
  - name: team
    webhook_configs:
      - url: http://127.0.0.1:1/
        http_config: {basic_auth: {username: me, password: very-secret}}
  - name: crew
  - name: pager
";
