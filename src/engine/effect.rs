//! What goes into the engine and what comes out of it: closed sets, so that the compiler lists every place that must
//! care about a new one.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::alert::Alert;
use crate::group::SavedGroup;
use crate::heartbeat::Stalled;
use crate::intent::Intent;
use crate::label::Fingerprint;
use crate::members::{KnownPeer, Member};
use crate::nflog::{NflogEntry, NflogKey, ReceiverData};
use crate::notification::{Failure, FailureKind, Notification, Reason};
use crate::peers::Peer;
use crate::replica::Record;
use crate::silence::edit::{Draft, SilenceError};
use crate::silence::{Silence, SilenceId};
use crate::version::Version;
use crate::vigil::Cause;

/// Everything that can happen, but for time passing and the policy being replaced.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody reports alerts.
    Alerts(Vec<Arc<Alert>>),
    /// Somebody wants a silence; a new one gets the id `fresh`.
    SetSilence {
        /// What is wanted.
        draft: Draft,
        /// A random id that was never used.
        fresh: SilenceId,
    },
    /// Somebody ends a silence.
    ExpireSilence(SilenceId),
    /// An attempt to tell is over.
    Delivered {
        /// Which.
        attempt: AttemptId,
        /// What the integration wants to remember, or why it failed.
        outcome: Result<ReceiverData, Failure>,
    },
    /// The living nodes, this one among them.
    Peers(Vec<Peer>),
    /// All nodes that are here or missed, this one apart.
    Members(Vec<Member>),
    /// Another node's records.
    News(Vec<Record>),
    /// The cluster has settled: what the others know is known here.
    Settled,
    /// Nobody was there since the engine was called last: the process stood still, or the clock was set forward.
    Overslept,
}

/// What the engine asks for. It must be done in the order of the fields. Before anything is published or told, what is
/// persisted as durable must be written so that the end of the program does not take it; before anything is answered, so
/// that a loss of power does not take it either.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Changes of what is kept on disk.
    pub persist: Vec<Change>,
    /// Records for the other nodes.
    pub publish: Vec<Record>,
    /// Attempts to start.
    pub deliver: Vec<Attempt>,
    /// Heartbeats to send, by their names.
    pub beat: Vec<SmolStr>,
    /// The answer to whoever asked.
    pub answer: Option<Answer>,
    /// What was decided and why, for logs and metrics.
    pub notes: Vec<Note>,
}

/// Names one attempt to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

/// One attempt to tell an integration. Its outcome must come back as [`Input::Delivered`], in any case.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Names it.
    pub id: AttemptId,
    /// What to tell whom.
    pub notification: Arc<Notification>,
    /// How long it may take.
    pub timeout: Duration,
}

/// The answer to an input that asks something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Input::SetSilence`]: the id under which the silence is known.
    SilenceSet(Result<SilenceId, SilenceError>),
    /// To [`Input::ExpireSilence`].
    SilenceExpired(Result<(), SilenceError>),
}

/// A change of what is kept on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Store a silence.
    PutSilence(Arc<Silence>),
    /// Forget a silence.
    DeleteSilence(SilenceId),
    /// Store a log entry.
    PutNflog(Arc<NflogEntry>),
    /// Forget a log entry.
    DeleteNflog(NflogKey),
    /// Store what an integration may have heard.
    PutIntent(Arc<Intent>),
    /// Forget what an integration may have heard.
    DeleteIntent(NflogKey),
    /// Store an alert.
    PutAlert(Arc<Alert>),
    /// Forget an alert.
    DeleteAlert(Fingerprint),
    /// Store a group's timer.
    PutGroup(SavedGroup),
    /// Forget a group's timer; only the route's id and the labels count.
    DeleteGroup(SavedGroup),
    /// Remember a peer.
    PutPeer(KnownPeer),
    /// Forget the peer of this name.
    DeletePeer(SmolStr),
}

impl Change {
    /// Whether what follows from it must wait for it, as [`Effects`] says.
    pub fn is_durable(&self) -> bool {
        self.is_promised() || matches!(self, Self::PutIntent(_))
    }

    /// Whether it is to be on the disk as soon as it can be. What an integration may have heard is followed by what it
    /// has heard, and may go there with that.
    pub fn is_promised(&self) -> bool {
        matches!(self, Self::PutSilence(_) | Self::PutNflog(_))
    }
}

/// A decision and its reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// An alert was dropped since there are too many of its name.
    AlertLimited(SmolStr),
    /// Alerts were left out of a flush.
    Suppressed {
        /// Why.
        why: Mute,
        /// How many.
        count: usize,
    },
    /// An integration is told, and why.
    Tell {
        /// Whom.
        key: NflogKey,
        /// Why.
        reason: Reason,
        /// Which attempt this is, from 1.
        attempt: u32,
    },
    /// An integration need not be told.
    NothingToTell(NflogKey),
    /// An integration was told.
    Told {
        /// Whom.
        key: NflogKey,
        /// How many attempts it took.
        attempts: u32,
    },
    /// An attempt failed and is tried again.
    Retry {
        /// Whom.
        key: NflogKey,
        /// How many attempts failed so far.
        attempts: u32,
        /// Why.
        failure: Failure,
    },
    /// Telling was given up until the group's next flush.
    GivenUp {
        /// Whom.
        key: NflogKey,
        /// How many attempts failed.
        attempts: u32,
        /// The last failure.
        failure: Failure,
        /// The class under which the whole is counted.
        kind: FailureKind,
    },
    /// A silence was made.
    SilenceCreated(Arc<Silence>),
    /// A silence was edited in place.
    SilenceUpdated(Arc<Silence>),
    /// A silence was ended by somebody.
    SilenceExpired(Arc<Silence>),
    /// Another node's record was refused: this version of it lies too far ahead of our clock.
    ClockAhead(Version),
    /// An expected alert was received, here or on another node.
    Seen(SmolStr),
    /// An alert of our own begins to fire.
    Raised(Cause),
    /// An alert of our own is over.
    Over(Cause),
    /// A heartbeat was due.
    Heartbeat {
        /// Its name.
        name: SmolStr,
        /// Whether it is sent, or why it is not.
        works: Result<(), Stalled>,
        /// Whether that was otherwise the last time, or this is the first.
        changed: bool,
    },
}

/// Why an alert is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mute {
    /// A firing alert inhibits it.
    Inhibited,
    /// The time is outside the route's active time intervals.
    Inactive,
    /// The time is inside one of the route's mute time intervals.
    TimeMuted,
    /// A silence hushes it.
    Silenced,
}

impl Mute {
    /// The value of the metric label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inhibited => "inhibition",
            Self::Inactive => "active_time_interval",
            Self::TimeMuted => "mute_time_interval",
            Self::Silenced => "silence",
        }
    }
}
