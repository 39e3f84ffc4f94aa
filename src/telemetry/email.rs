//! The counts of mails. The receivers keep them and know nothing of metrics, so they are asked for at a scrape.

use std::fmt;
use std::sync::OnceLock;

use super::exposition::Page;

/// What there is to say of mails.
#[derive(Default)]
pub struct EmailCounts {
    /// What became of recipients, and how often.
    pub recipients: Vec<(&'static str, u64)>,
    /// Connections that are there now, and that were ever made.
    pub connections: [u64; 2],
    /// Notifications that some recipients have and others are still to get.
    pub partial_deliveries: u64,
}

/// How mails fared.
#[derive(Default)]
pub struct EmailMetrics(OnceLock<Box<dyn Fn() -> EmailCounts + Send + Sync>>);

impl EmailMetrics {
    /// Shows what `counts` returns; only the first call has an effect.
    pub fn ask(&self, counts: impl Fn() -> EmailCounts + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(counts));
    }

    pub(super) fn write(&self, page: &mut Page) {
        let EmailCounts { recipients, connections: [open, opened], partial_deliveries } =
            self.0.get().map(|counts| counts()).unwrap_or_default();
        const RECIPIENTS: &str = "watchbell_email_recipients_total";
        page.begin(RECIPIENTS, "counter", "Recipients of mails by what the mail server made of them in an attempt.");
        for (outcome, count) in recipients {
            page.series(RECIPIENTS, &[("outcome", outcome)], count);
        }
        for (name, kind, help, value) in [
            ("watchbell_email_connections", "gauge", "Connections to mail servers that are open.", open),
            ("watchbell_email_connections_opened_total", "counter", "Connections to mail servers made.", opened),
            (
                "watchbell_email_partial_deliveries",
                "gauge",
                "Notifications that some recipients have and others are deferred for.",
                partial_deliveries,
            ),
        ] {
            page.begin(name, kind, help);
            page.series(name, &[], value);
        }
    }
}

impl fmt::Debug for EmailMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailMetrics").finish_non_exhaustive()
    }
}
