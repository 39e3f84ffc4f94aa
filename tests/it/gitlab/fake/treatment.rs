//! What befalls a request on its way, as a test wants it: delays, refusals, lost answers, old news.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use super::answer::Answer;

/// How one request fares. By default nothing happens to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Treatment {
    /// How long it is on its way.
    pub(crate) before: Duration,
    /// Where it waits for others.
    pub(crate) gate: Option<Arc<Barrier>>,
    /// The answer, if nothing shall be done.
    pub(crate) instead: Option<Answer>,
    /// How long a new issue has its number before anybody can see it.
    pub(crate) commit: Duration,
    /// How old the state may be that a read is answered from, as from a replica that lags. It also fools who has just
    /// written, whom GitLab tries to spare this.
    pub(crate) lag: Duration,
    /// How long the answer is on its way.
    pub(crate) after: Duration,
    pub(crate) end: End,
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    #[default]
    Answer,
    /// All is done, and the answer says that it failed.
    Fail,
    /// All is done, and the connection ends without an answer.
    Cut,
}

impl Treatment {
    /// Refused with this answer.
    pub(crate) fn refused(answer: Answer) -> Self {
        Self { instead: Some(answer), ..Self::default() }
    }

    /// Done, but this becomes of the answer.
    pub(crate) fn ending(end: End) -> Self {
        Self { end, ..Self::default() }
    }
}
