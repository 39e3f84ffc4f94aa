//! When the token ends: asked for once a day, and when it is another one, so that it can be watched and renewed in time. It must not get in the way
//! of a notification.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;
use watchbell_engine::nflog::NflogKey;

use super::Gitlab;
use super::api::Asked;
use super::counts::Token;

/// How often it is asked for.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// A notification makes no more requests than this for the sake of it.
const MAX_REQUESTS: u32 = 4;

/// What is known of the token's end.
#[derive(Default)]
pub(super) struct TokenEnd {
    /// When it was asked for, and of which token: that token's digest.
    asked: Mutex<Option<(Instant, [u8; 32])>>,
    token: OnceLock<Arc<Token>>,
}

#[derive(Deserialize)]
struct AccessToken {
    expires_at: Option<String>,
}

impl TokenEnd {
    /// Asks, if it is time and the notification was cheap. No answer is no failure: not every kind of token may ask.
    pub(super) async fn look_up(&self, gitlab: &Gitlab, key: &NflogKey, asked: &Asked) {
        if asked.count() >= MAX_REQUESTS || !self.is_due(gitlab.api.token_digest().await) {
            return;
        }
        let token = self.token.get_or_init(|| gitlab.counts.token(&key.receiver, key.index));
        match gitlab.api.get::<AccessToken>(asked, "personal_access_tokens/self").await {
            Ok(found) => token.ends_at(found.and_then(end).unwrap_or_default()),
            Err(failure) => {
                tracing::debug!(integration = "gitlab", err = %failure.text, "Cannot ask when the token ends")
            }
        }
    }

    fn is_due(&self, token: [u8; 32]) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.is_none_or(|(at, of)| of != token || at.elapsed() >= EVERY);
        if due {
            *asked = Some((Instant::now(), token));
        }
        due
    }
}

/// A token ends with the beginning of its last day, in UTC.
fn end(token: AccessToken) -> Option<i64> {
    let beginning: Timestamp = format!("{}T00:00:00Z", token.expires_at?).parse().ok()?;
    Some(beginning.as_second())
}
