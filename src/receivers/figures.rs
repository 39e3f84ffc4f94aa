//! What integrations count, as plain data: they know nothing of metrics, and are asked at a scrape.

/// A metric with its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The metric's name, in full.
    pub name: &'static str,
    /// What kind of metric it is.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// Labels and values.
    pub series: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises.
    Counter,
    /// It may fall.
    Gauge,
}

impl Figure {
    pub(super) fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, series: Vec::new() }
    }

    pub(super) fn add(&mut self, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.series.push((labels, value));
    }
}

impl Kind {
    /// The word after `# TYPE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}
