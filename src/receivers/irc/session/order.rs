//! What is asked of a session: a message to somebody, and what must be true before it counts as told.

use std::time::Duration;

use tokio::sync::oneshot;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::Failure;

use super::super::memory::LeftOut;
use super::super::text::Text;

/// A message that somebody wants to be said.
pub(in super::super) struct Order {
    pub(in super::super) target: String,
    /// The channel's key, if it has one.
    pub(in super::super) key: String,
    pub(in super::super) text: Text,
    pub(in super::super) style: Style,
    pub(in super::super) notice: bool,
    pub(in super::super) confirm: Confirm,
    pub(in super::super) confirm_timeout: Duration,
    /// Names the notification on all nodes.
    pub(in super::super) identity: String,
    /// The id that other nodes' bots would show.
    pub(in super::super) id: String,
    /// How long a peer's message counts as ours.
    pub(in super::super) dedup_window: Duration,
    /// Whether nobody but the nodes can make an id.
    pub(in super::super) id_is_secret: bool,
    pub(in super::super) drop_unjoinable: bool,
    /// Lines that the target may be told in a time.
    pub(in super::super) quota: (usize, Duration),
    /// What is left out if they are used up.
    pub(in super::super) alerts: LeftOut,
    /// What the id is about.
    pub(in super::super) about: Labels,
    pub(in super::super) reply: oneshot::Sender<Result<(), Failure>>,
}

/// Whether codes for formatting are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Style {
    Auto,
    Plain,
    Formatted,
}

/// What must prove that a line arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Confirm {
    /// The best that the server offers.
    Auto,
    Echo,
    Ping,
    Nothing,
}
