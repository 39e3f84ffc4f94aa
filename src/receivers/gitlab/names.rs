//! Numbers for names: GitLab wants people and milestones by number, the operator names them. It must not know what
//! they are for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use watchbell_engine::notification::Failure;

use super::api::{Api, Asked, Query, encoded};

/// How long a number is believed.
const TIME_TO_LIVE: Duration = Duration::from_secs(3600);

/// Names that are kept; templates could make ever more of them.
const MAX_NAMES: usize = 1000;

/// What was looked up.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<Name, (Option<u64>, Instant)>>);

/// Where a name is looked up, and the name.
type Name = (String, String);

#[derive(Deserialize)]
struct Named {
    id: u64,
}

impl Names {
    /// The numbers of users; those who are not known are left out, and the log says so.
    pub(super) async fn users(&self, api: &Api, asked: &Asked, names: &[String]) -> Result<Vec<u64>, Failure> {
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            ids.extend(self.number(api, asked, "users", name, vec![("username", name.clone())]).await?);
        }
        Ok(ids)
    }

    /// The number of a project's milestone, or of one that the project has from its groups.
    pub(super) async fn milestone(
        &self,
        api: &Api,
        asked: &Asked,
        project: &str,
        title: &str,
    ) -> Result<Option<u64>, Failure> {
        let path = format!("projects/{}/milestones", encoded(project));
        let query = vec![("title", title.to_owned()), ("include_ancestors", "true".to_owned())];
        self.number(api, asked, &path, title, query).await
    }

    async fn number(
        &self,
        api: &Api,
        asked: &Asked,
        path: &str,
        name: &str,
        query: Query,
    ) -> Result<Option<u64>, Failure> {
        let key = (path.to_owned(), name.to_owned());
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let found = match api.first::<Named>(asked, path, query).await {
            Ok(named) => named.first().map(|named| named.id),
            Err(failure) if failure.retry => return Err(failure),
            Err(failure) => {
                tracing::warn!(integration = "gitlab", %name, err = %failure.text, "Cannot look a name up in GitLab, leaving it out");
                None
            }
        };
        if found.is_none() {
            tracing::warn!(integration = "gitlab", %name, %path, "GitLab does not know this name, leaving it out");
        }
        self.keep(key, found);
        Ok(found)
    }

    fn known(&self, key: &Name) -> Option<Option<u64>> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(key).filter(|(_, since)| since.elapsed() < TIME_TO_LIVE).map(|(number, _)| *number)
    }

    fn keep(&self, key: Name, number: Option<u64>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MAX_NAMES {
            names.clear();
        }
        names.insert(key, (number, Instant::now()));
    }
}
