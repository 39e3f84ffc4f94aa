//! What GitLab answered, counted across configurations, for whoever shows metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use smol_str::SmolStr;
use watchbell_engine::notification::FailureKind;

use crate::receivers::figures::{Figure, Kind};

/// What came of requests to GitLab, and when our tokens for it end.
///
/// It outlives a configuration, so that the counts never fall.
#[derive(Debug, Default)]
pub struct GitlabCounts {
    requests: [AtomicU64; OUTCOMES.len()],
    duplicates: AtomicU64,
    tokens: Mutex<Vec<Weak<Token>>>,
}

/// A token that an integration uses.
#[derive(Debug)]
pub(super) struct Token {
    receiver: SmolStr,
    index: u32,
    /// In seconds since the epoch; 0 if that is not known, or never.
    ends: AtomicI64,
}

/// What can come of a request.
const OUTCOMES: [&str; 7] =
    ["ok", "not_found", "client_error", "auth_error", "rate_limited", "server_error", "unreachable"];

impl GitlabCounts {
    /// What is told of them.
    pub fn figures(&self) -> Vec<Figure> {
        let mut requests =
            Figure::new("watchbell_gitlab_requests_total", Kind::Counter, "Requests to GitLab, by what came of them.");
        for (outcome, count) in OUTCOMES.into_iter().zip(&self.requests) {
            requests.add(&[("outcome", outcome)], count.load(Ordering::Relaxed) as f64);
        }
        let mut duplicates = Figure::new(
            "watchbell_gitlab_duplicates_closed_total",
            Kind::Counter,
            "Issues closed because another stands for the same group of alerts.",
        );
        duplicates.add(&[], self.duplicates.load(Ordering::Relaxed) as f64);
        vec![requests, duplicates, self.token_ends()]
    }

    fn token_ends(&self) -> Figure {
        let mut figure = Figure::new(
            "watchbell_gitlab_token_expires_timestamp_seconds",
            Kind::Gauge,
            "When the token of an integration ends, where GitLab says so.",
        );
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|token| token.strong_count() > 0);
        let tokens = tokens.iter().filter_map(Weak::upgrade);
        let ends = tokens.map(|token| ((token.receiver.clone(), token.index), token.ends.load(Ordering::Relaxed)));
        // After a reload the old and the new integration may be there for a moment.
        let ends: BTreeMap<_, _> = ends.filter(|(_, ends)| *ends > 0).collect();
        for ((receiver, index), ends) in ends {
            figure.add(&[("receiver", &receiver), ("index", &index.to_string())], ends as f64);
        }
        figure
    }

    pub(super) fn count(&self, outcome: &'static str) {
        if let Some(at) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.requests[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_duplicate(&self) {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
    }

    /// A token to be shown for as long as somebody holds it.
    pub(super) fn token(&self, receiver: &SmolStr, index: u32) -> Arc<Token> {
        let token = Arc::new(Token { receiver: receiver.clone(), index, ends: AtomicI64::new(0) });
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&token));
        token
    }
}

impl Token {
    pub(super) fn ends_at(&self, seconds: i64) {
        self.ends.store(seconds, Ordering::Relaxed);
    }
}

/// The outcome of a request that was answered with an error of this status and kind.
pub(super) fn outcome_of(status: u16, kind: FailureKind) -> &'static str {
    match kind {
        _ if status == 404 => "not_found",
        FailureKind::AuthError => "auth_error",
        FailureKind::RateLimited => "rate_limited",
        FailureKind::ServerError => "server_error",
        _ => "client_error",
    }
}
