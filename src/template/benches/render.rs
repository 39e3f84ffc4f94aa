//! Renders the default email and a large template of a user for 1, 100 and 1,000 alerts. A template is compiled once;
//! the time of one rendering should grow no faster than the alerts.
//!
//! `cargo bench -p watchbell-template`

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use watchbell_template::{Alert, Alerts, Data, Engine, Kv, Now, Template, Templates, Time};

/// How long each case is repeated.
const BUDGET: Duration = Duration::from_secs(1);

/// What a large team makes of a chat message.
const LARGE: &str = r#"
{{- define "team.severity" -}}
  {{- if eq . "critical" -}}:fire:{{- else if eq . "warning" -}}:warning:{{- else -}}:information:{{- end -}}
{{- end -}}
{{- define "team.alert" -}}
*{{ template "team.severity" .Labels.severity }} {{ .Labels.alertname | toUpper }}* on `{{ .Labels.instance | reReplaceAll ":[0-9]+$" "" }}`
{{ with .Annotations.summary }}_{{ . }}_{{ end }}
{{- range (.Labels.Remove (stringSlice "alertname" "severity")).SortedPairs }}
  • {{ printf "%-12s" .Name }} {{ .Value }}
{{- end }}
Since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }} ({{ humanizeDuration (since .StartsAt) }})
{{- if match "^https?://" .GeneratorURL }}, <{{ .GeneratorURL | safeUrl }}|graph>{{ end }}
{{ end -}}
{{- $firing := .Alerts.Firing -}}
[{{ .Status | toUpper }}{{ if $firing }}:{{ len $firing }}{{ end }}] {{ .GroupLabels.Values | join " " }}
{{ range $index, $alert := $firing }}{{ if and (gt $index 0) true }}---{{ end }}
{{ template "team.alert" $alert }}{{ end -}}
{{- range .Alerts.Resolved }}{{ .Labels.alertname }} is over.{{ end -}}
"#;

fn main() {
    let templates = Templates::parse(&[]).expect("the built-in templates parse");
    let email = templates.compile(Engine::Html, r#"{{ template "email.default.html" . }}"#).expect("it compiles");
    let large = templates.compile(Engine::Text, LARGE).expect("it compiles");
    println!("{:<16} {:>6} {:>12} {:>12} {:>10}", "template", "alerts", "µs", "µs/alert", "bytes");
    for (name, template) in [("default email", &email), ("large message", &large)] {
        for count in [1, 100, 1000] {
            report(name, template, count);
        }
    }
}

/// Prints the best of many rounds: on a busy machine the others tell of the neighbours.
fn report(name: &str, template: &Template, count: usize) {
    let data = data(count);
    let (mut best, mut bytes) = (Duration::MAX, 0);
    let started = Instant::now();
    while started.elapsed() < BUDGET {
        let round = Instant::now();
        bytes = black_box(template.render(black_box(&data), now())).expect("it renders").len();
        best = best.min(round.elapsed());
    }
    let microseconds = best.as_secs_f64() * 1e6;
    println!("{name:<16} {count:>6} {microseconds:>12.1} {:>12.2} {bytes:>10}", microseconds / count as f64);
}

fn now() -> Now {
    Now { instant: "2026-11-23T12:00:00Z".parse().expect("a timestamp"), local: TimeZone::UTC }
}

fn data(count: usize) -> Data {
    let common = [("alertname", "HighLatency"), ("cluster", "eu-1"), ("job", "api"), ("severity", "critical")];
    Data {
        receiver: "team".into(),
        status: "firing".into(),
        alerts: (0..count).map(alert).collect::<Alerts>(),
        notification_reason: "new alerts added".into(),
        group_labels: common[..2].iter().copied().collect::<Kv>(),
        common_labels: common.into_iter().collect::<Kv>(),
        external_url: "https://alerts.example.org".into(),
        truncated_alerts: 0,
        ..Data::default()
    }
}

fn alert(index: usize) -> Alert {
    let instance = format!("10.0.{}.{}:9100", index / 250, index % 250);
    let starts_at: Timestamp = "2026-11-23T11:30:00Z".parse().expect("a timestamp");
    let labels = [
        ("alertname", "HighLatency"),
        ("cluster", "eu-1"),
        ("instance", &instance),
        ("job", "api"),
        ("pod", "api-7d9c"),
        ("severity", "critical"),
    ];
    let annotations =
        [("summary", "Latency is high & rising"), ("description", "The 99th percentile is above <500 ms>.")];
    Alert {
        status: "firing".into(),
        labels: labels.into_iter().collect(),
        annotations: annotations.into_iter().collect(),
        starts_at: Time::utc(starts_at),
        generator_url: "http://prometheus.example.org/graph?g0.expr=latency+%3E+0.5&g0.tab=1".into(),
        fingerprint: format!("{index:016x}"),
        ..Alert::default()
    }
}
