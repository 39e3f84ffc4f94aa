//! The tools print what Debian's amtool prints, and end as it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::harness::amtool::amtool_alone;
use crate::harness::server::{Program, Server};

#[test]
fn a_rendered_text_is_amtools() {
    let dir = workshop();
    for text in TEXTS {
        same(&dir, &[&["--template.type=text", text], DATA].concat());
        same(&dir, &[&["--template.type=html", text], DATA].concat());
    }
    for html in HTML {
        same(&dir, &[&["--template.type=html", html], DATA].concat());
    }
}

#[test]
fn health_is_what_the_server_says() {
    let mut router = Server::prepare(Program::Watchbell, "route: {receiver: r}\nreceivers: [{name: r}]\n", &[]);
    let url = |path: &str| format!("--url=http://{}{path}", router.address);
    let (healthy, missing) = (url("/-/healthy"), url("/-/nothing"));
    let ask = |url: &str| {
        let output = Command::new(Program::Watchbell.path()).args(["health", url]).output().expect("it can be run");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = ask(&healthy);
    assert!(code == Some(1) && said.contains("Connection refused"), "{code:?} {said}");
    router.launch();
    assert_eq!(ask(&healthy), (Some(0), String::new()));
    let (code, said) = ask(&missing);
    assert!(code == Some(1) && said.contains("it answers \"HTTP/1.1 404 Not Found\""), "{code:?} {said}");
    let (code, said) = ask("--url=https://127.0.0.1/");
    assert!(code == Some(1) && said.contains("write it like http://127.0.0.1:9093/-/healthy"), "{code:?} {said}");
}

#[test]
fn without_data_there_is_amtools_sample() {
    let dir = workshop();
    for text in SAMPLED {
        same(&dir, &["--template.glob={dir}/*.tmpl", text]);
    }
}

#[test]
fn data_are_read_as_go_reads_them() {
    let dir = workshop();
    for json in JSON {
        fs::write(dir.path().join("data.json"), json).expect("a file can be written");
        same(&dir, &[&[WHOLE], DATA].concat());
    }
}

#[test]
fn the_flags_are_amtools() {
    let dir = workshop();
    for arguments in ARGUMENTS {
        same(&dir, arguments);
    }
}

/// Both programs follow the same fixtures, apart from those that the newer Alertmanager knows better.
#[test]
fn a_configuration_is_judged_as_amtool_judges_it() {
    let mut files = 0;
    for kind in ["good", "bad"] {
        for entry in fs::read_dir(format!("{}/fixtures/config/{kind}", env!("CARGO_MANIFEST_DIR"))).expect("fixtures") {
            let path = entry.expect("a fixture").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.ends_with(".yml") || NEWER.contains(&name.as_str()) {
                continue;
            }
            files += 1;
            let arguments = ["check-config", &path.display().to_string()];
            let (code, stdout, stderr) = watchbell(&arguments);
            let measure = amtool_alone(&arguments);
            assert_eq!(code, Some(measure.code), "{stdout}{stderr}{measure:?}");
        }
    }
    assert!(files > 40, "{files} fixtures");
}

/// What amtool 0.25 judges otherwise: keys and matchers that came later or are ours, and a URL that is no template.
const NEWER: [&str; 5] = ["gitlab.yml", "irc.yml", "mail.yml", "newer.yml", "url-template-syntax.yml"];

#[test]
fn a_check_says_what_is_found_and_what_would_fail() {
    let dir = workshop();
    let check = |config: &str| {
        let file = dir.path().join("router.yml");
        fs::write(&file, config).expect("a file can be written");
        watchbell(&["check-config", &file.display().to_string()])
    };
    let config = |text: &str| {
        format!(
            "templates: ['a.tmpl']\nroute: {{receiver: a}}\nreceivers: [{{name: a, terminal_configs: [{{text: '{text}'}}]}}]\n"
        )
    };
    let (code, stdout, _) = check(&config("{{ .Status }}"));
    assert!(code == Some(0) && stdout.contains(" - 1 receivers\n - 1 templates\n  SUCCESS\n"), "{stdout}");
    let (code, stdout, _) = check(&config("{{ .Nope }}"));
    let warning = "  WARNING: receiver \"a\", terminal_configs[0]: text: template: :1:3: executing";
    assert!(code == Some(0) && stdout.contains(warning), "{stdout}");
    let (code, stdout, stderr) = check(&config("{{ nope }}"));
    assert!(code == Some(1) && stdout.contains("  FAILED: receiver \"a\", terminal_configs[0]: text"), "{stdout}");
    assert!(stderr.contains("failed to validate 1 file(s)"), "{stderr}");
    let (code, stdout, _) = check(&config("x").replace("a.tmpl", "broken.txt"));
    assert!(code == Some(1) && stdout.contains("  FAILED: template: broken.txt:1: "), "{stdout}");
}

#[test]
fn the_server_warns_as_the_check_does_at_start_and_reload() {
    let config = |text: &str| {
        format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a, terminal_configs: [{{text: x}}, {{text: '{text}'}}]}}]\n"
        )
    };
    let server = Server::start(Program::Watchbell, &config("{{ .Started }}"));
    server.reload(&config("{{ template \"reloaded\" }}"));
    let log = server.log();
    let warning = |text: &str| log.lines().any(|line| line.contains("level=WARN") && line.contains(text));
    assert!(warning("receiver=a integration=terminal index=1 field=text err=\"template: :1:3: executing"), "{log}");
    assert!(warning("err=\"template: :1: template \\\"reloaded\\\" not defined"), "{log}");
}

/// Runs `template render` of both programs with `arguments`, in which `{dir}` is the workshop.
fn same(dir: &TempDir, arguments: &[&str]) {
    let dir = dir.path().display().to_string();
    let mut all = vec!["template".to_owned(), "render".to_owned()];
    all.extend(arguments.iter().map(|argument| argument.replace("{dir}", &dir)));
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let measure = amtool_alone(&all);
    let (code, stdout, stderr) = watchbell(&all);
    assert_eq!(code, Some(measure.code), "{all:?}\n{stderr}\n{measure:?}");
    assert_eq!(stdout, measure.stdout, "{all:?}");
    assert_eq!(stderr.is_empty(), measure.stderr.is_empty(), "{all:?}\n{stderr}\n{measure:?}");
}

/// Runs the program: its status, standard output and standard error.
fn watchbell(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(Program::Watchbell.path()).args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A directory with the template files and the data of the tests.
fn workshop() -> TempDir {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let write = |name: &str, text: &str| {
        fs::write(Path::new(dir.path()).join(name), text).expect("a file can be written");
    };
    write(
        "a.tmpl",
        r#"{{ define "who" }}first {{ .Receiver }}{{ end }}{{ define "list" }}{{ range . }}<{{ .Status }}>{{ end }}{{ end }}"#,
    );
    write(
        "b.tmpl",
        r#"{{ define "who" }}second {{ .Receiver }}{{ end }}{{ define "link" }}<a href="{{ .ExternalURL }}/?q={{ .Receiver }}">{{ .Status }}</a>{{ end }}"#,
    );
    write("broken.txt", "{{ define \"x\" }}{{ if }}");
    write("data.json", NOTIFICATION);
    dir
}

const DATA: &[&str] = &["--template.glob={dir}/*.tmpl", "--template.data={dir}/data.json"];

const NOTIFICATION: &str = r#"{
  "receiver": "team <a> & co", "status": "firing", "externalURL": "http://router.example/",
  "groupLabels": {"alertname": "Disk"}, "commonLabels": {"alertname": "Disk", "site": "dock", "a": "z"},
  "commonAnnotations": {"note": "a \"quoted\" <b>note</b>"},
  "alerts": [
    {"status": "firing", "labels": {"alertname": "Disk", "site": "dock", "host": "a1"},
     "annotations": {"summary": "it's 90% full"}, "startsAt": "2026-03-29T01:30:00.5Z", "endsAt": "0001-01-01T00:00:00Z",
     "generatorURL": "http://prom.example/graph?g0.expr=up&x=1", "fingerprint": "0123456789abcdef"},
    {"status": "resolved", "labels": {"alertname": "Disk", "site": "dock", "host": "b2"}, "annotations": {},
     "startsAt": "2026-03-29T03:30:00+02:00", "endsAt": "2026-03-29T04:30:00+02:00",
     "generatorURL": "javascript:alert(1)", "fingerprint": "fedcba9876543210"}]
}"#;

const TEXTS: &[&str] = &[
    "--template.text=",
    "--template.text=plain < text &\n",
    r#"--template.text={{ template "who" . }}"#,
    r#"--template.text={{ template "list" .Alerts.Firing }}|{{ template "list" .Alerts.Resolved }}"#,
    r#"--template.text={{ template "link" . }}"#,
    r#"--template.text={{ template "nobody" . }}"#,
    "--template.text={{ .Status | toUpper }} {{ .Receiver | title }}",
    "--template.text={{ range .Alerts }}{{ .Status }} {{ .Fingerprint }} {{ .GeneratorURL }} {{ .Labels.host }}; {{ end }}",
    "--template.text={{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }},{{ end }} {{ .CommonLabels.Names }} {{ .CommonLabels.Values }}",
    r#"--template.text={{ (.CommonLabels.Remove .GroupLabels.Names).Values | join ", " }}"#,
    "--template.text={{ range $name, $value := .CommonLabels }}{{ $name }}={{ $value }};{{ end }}",
    "--template.text={{ .CommonLabels.nothing }}|{{ index .CommonLabels \"site\" }}",
    "--template.text={{ .CommonAnnotations.note }}",
    "--template.text={{ .CommonAnnotations.note | safeHtml }}",
    "--template.text={{ range .Alerts }}{{ .StartsAt }} {{ .EndsAt }} {{ .StartsAt.Unix }} {{ .EndsAt.IsZero }}\n{{ end }}",
    r#"--template.text={{ range .Alerts }}{{ .StartsAt.Format "Mon 2 Jan 15:04:05.000 -07:00 2006" }}, {{ end }}"#,
    "--template.text={{ with index .Alerts 1 }}{{ .EndsAt.Sub .StartsAt }} {{ .GeneratorURL }}{{ end }}",
    r#"--template.text={{ reReplaceAll "(a+)|b" "<$1>" "caabd" }} {{ match "^f" .Status }}"#,
    r#"--template.text={{ printf "%5.2f|%-6s|%q|%T|%d" 1.5 "x" .Status .Alerts .Status }}"#,
    "--template.text={{ len .Alerts }} {{ len .CommonLabels }} {{ eq .Status \"firing\" \"resolved\" }} {{ lt 1 2 }}",
    r#"--template.text={{ stringSlice "a" "b" | join "-" }} {{ urlquery .Receiver }}"#,
    "--template.text={{ if and .Status (gt (len .Alerts) 1) }}many{{ else if .Status }}one{{ else }}none{{ end }}",
    "--template.text={{- /* nothing */ -}}  {{- $x := 1 }}{{ range .Alerts }}{{ $x = 2 }}{{ end }}{{ $x }}  ",
    "--template.text={{ block \"own\" . }}{{ .Status }}{{ end }}{{ define \"own\" }}x{{ end }}",
    "--template.text={{ .Nope }}",
    "--template.text={{ .Alerts.Nope }}",
    "--template.text=before {{ index .Alerts 7 }}",
    "--template.text={{ nope }}",
    "--template.text={{ .Status ",
    "--template.text={{ end }}",
    "--template.text={{ if .Status }}",
    r#"--template.text={{ match "(" .Status }}"#,
    "--template.text={{ 1 | toUpper }}",
    "--template.text={{ .Status \"x\" }}",
];

const HTML: &[&str] = &[
    r#"--template.text=<p title="{{ .CommonAnnotations.note }}">{{ .CommonAnnotations.note }}</p><!-- gone -->"#,
    r#"--template.text={{ range .Alerts }}<a href="{{ .GeneratorURL }}">{{ .Labels.host }}</a>{{ end }}"#,
    r#"--template.text=<a href="/x?r={{ .Receiver }}" class={{ .Receiver }}>"#,
    r#"--template.text=<script>var x = {{ .CommonAnnotations.note }}, y = "{{ .Status }}";</script>"#,
    r#"--template.text=<b style="color: {{ .Status }}">{{ .Receiver }}</b>"#,
    r#"--template.text=<a href="{{ .ExternalURL | safeHtml }}">"#,
    r#"--template.text=<a {{ if .Status }}href="x{{ end }}>"#,
];

/// What the sample says apart from its times.
const SAMPLED: &[&str] = &[
    "--template.text={{ .Receiver }} {{ .Status }} {{ .ExternalURL }}",
    "--template.text={{ .GroupLabels.SortedPairs.Values }} {{ .CommonLabels.Names }} {{ .CommonAnnotations.Values }}",
    "--template.text={{ range .Alerts }}{{ .Status }} {{ .Fingerprint }} {{ .GeneratorURL }}{{ end }}",
    "--template.text={{ range .Alerts }}{{ range $name, $value := .Labels }}{{ $name }}={{ $value }};{{ end }}{{ end }}",
    "--template.text={{ range .Alerts }}{{ range $name, $value := .Annotations }}{{ $name }}={{ $value }};{{ end }}{{ end }}",
    "--template.text={{ len .Alerts.Firing }} {{ len .Alerts.Resolved }}",
    "--template.text={{ range .Alerts }}{{ (.EndsAt.Sub .StartsAt).Round 1e9 }} {{ end }}",
];

const JSON: &[&str] = &[
    "null",
    "{}",
    "",
    "[]",
    "{} x",
    r#"{"STATUS": "a", "Receiver": "b", "externalUrl": "c", "external_url": "d"}"#,
    r#"{"status": "a", "STATUS": "b"}"#,
    r#"{"status": null, "alerts": null, "groupLabels": null, "unknown": [1, {"a": 2}]}"#,
    r#"{"alerts": [null, {"labels": {"a": null}}]}"#,
    r#"{"alerts": [{"StartsAt": "2026-01-02T03:04:05.678+05:30", "ENDSAT": null}]}"#,
    r#"{"status": 1}"#,
    r#"{"alerts": {}}"#,
    r#"{"groupLabels": {"a": 1}}"#,
    r#"{"alerts": [{"startsAt": ""}]}"#,
    r#"{"alerts": [{"startsAt": 1}]}"#,
    r#"{"alerts": [{"startsAt": "2026-01-02"}]}"#,
];

/// Everything, but neither the root's nor a label set's own form: both have changed in Alertmanager since.
const WHOLE: &str = r#"--template.text={{ define "set" }}{{ range $name, $value := . }}{{ $name }}={{ $value }};{{ end }}
{{ end }}{{ .Receiver }}|{{ .Status }}|{{ .ExternalURL }}
{{ template "set" .GroupLabels }}{{ template "set" .CommonLabels }}{{ template "set" .CommonAnnotations }}
{{ range .Alerts }}{{ .Status }}|{{ .StartsAt }}|{{ .EndsAt }}|{{ .GeneratorURL }}|{{ .Fingerprint }}
{{ template "set" .Labels }}{{ template "set" .Annotations }}{{ end }}"#;

const ARGUMENTS: &[&[&str]] = &[
    &["--template.glob", "{dir}/a.tmpl", "--template.text", r#"{{ template "who" . }}"#],
    &["--template.glob={dir}/b.tmpl", "--template.glob={dir}/a.tmpl", r#"--template.text={{ template "who" . }}"#],
    &["--template.glob={dir}/nothing*", "--template.text=x"],
    &["--template.glob={dir}/[", "--template.text=x"],
    &["--template.glob={dir}/broken.txt", "--template.text=x"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "--template.type=pdf"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "--template.type=text", "--template.type=html"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "--template.data={dir}/missing.json"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "--template.data={dir}"],
    &["--template.glob={dir}/*.tmpl", "--template.text", "-x"],
    &["--template.glob={dir}/*.tmpl", "--template.text=-x"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "more"],
    &["--template.glob={dir}/*.tmpl", "--template.text=x", "--nope"],
    &["--template.glob={dir}/*.tmpl"],
    &["--template.text=x"],
];
