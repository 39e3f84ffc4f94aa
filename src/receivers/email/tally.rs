//! What is counted of mails.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::figures::{Figure, Kind};

/// How recipients and connections fared.
#[derive(Debug, Default)]
pub(super) struct Tally {
    recipients: [AtomicU64; Fate::ALL.len()],
    connections: AtomicU64,
    connections_opened: AtomicU64,
}

/// What became of a recipient in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A server has the mail for it.
    Accepted,
    /// Refused for good.
    Refused,
    /// Refused for now.
    Deferred,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Deferred];

    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
        }
    }
}

impl Tally {
    /// The counts under the names of metrics; `partial` notifications are told in part.
    pub(super) fn figures(&self, partial: usize) -> Vec<Figure> {
        let mut recipients = Figure::new(
            "watchbell_email_recipients_total",
            Kind::Counter,
            "Recipients of mails by what the mail server made of them in an attempt.",
        );
        for (fate, count) in Fate::ALL.iter().zip(&self.recipients) {
            recipients.add(&[("outcome", fate.as_str())], read(count));
        }
        let single = |name, kind, help, value| {
            let mut figure = Figure::new(name, kind, help);
            figure.add(&[], value);
            figure
        };
        vec![
            recipients,
            single(
                "watchbell_email_connections",
                Kind::Gauge,
                "Connections to mail servers that are open.",
                read(&self.connections),
            ),
            single(
                "watchbell_email_connections_opened_total",
                Kind::Counter,
                "Connections to mail servers that were made.",
                read(&self.connections_opened),
            ),
            single(
                "watchbell_email_partial_deliveries",
                Kind::Gauge,
                "Notifications that some recipients have and for which others are deferred.",
                partial as f64,
            ),
        ]
    }

    pub(super) fn met(&self, fate: Fate) {
        self.recipients[fate as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn read(count: &AtomicU64) -> f64 {
    count.load(Ordering::Relaxed) as f64
}
