//! A notification: what one integration is told of one group, why, and what came of telling it.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::label::Labels;
use crate::nflog::{NflogEntry, NflogKey};
use crate::time::Timestamp;

/// What an integration is handed to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Who is told, of which group.
    pub key: NflogKey,
    /// The group's labels.
    pub group_labels: Labels,
    /// The route's labels; the values are templates, to be rendered against this notification.
    pub route_labels: Labels,
    /// Why now.
    pub reason: Reason,
    /// The alerts in flush order; never empty.
    pub alerts: Vec<NotifiedAlert>,
    /// What the integration was told last of this group, and what it kept then; also if all of that is over.
    pub previous: Option<Arc<NflogEntry>>,
    /// The flush this notification belongs to; the same on a retry.
    pub flushed_at: Timestamp,
}

/// An alert as it stood when the group was flushed.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifiedAlert {
    /// The alert.
    pub alert: Arc<Alert>,
    /// Whether it fired at the flush; if so its end is not told.
    pub firing: bool,
}

/// Why a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing of this group was known to fire before.
    FirstNotification,
    /// Alerts fire that were not told yet.
    NewAlerts,
    /// Alerts are resolved that were not told so yet.
    SomeResolved,
    /// Nothing fires any more.
    AllResolved,
    /// Nothing changed for `repeat_interval`.
    Repeat,
}

impl Reason {
    /// The words of `notification_reason` in webhooks and templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstNotification => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::SomeResolved => "some alerts resolved",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        }
    }
}

/// Why an attempt to tell failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class, a label of `alertmanager_notifications_failed_total`.
    pub kind: FailureKind,
    /// Whether trying the same again can help.
    pub retry: bool,
    /// For the log: what happened, without secrets.
    pub text: String,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
    /// Whether some of those behind the integration were told all the same. Only who told them knows which: another
    /// node would tell them again.
    pub in_part: bool,
}

/// The classes of failures that Alertmanager's metrics know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// Anything else.
    Other,
    /// The receiver refused the request (4xx).
    ClientError,
    /// The receiver failed (5xx).
    ServerError,
    /// The attempt was given up because the program stops.
    ContextCanceled,
    /// Time ran out.
    ContextDeadlineExceeded,
    /// The receiver does not know us (401, 403).
    AuthError,
    /// The receiver has had too much (429).
    RateLimited,
}

impl FailureKind {
    /// Every class, so that each metric series exists from the start.
    pub const ALL: [Self; 7] = [
        Self::Other,
        Self::ClientError,
        Self::ServerError,
        Self::ContextCanceled,
        Self::ContextDeadlineExceeded,
        Self::AuthError,
        Self::RateLimited,
    ];

    /// The value of the metric label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::ClientError => "clientError",
            Self::ServerError => "serverError",
            Self::ContextCanceled => "contextCanceled",
            Self::ContextDeadlineExceeded => "contextDeadlineExceeded",
            Self::AuthError => "authError",
            Self::RateLimited => "rateLimited",
        }
    }
}
