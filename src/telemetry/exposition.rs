//! The text of the metrics in Prometheus' format 0.0.4, which every Prometheus and Karma reads.

use std::fmt::{Display, Write as _};

/// A page of metrics that grows at its end.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a metric; its series follow.
    pub(super) fn begin(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// Adds one series of the metric begun last.
    pub(super) fn series(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        if labels.is_empty() {
            return self.line(format_args!("{name} {value}"));
        }
        let labels: Vec<String> = labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escape(text))).collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    /// Adds a gauge of one series without labels.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "gauge", help);
        self.series(name, &[], value);
    }

    /// Adds what prometheus-client wrote. It writes OpenMetrics, where a counter is called without its `_total`.
    pub(super) fn open_metrics(&mut self, text: &str) {
        let mut help = None;
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# HELP ") {
                help = described.split_once(' ').map(|(_, help)| help);
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
                let suffix = if kind == "counter" { "_total" } else { "" };
                self.begin(&format!("{name}{suffix}"), kind, help.take().unwrap_or_default());
            } else if !line.starts_with('#') {
                self.sample(line);
            }
        }
    }

    /// Adds a series as it stands, but for the empty brackets of one without labels.
    fn sample(&mut self, line: &str) {
        match line.split_once("{}") {
            Some((name, value)) if !name.contains('{') => self.line(format_args!("{name}{value}")),
            _ => self.line(format_args!("{line}")),
        }
    }

    /// The whole page.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes all that is written");
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
