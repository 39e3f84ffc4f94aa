//! What came of an attempt: failures, their classes, and which of them are worth another attempt.

use std::time::Duration;

use watchbell_engine::notification::{Failure, FailureKind};

/// What a server answered.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status code of HTTP.
    pub(super) status: u16,
    /// How long it asks us to wait.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of its body.
    pub(super) body: String,
}

/// A failure that may be over at the next attempt.
pub(super) fn transient(text: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Other, retry: true, text: text.into(), retry_after: None, in_part: false }
}

/// A failure that stays the same however often it is tried.
pub(super) fn permanent(text: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Other, retry: false, text: text.into(), retry_after: None, in_part: false }
}

/// Time ran out; the next attempt may be quicker.
pub(super) fn late(text: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::ContextDeadlineExceeded, ..transient(text) }
}

/// Whether `reply` means success. If not, 5xx is worth another attempt, and so is 429 when the server says how long to
/// wait; all else is final, as with Alertmanager's webhook.
pub(super) fn check(reply: &Reply) -> Result<(), Failure> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    let told_to_wait = reply.status == 429 && reply.retry_after.is_some();
    Err(Failure {
        kind: kind(reply.status),
        retry: (500..600).contains(&reply.status) || told_to_wait,
        text: format!("unexpected status code {}: {}", reply.status, reply.body),
        retry_after: reply.retry_after,
        in_part: false,
    })
}

/// The class of a failure that was answered with `status`.
pub(super) fn kind(status: u16) -> FailureKind {
    match status {
        401 | 403 => FailureKind::AuthError,
        429 => FailureKind::RateLimited,
        400..500 => FailureKind::ClientError,
        500..600 => FailureKind::ServerError,
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, retry_after: Option<u64>) -> Option<(&'static str, bool)> {
        let reply = Reply { status, retry_after: retry_after.map(Duration::from_secs), body: "b".to_owned() };
        check(&reply).err().map(|failure| (failure.kind.as_str(), failure.retry))
    }

    #[test]
    fn only_server_errors_and_waiting_on_demand_are_tried_again() {
        assert_eq!(outcome(204, None), None);
        assert_eq!(outcome(302, None), Some(("other", false)));
        assert_eq!(outcome(404, None), Some(("clientError", false)));
        assert_eq!(outcome(403, None), Some(("authError", false)));
        assert_eq!(outcome(429, None), Some(("rateLimited", false)));
        assert_eq!(outcome(429, Some(3)), Some(("rateLimited", true)));
        assert_eq!(outcome(503, None), Some(("serverError", true)));
    }
}
