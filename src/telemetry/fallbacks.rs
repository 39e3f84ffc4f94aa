//! The count of failed templates. The receivers keep it and know nothing of metrics, so it is asked for at a scrape.

use std::fmt;
use std::sync::OnceLock;

use super::exposition::Page;

/// Kinds of integrations, and how often each went out with the built-in text since a template failed.
type Counts = Vec<(&'static str, u64)>;

/// How often notifications went out with the built-in text.
#[derive(Default)]
pub struct FallbackMetrics(OnceLock<Box<dyn Fn() -> Counts + Send + Sync>>);

impl FallbackMetrics {
    /// Shows what `counts` returns; only the first call has an effect.
    pub fn ask(&self, counts: impl Fn() -> Counts + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(counts));
    }

    pub(super) fn write(&self, page: &mut Page) {
        const NAME: &str = "watchbell_template_fallbacks_total";
        page.begin(NAME, "counter", "Notifications that went out with the built-in text because a template failed.");
        for (integration, count) in self.0.get().map(|counts| counts()).unwrap_or_default() {
            page.series(NAME, &[("integration", integration)], count);
        }
    }
}

impl fmt::Debug for FallbackMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackMetrics").finish_non_exhaustive()
    }
}
