//! Letting another node's bot go first. Two nodes that cannot reach each other tell the same things at the same moment;
//! where both are in a channel, the one whose nick sorts first speaks, and the other listens and drops what it hears.

use std::time::Duration;

use tokio::time::Instant;

use super::super::wire::fold;
use super::Session;
use super::speech::{Job, Work};

/// How long the other may be silent before we speak: a few lines of a bot that keeps to one a second, and some lag.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a message is held back however much the other says: what it does not know must be heard all the same.
const LONGEST: Duration = Duration::from_secs(120);

impl Session {
    /// Until when a message that has not been begun is held back; `None` if nobody goes before us.
    pub(super) fn held_back_until(&self, job: &Job) -> Option<Instant> {
        let Work::Order(order) = &job.work else { return None };
        let me = fold(self.identity.nick());
        let wanted = job.told == 0 && !order.dedup_window.is_zero();
        if !wanted || !self.peers_in(&job.target).any(|peer| *peer < me) {
            return None;
        }
        let spoke = self.speech.peers_spoke.get(&fold(&job.target)).copied();
        let quiet = spoke.map_or(job.since, |spoke| spoke.max(job.since)) + SILENCE;
        Some(quiet.min(job.since + LONGEST))
    }

    /// Notes that somebody said something in a channel, if it is a bot that goes before us.
    pub(super) fn note_speaker(&mut self, nick: &str, channel: &str, now: Instant) {
        let (nick, me) = (fold(nick), fold(self.identity.nick()));
        if nick < me && self.peers_in(channel).any(|peer| *peer == nick) {
            self.speech.peers_spoke.insert(fold(channel), now);
        }
    }
}
