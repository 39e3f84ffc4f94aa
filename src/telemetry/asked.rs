//! Metrics that other rooms keep as plain data, and are asked for at a scrape: the receivers, which know nothing of
//! metrics.

use std::fmt;
use std::sync::OnceLock;

use super::exposition::Page;

/// A metric with its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The metric's name, in full.
    pub name: &'static str,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Labels and values.
    pub series: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// Whom to ask.
#[derive(Default)]
pub struct AskedMetrics(OnceLock<Box<dyn Fn() -> Vec<Asked> + Send + Sync>>);

impl AskedMetrics {
    /// Shows what `metrics` returns; only the first call has an effect.
    pub fn ask(&self, metrics: impl Fn() -> Vec<Asked> + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(metrics));
    }

    pub(super) fn write(&self, page: &mut Page) {
        for Asked { name, kind, help, series } in self.0.get().map(|metrics| metrics()).unwrap_or_default() {
            page.begin(name, kind, help);
            for (labels, value) in series {
                let labels: Vec<(&str, &str)> = labels.iter().map(|(name, text)| (*name, text.as_str())).collect();
                page.series(name, &labels, value);
            }
        }
    }
}

impl fmt::Debug for AskedMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskedMetrics").finish_non_exhaustive()
    }
}
