//! A lock that nodes hold against each other while they make an issue, for who wants one (`create_lock: label`): a
//! label, because its name can be in a project once only. A node that dies leaves it behind, so it runs out.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use watchbell_engine::notification::Failure;

use super::super::outcome;
use super::api::encoded;
use super::telling::Telling;

/// How long a node may hold it: longer than an attempt that goes well.
const HELD_FOR: Duration = Duration::from_secs(60);

/// When to ask again for one that another node holds.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A lock that is held.
pub(super) struct Lock {
    path: String,
}

#[derive(Deserialize)]
struct Label {
    description: Option<String>,
}

impl Lock {
    /// Takes the lock of the group.
    ///
    /// # Errors
    /// It passes if another node holds it.
    pub(super) async fn take(telling: &Telling<'_>, now: Timestamp) -> Result<Self, Failure> {
        let labels = format!("projects/{}/labels", encoded(&telling.wording.project));
        let name = format!("watchbell-lock::{}", &telling.group[..12]);
        let lock = Self { path: format!("{labels}/{}", encoded(&name)) };
        let body = json!({"name": name, "color": "#808080", "description": (now + HELD_FOR).to_string()});
        match telling.gitlab.api.ask(&telling.asked, Method::POST, &labels, &[], Some(&body)).await {
            Ok(_) => Ok(lock),
            Err((400 | 409, failure)) if failure.text.contains("already") => {
                lock.free_if_abandoned(telling, now).await?;
                let held = outcome::transient("another node is making the issue");
                Err(Failure { retry_after: Some(ASK_AGAIN), ..held })
            }
            Err((_, failure)) => Err(failure),
        }
    }

    /// The description says until when it is held.
    async fn free_if_abandoned(&self, telling: &Telling<'_>, now: Timestamp) -> Result<(), Failure> {
        let label = telling.gitlab.api.get::<Label>(&telling.asked, &self.path).await?;
        let until = label.and_then(|label| label.description?.parse::<Timestamp>().ok());
        if until.is_none_or(|until| until < now) {
            self.delete(telling).await?;
        }
        Ok(())
    }

    /// Lets go. If that fails it runs out.
    pub(super) async fn release(self, telling: &Telling<'_>) {
        if let Err(failure) = self.delete(telling).await {
            tracing::warn!(integration = "gitlab", err = %failure.text, "Cannot remove the label that served as a lock");
        }
    }

    async fn delete(&self, telling: &Telling<'_>) -> Result<(), Failure> {
        match telling.gitlab.api.ask(&telling.asked, Method::DELETE, &self.path, &[], None).await {
            Ok(_) | Err((404, _)) => Ok(()),
            Err((_, failure)) => Err(failure),
        }
    }
}
