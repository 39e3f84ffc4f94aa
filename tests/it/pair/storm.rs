//! Many alerts: series that web1's node_exporter shows, and rules that make an alert of each that is 1. Alerts of one kind
//! are one group.

use std::fmt::Write;

/// So many kinds of alerts, and so many of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storm {
    pub(super) kinds: usize,
    pub(super) each: usize,
}

impl Storm {
    pub(super) fn alerts(self) -> usize {
        self.kinds * self.each
    }

    /// The rules that raise them.
    pub(super) fn rules(self) -> String {
        let mut rules = "groups:\n  - name: storm\n    rules:\n".to_owned();
        for kind in 0..self.kinds {
            let rule = format!(
                "      - {{alert: Storm{kind:02}, expr: 'storm{{kind=\"{kind}\"}} == 1', labels: {{severity: critical}}}}\n"
            );
            rules += &rule;
        }
        rules
    }

    /// The series; an alert fires if `fires` says so of its number.
    pub(super) fn metrics(self, fires: impl Fn(usize) -> bool) -> String {
        let mut metrics = "# TYPE storm gauge\n".to_owned();
        for number in 0..self.alerts() {
            let (kind, value) = (number % self.kinds, u8::from(fires(number)));
            writeln!(metrics, "storm{{kind=\"{kind}\",number=\"{number}\"}} {value}")
                .expect("a text can be written to");
        }
        metrics
    }
}
