//! What somebody on IRC, who may, wants to be done. Whoever knows how does it, and answers through
//! [`IrcNetworks::answer`](super::IrcNetworks::answer).

use std::time::Duration;

use watchbell_engine::label::Labels;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IrcRequest {
    /// The server's name in the configuration.
    pub server: String,
    /// Where to answer.
    pub channel: String,
    /// Who asks: services' name for him, or his nick if he need not be known.
    pub account: String,
    /// What.
    pub wants: IrcWant,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IrcWant {
    /// Say how things are.
    Status,
    /// Say what fires, of what these matchers match.
    Alerts {
        /// Matchers with commas between them, or in braces; empty means all.
        matchers: String,
    },
    /// Make a silence.
    Silence {
        /// Of what.
        subject: IrcSubject,
        /// How long.
        lasts: Duration,
        /// Why.
        comment: String,
    },
    /// End a silence.
    Unsilence {
        /// Its id.
        id: String,
    },
}

/// What a silence is to hush.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IrcSubject {
    /// The alerts of the group with these labels.
    Group(Labels),
    /// What these matchers match.
    Matchers(String),
}
