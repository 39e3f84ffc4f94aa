//! The built-in templates against Alertmanager's own, for the names that 0.25 has, and the rest against what they say.

mod amtool;
mod support;

use amtool::DataFile;
use serde_json::Value;
use watchbell_template::{Engine, Templates};

/// The built-in templates of Debian's Alertmanager.
const ALERTMANAGERS: &str = "/usr/share/prometheus/alertmanager/*.tmpl";

/// The text templates of Alertmanager 0.25.
const NAMES: [&str; 40] = [
    "__alertmanager",
    "__alertmanagerURL",
    "__description",
    "__subject",
    "__text_alert_list",
    "discord.default.message",
    "discord.default.title",
    "email.default.subject",
    "opsgenie.default.description",
    "opsgenie.default.message",
    "opsgenie.default.source",
    "pagerduty.default.client",
    "pagerduty.default.clientURL",
    "pagerduty.default.description",
    "pagerduty.default.instances",
    "pushover.default.message",
    "pushover.default.title",
    "pushover.default.url",
    "slack.default.callbackid",
    "slack.default.fallback",
    "slack.default.footer",
    "slack.default.iconemoji",
    "slack.default.iconurl",
    "slack.default.pretext",
    "slack.default.text",
    "slack.default.title",
    "slack.default.titlelink",
    "slack.default.username",
    "sns.default.message",
    "sns.default.subject",
    "telegram.default.message",
    "victorops.default.entity_display_name",
    "victorops.default.monitoring_tool",
    "victorops.default.state_message",
    "webex.default.message",
    "wechat.default.agent_id",
    "wechat.default.message",
    "wechat.default.to_party",
    "wechat.default.to_tag",
    "wechat.default.to_user",
];

/// Those that have come since.
const LATER_NAMES: [&str; 23] = [
    "__text_alert_list_markdown",
    "discord.default.content",
    "jira.default.description",
    "jira.default.priority",
    "jira.default.summary",
    "mattermost.default.color",
    "mattermost.default.fallback",
    "mattermost.default.text",
    "mattermost.default.title",
    "mattermost.default.titlelink",
    "mattermost.default.username",
    "msteams.default.summary",
    "msteams.default.text",
    "msteams.default.title",
    "msteamsv2.default.text",
    "msteamsv2.default.title",
    "rocketchat.default.alias",
    "rocketchat.default.emoji",
    "rocketchat.default.iconurl",
    "rocketchat.default.text",
    "rocketchat.default.title",
    "rocketchat.default.titlelink",
    "slack.default.color",
];

/// And those that only we have.
const OWN_NAMES: [&str; 5] = [
    "email.default.html",
    "email.default.text",
    "irc.default.message",
    "gitlab.default.title",
    "gitlab.default.description",
];

#[test]
fn text_defaults_are_alertmanagers_byte_for_byte() {
    compare_with_amtool(ALERTMANAGERS, &NAMES);
}

#[test]
fn our_templates_mean_the_same_to_alertmanager() {
    let directory = std::env::temp_dir().join(format!("watchbell-{}-defaults", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    for name in ["default.tmpl", "email.tmpl", "irc.tmpl", "gitlab.tmpl"] {
        let text = std::fs::read_to_string(amtool::OURS.replace("*.tmpl", name)).expect("the template is there");
        // Alertmanager has no such field: nothing is ever left out.
        let text = text.replace("$.TruncatedAlerts", "0").replace(" .TruncatedAlerts", " 0");
        std::fs::write(directory.join(name), text).expect("the templates can be written");
    }
    let glob = format!("{}/*.tmpl", directory.display());
    compare_with_amtool(&glob, &[&NAMES[..], &LATER_NAMES[..], &OWN_NAMES[..]].concat());
    std::fs::remove_dir_all(&directory).expect("the directory can be removed");
}

/// Renders `names` with our templates and, in amtool, with those of `glob`, in both engines and for every notification.
fn compare_with_amtool(glob: &str, names: &[&str]) {
    let text = names.iter().map(|name| call(name)).collect::<Vec<_>>().join(SEPARATOR);
    for (set, json) in sets() {
        let file = DataFile::new(&format!("{}-{set}", names.len()), &json);
        for (engine, kind) in [("text", Engine::Text), ("html", Engine::Html)] {
            let theirs = amtool::render(engine, glob, &file, &text).expect("amtool renders");
            let ours = render(kind, &json, &text);
            for ((name, ours), theirs) in names.iter().zip(ours.split(SEPARATOR)).zip(theirs.split(SEPARATOR)) {
                assert_eq!(ours, theirs, "{name} as {engine} of {set}");
            }
            assert_eq!(ours, theirs);
        }
    }
}

/// Stands between what several templates render to.
const SEPARATOR: &str = "\u{1e}";

#[test]
fn html_email_says_what_alertmanagers_says() {
    for (set, json) in sets().into_iter().filter(|(set, _)| set != "no alerts") {
        let file = DataFile::new(&format!("email-{set}"), &json);
        let text = call("email.default.html");
        let theirs = amtool::render("html", ALERTMANAGERS, &file, &text).expect("amtool renders its own email");
        assert_eq!(visible(&render(Engine::Html, &json, &text)), visible(&theirs), "{set}");
    }
}

#[test]
fn html_email_marks_what_fires_and_links_to_it() {
    let sets = sets();
    let page = |set: &str| render(Engine::Html, &sets[set], &call("email.default.html"));
    assert!(page("firing").contains("class=\"alert-warning"));
    assert!(page("resolved").contains("class=\"alert-good"));
    assert!(
        page("firing").contains("<a href=\"http://am.example:9093/x/#/alerts?receiver=team%2FX&#43;%5C%2B&#43;y\"")
    );
    assert!(page("firing").contains("href=\"http://prom/graph?g0.expr=up&#43;%3D%3D&#43;0&amp;g0.tab=1\""));
    assert!(!page("firing").contains("Resolved"));
}

#[test]
fn emails_say_how_many_alerts_they_have_no_room_for() {
    let mut told = support::data(&sets()["firing"]);
    told.truncated_alerts = 480;
    for (engine, name) in [(Engine::Html, "email.default.html"), (Engine::Text, "email.default.text")] {
        let templates = Templates::parse(&[]).expect("the built-in templates are good");
        let template = templates.compile(engine, &call(name)).expect("a call is a template");
        let text = template.render(&told, support::now()).expect("it renders");
        assert!(text.contains("and 480 more for") && text.contains("… and 480 more, not listed here"), "{text}");
        assert!(!text.contains("] Firing") && text.contains("Firing"), "{text}");
    }
}

#[test]
fn text_email_has_the_facts_of_the_html() {
    let text = render(Engine::Text, &sets()["nothing in common"], &call("email.default.text"));
    let expected = "\
3 alerts for alertname=Disk<Full>

View in Alertmanager:
http://am.example:9093/x/#/alerts?receiver=team%2FX+%5C%2B+y

[2] Firing

Labels
  alertname = Disk<Full>
  instance = a & b
  severity = critical
Annotations
  runbook = http://x/?a=1&b=2
  summary = It's \"full\"
Source
  http://prom/graph?g0.expr=up+%3D%3D+0&g0.tab=1

Labels
  alertname = Disk<Full>
  instance = c
Source
  http://prom/2


[1] Resolved

Labels
  alertname = Disk<Full>
  instance = d
  severity = warning
Annotations
  summary = ok

\n-- \nSent by Alertmanager
http://am.example:9093/x
";
    assert_eq!(text, expected);
}

#[test]
fn markdown_lists_have_alertmanagers_spaces() {
    let text = render(Engine::Text, &sets()["resolved"], &call("msteams.default.text"));
    let expected = "\n\n\n# Alerts Resolved:\n\nLabels:\n  - alertname = Disk<Full>\n  - instance = d\n  - severity = warning\n\
        \nAnnotations:\n  - summary = ok\n\nSource: \n\n\n\n";
    assert_eq!(text, expected);
}

#[test]
fn jira_priority_is_the_gravest() {
    let sets = sets();
    let priority = |set: &str| render(Engine::Text, &sets[set], &call("jira.default.priority"));
    assert_eq!(priority("firing"), "High");
    assert_eq!(priority("resolved"), "Medium");
    assert_eq!(priority("no alerts"), "");
}

#[test]
fn irc_and_gitlab_say_it_in_short() {
    let sets = sets();
    let of = |set: &str, name: &str| render(Engine::Text, &sets[set], &call(name));
    assert_eq!(
        of("firing", "irc.default.message"),
        "\x0304\x02[FIRING:1]\x0f \x0304\x02critical\x0f \x02Disk<Full>\x02: a & b — It's \"full\" — http://x/?a=1&b=2 — \
         http://am.example:9093/x/#/alerts?receiver=team%2FX+%5C%2B+y"
    );
    assert!(
        of("nothing in common", "irc.default.message")
            .starts_with("\x0304\x02[FIRING:2]\x0f \x02Disk<Full>\x02: a & b, c — http")
    );
    assert_eq!(of("resolved", "gitlab.default.title"), "Disk<Full> (instance=d)");
    let comment = of("nothing in common", "gitlab.default.comment");
    assert!(
        comment.starts_with(
            "Firing: 2, resolved: 1.\n\n### Firing (2)\n\n* **Disk<Full>** since 2020-01-01 00:00:00 UTC\n"
        )
    );
}

#[test]
fn every_name_can_be_called_and_overridden() {
    let json = &sets()["firing"];
    for name in NAMES.iter().chain(&LATER_NAMES).chain(&OWN_NAMES) {
        let text = format!("{{{{ define {name:?} }}}}mine{{{{ end }}}}");
        let templates = Templates::parse(&[("user.tmpl".into(), text)]).expect("a definition parses");
        let template = templates.compile(Engine::Text, &call(name)).expect("a call compiles");
        assert_eq!(template.render(&support::data(json), support::now()).as_deref(), Ok("mine"));
    }
}

/// The named notifications of the fixture.
fn sets() -> std::collections::BTreeMap<String, Value> {
    let Value::Object(sets) = support::fixture("defaults-data.json") else { panic!("the fixture is an object") };
    sets.into_iter().collect()
}

/// A call of `name` with what it takes.
fn call(name: &str) -> String {
    let takes_alerts = name.starts_with("__text_alert_list") || name == "pagerduty.default.instances";
    format!("{{{{ template {name:?} {} }}}}", if takes_alerts { ".Alerts" } else { "." })
}

fn render(engine: Engine, json: &Value, text: &str) -> String {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let template = templates.compile(engine, text).expect("the call compiles");
    template.render(&support::data(json), support::now()).expect("the template renders")
}

/// The words of a page, one line for what stands between two tags.
fn visible(page: &str) -> Vec<String> {
    let (before, style) = page.split_once("<style").expect("the page has a style");
    let (_, after) = style.split_once("</style>").expect("the style ends");
    let text = format!("{before}{after}").replace('>', "<");
    let between_tags = text.split('<').step_by(2);
    let words = between_tags.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|words| !words.is_empty()).collect()
}
