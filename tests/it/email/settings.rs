//! Alertmanager's `email_configs` mean the same here: Debian's Alertmanager and Watchbell tell the same servers from the
//! same documents, and what arrives is compared.

use serde_json::json;

use super::postfix::Postfix;
use super::reader::{Mail, Person};
use super::{PATIENCE, STARTED, alert, post};
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

/// What a mail means to those who get it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Meaning {
    recipient: String,
    return_path: String,
    from: Vec<Person>,
    to: Vec<Person>,
    subject: String,
    own: Vec<String>,
    bodies: Vec<String>,
}

#[test]
fn f2_16_alertmanagers_documents_mean_the_same() {
    for (document, mails) in DOCUMENTS {
        let [measure, subject] =
            [Program::Alertmanager, Program::Watchbell].map(|program| meanings(program, document, mails));
        assert_eq!(measure, subject, "{document}");
    }
}

/// Whole documents, and how many mails a group that fires and ends makes of each.
const DOCUMENTS: [(&str, usize); 5] = [
    (
        "
global: {smtp_smarthost: '{smarthost}', smtp_from: 'Watch <watch@example.org>', smtp_require_tls: false, smtp_hello: watch.example.org}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers:
- name: team
  email_configs:
  - {to: 'ops@example.org, Other <other@example.org>', text: 'text of {{ .GroupLabels.alertname }}', html: ''}
",
        2,
    ),
    (
        "
global: {smtp_smarthost: 'nowhere.example.org:25', smtp_from: nobody@example.org}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers:
- name: team
  email_configs:
  - to: '{{ .CommonLabels.team }}@example.org'
    from: 'watch-{{ .CommonLabels.team }}@example.org'
    smarthost: '{smarthost}'
    require_tls: false
    send_resolved: true
    html: '<p>{{ .Status }} {{ .CommonLabels.note }}</p>'
    text: '{{ .Status }} {{ .CommonLabels.note }}'
",
        2,
    ),
    (
        "
global: {smtp_smarthost: '{smarthost}', smtp_from: watch@example.org, smtp_require_tls: false}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers:
- name: team
  email_configs:
  - to: ops@example.org
    html: '<b>{{ len .Alerts }}</b>'
    text: '{{ range .Alerts.Firing }}{{ .Labels.team }}{{ end }}'
    headers: {subject: '[{{ .Status }}] {{ .CommonLabels.note }}', X-OWN: 'a {{ .Receiver }}', to: 'All <all@example.org>', From: 'Nice <nice@example.org>'}
",
        1,
    ),
    (
        "
global: {smtp_smarthost: '{smarthost}', smtp_from: watch@example.org, smtp_require_tls: false}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers:
- name: team
  email_configs:
  - {to: first@example.org, text: a, html: b}
  - {to: second@example.org, text: a, html: b, send_resolved: true, headers: {Reply-To: back@example.org}}
",
        3,
    ),
    (
        "
global: {smtp_smarthost: '{smarthost}', smtp_from: watch@example.org, smtp_require_tls: false, smtp_auth_username: u, smtp_auth_password: p}
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers:
- name: team
  email_configs:
  - {to: ops@example.org, text: 'a server without a login', html: ''}
",
        1,
    ),
];

/// What a receiver gets of a group that fires and ends.
fn meanings(program: Program, document: &str, mails: usize) -> Vec<Meaning> {
    let postfix = Postfix::start();
    let router = Server::start(program, &document.replace("{smarthost}", &postfix.address().to_string()));
    let mut fire = alert("Fire", &[("team", "storage"), ("note", "größer & <kleiner>")]);
    post(&router, &[fire.clone()]);
    postfix.wait_for(1);
    fire["endsAt"] = json!(STARTED.replace("03:04", "04:04"));
    post(&router, &[fire]);
    eventually_within(PATIENCE, "the end is known", || {
        let alerts = router.client().get("/api/v2/alerts").ok().json();
        alerts.as_array().is_some_and(Vec::is_empty).then_some(())
    });
    postfix.wait_for(mails);
    drop(router);
    let mut meanings: Vec<_> = postfix.settled().iter().map(meaning).collect();
    meanings.sort();
    meanings
}

fn meaning(mail: &Mail) -> Meaning {
    Meaning {
        recipient: mail.recipient(),
        return_path: mail.return_path(),
        from: mail.people("From"),
        to: mail.people("To"),
        subject: mail.subject(),
        own: ["X-Own", "Reply-To"].iter().flat_map(|name| mail.headers(name)).collect(),
        bodies: mail.part_types().iter().map(|kind| format!("{kind}: {}", mail.part(kind).trim_end())).collect(),
    }
}
