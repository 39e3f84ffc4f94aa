//! How much one person may ask for in a minute.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answer::Answer;
use super::call::Call;
use super::route::Operation;

/// The limits, and what was asked for so far. What is `None` is not limited.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Lists with `search`.
    pub(crate) searches: Option<u32>,
    pub(crate) new_issues: Option<u32>,
    pub(crate) new_notes: Option<u32>,
    /// The gate before GitLab, for requests of all kinds.
    pub(crate) throttle: Option<Throttle>,
    asked: BTreeMap<(u64, &'static str, i64), u32>,
}

/// So many requests in each period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    pub(crate) requests: u32,
    pub(crate) seconds: u32,
}

impl Default for Limits {
    /// GitLab's defaults for a server of one's own.
    fn default() -> Self {
        Self { searches: Some(30), new_issues: None, new_notes: Some(300), throttle: None, asked: BTreeMap::new() }
    }
}

impl Limits {
    /// Counts the request of `user`.
    pub(super) fn count(&mut self, call: &Call, user: u64, now: Timestamp) -> Result<(), Answer> {
        if let Some(Throttle { requests, seconds }) = self.throttle
            && self.exceeded((user, "all", now.as_second() / i64::from(seconds)), requests)
        {
            let rest = i64::from(seconds) - now.as_second() % i64::from(seconds);
            return Err(Answer::throttled(requests, rest.unsigned_abs()));
        }
        let (feature, limit) = match call.operation {
            Operation::ListIssues | Operation::ListAllIssues if call.has_query("search") => ("search", self.searches),
            Operation::CreateIssue => ("issues", self.new_issues),
            Operation::CreateNote => ("notes", self.new_notes),
            _ => return Ok(()),
        };
        match limit {
            Some(limit) if self.exceeded((user, feature, now.as_second() / 60), limit) => Err(Answer::limited()),
            _ => Ok(()),
        }
    }

    fn exceeded(&mut self, window: (u64, &'static str, i64), limit: u32) -> bool {
        let asked = self.asked.entry(window).or_default();
        *asked += 1;
        *asked > limit
    }
}
