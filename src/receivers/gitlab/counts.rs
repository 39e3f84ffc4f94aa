//! What GitLab answered, counted across configurations, for whoever shows metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use smol_str::SmolStr;
use watchbell_engine::notification::FailureKind;

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
    /// Outcomes and counts: `watchbell_gitlab_requests_total{outcome}`.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OUTCOMES.into_iter().zip(self.requests.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Issues that were closed because another stands for the same group:
    /// `watchbell_gitlab_duplicates_closed_total`.
    pub fn duplicates(&self) -> u64 {
        self.duplicates.load(Ordering::Relaxed)
    }

    /// When tokens end, by receiver and index: `watchbell_gitlab_token_expires_timestamp_seconds`.
    pub fn token_ends(&self) -> BTreeMap<(SmolStr, u32), i64> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|token| token.strong_count() > 0);
        let tokens = tokens.iter().filter_map(Weak::upgrade);
        let ends = tokens.map(|token| ((token.receiver.clone(), token.index), token.ends.load(Ordering::Relaxed)));
        ends.filter(|(_, ends)| *ends > 0).collect()
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
