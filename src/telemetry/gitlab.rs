//! What the receivers for GitLab count. They keep it and know nothing of metrics, so it is asked for at a scrape.

use std::fmt;
use std::sync::OnceLock;

use smol_str::SmolStr;

use super::exposition::Page;

/// The numbers at one moment.
#[derive(Clone, Debug, Default)]
pub struct GitlabNumbers {
    /// Requests by outcome.
    pub requests: Vec<(&'static str, u64)>,
    /// Issues that were closed because another stands for the same group.
    pub duplicates: u64,
    /// Receiver, index, and when the integration's token ends, in seconds since the epoch.
    pub token_ends: Vec<(SmolStr, u32, i64)>,
}

/// What GitLab answered.
#[derive(Default)]
pub struct GitlabMetrics(OnceLock<Box<dyn Fn() -> GitlabNumbers + Send + Sync>>);

impl GitlabMetrics {
    /// Shows what `numbers` returns; only the first call has an effect.
    pub fn ask(&self, numbers: impl Fn() -> GitlabNumbers + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(numbers));
    }

    pub(super) fn write(&self, page: &mut Page) {
        let numbers = self.0.get().map(|numbers| numbers()).unwrap_or_default();
        const REQUESTS: &str = "watchbell_gitlab_requests_total";
        page.begin(REQUESTS, "counter", "Requests to GitLab, by what came of them.");
        for (outcome, count) in &numbers.requests {
            page.series(REQUESTS, &[("outcome", outcome)], count);
        }
        const DUPLICATES: &str = "watchbell_gitlab_duplicates_closed_total";
        page.begin(DUPLICATES, "counter", "Issues closed because another stands for the same group of alerts.");
        page.series(DUPLICATES, &[], numbers.duplicates);
        const TOKENS: &str = "watchbell_gitlab_token_expires_timestamp_seconds";
        page.begin(TOKENS, "gauge", "When the token of an integration ends, where GitLab says so.");
        for (receiver, index, ends) in &numbers.token_ends {
            page.series(TOKENS, &[("receiver", receiver), ("index", &index.to_string())], ends);
        }
    }
}

impl fmt::Debug for GitlabMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitlabMetrics").finish_non_exhaustive()
    }
}
