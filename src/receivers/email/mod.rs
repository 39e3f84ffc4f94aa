//! Mail: a notification as text and HTML, handed to a mail server.
//!
//! The whole mail is made before the server is spoken to, so that nothing half-made is ever delivered. What the server
//! makes of each recipient is remembered until all are settled, so that nobody is told twice because of another.

mod address;
mod body;
mod connect;
mod cram;
mod header;
mod login;
mod message;
mod people;
mod pool;
mod progress;
mod reply;
mod tally;
mod thread;
mod transaction;
mod wire;

use std::sync::Arc;

use lettre::Address;
use watchbell_engine::nflog::ReceiverData;
use watchbell_engine::notification::{Failure, Notification};
use watchbell_engine::time::Timestamp;
use watchbell_template::Templates;

use self::message::{Composer, Mail};
use self::pool::{Pool, Pools};
use self::progress::{PATIENCE, Progress, Told};
use self::tally::{Fate, Tally};
use self::transaction::{Terms, Verdict};
use super::field::Field;
use super::figures::Figure;
use super::identity::identity;
use super::outcome::permanent;
use super::{ReceiverError, Surroundings, data};
use crate::settings::email::EmailConfig;

/// People who are told by mail.
pub(super) struct Email {
    composer: Composer,
    pool: Arc<Pool>,
    terms: Terms,
    surroundings: Surroundings,
}

/// What of mail outlives a configuration: connections, who has heard of what, and the counts. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Mailroom(Arc<Inner>);

#[derive(Default)]
struct Inner {
    pools: Pools,
    progress: Progress,
    tally: Arc<Tally>,
}

impl Mailroom {
    /// What is counted.
    pub fn figures(&self) -> Vec<Figure> {
        self.0.tally.figures(self.0.progress.len())
    }
}

impl std::fmt::Debug for Mailroom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mailroom").field(&self.0.tally).finish()
    }
}

impl Email {
    pub(super) fn build(
        config: &EmailConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let room = &surroundings.mailroom.0;
        Ok(Self {
            composer: Composer::build(config, templates)?,
            pool: room.pools.of(config, surroundings, &room.tally)?,
            terms: Terms::of(config),
            surroundings: surroundings.clone(),
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        self.composer.fields()
    }

    /// Tells everybody who has not heard of `notification` yet; gives what the log keeps for the next mail.
    pub(super) async fn send(&self, notification: &Notification) -> Result<ReceiverData, Failure> {
        let now = (self.surroundings.now)();
        let mail = self.compose(notification, now)?;
        let told = self.progress().of(&mail.identity);
        let recipients = mail.people.recipients();
        let rest: Vec<_> =
            recipients.into_iter().filter(|one| !told.settled.contains_key(AsRef::<str>::as_ref(one))).collect();
        let verdicts = if rest.is_empty() { Vec::new() } else { self.hand_over(&mail, &rest).await? };
        self.settle(&mail, told, verdicts, now)?;
        Ok(self.composer.kept(&mail))
    }

    fn compose(&self, notification: &Notification, now: Timestamp) -> Result<Mail, Failure> {
        let clock = data::template_clock(now);
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        let data = data::data(notification, &notification.alerts, external_url, route_labels, &clock);
        let mail = self.composer.compose(notification, identity(notification), &data, &clock)?;
        for error in &mail.errors {
            self.surroundings.fallbacks.note("email", error);
        }
        Ok(mail)
    }

    async fn hand_over(&self, mail: &Mail, recipients: &[Address]) -> Result<Vec<Verdict>, Failure> {
        let mut lease = self.pool.lease().await?;
        let outcome = self.terms.hand_over(lease.line(), mail, recipients).await;
        if outcome.as_ref().err().is_none_or(reply::is_answer) {
            lease.end().await;
        }
        outcome
    }

    /// Counts and remembers what became of each recipient. As long as one is deferred there is another attempt, unless
    /// the others would have to wait too long for what comes next.
    fn settle(&self, mail: &Mail, told: Told, verdicts: Vec<Verdict>, now: Timestamp) -> Result<(), Failure> {
        let is_late = told.anybody() && now.since(told.since) >= PATIENCE;
        let (mut settled, mut deferred, mut refused) = (told.settled, Vec::new(), None);
        for (recipient, verdict) in verdicts {
            let recipient = recipient.to_string();
            self.note(fate(&verdict, is_late), &recipient, verdict.as_ref().err());
            match (fate(&verdict, is_late), verdict) {
                (Fate::Deferred, Err(failure)) => deferred.push(failure),
                (_, verdict) => {
                    settled.insert(recipient, verdict.is_ok());
                    refused = verdict.err().or(refused);
                }
            }
        }
        let accepted = settled.values().filter(|accepted| **accepted).count();
        if let Some(failure) = deferred.iter().max_by_key(|failure| failure.retry_after) {
            let all = settled.len() + deferred.len();
            self.progress().note(&mail.identity, settled, now);
            let text = format!("{accepted} of {all} recipients are told; {}", failure.text);
            return Err(Failure { text, in_part: accepted > 0, ..failure.clone() });
        }
        self.progress().end(&mail.identity);
        match refused {
            Some(failure) if accepted == 0 => Err(failure),
            _ => {
                mail.people.bad().for_each(|bad| self.note(Fate::Refused, bad, Some(&permanent("not an address"))));
                Ok(())
            }
        }
    }

    fn note(&self, fate: Fate, recipient: &str, failure: Option<&Failure>) {
        self.surroundings.mailroom.0.tally.met(fate);
        let err = failure.map_or("", |failure| failure.text.as_str());
        match fate {
            Fate::Accepted => tracing::debug!(recipient, "A recipient is told"),
            Fate::Refused => tracing::warn!(recipient, err, "A recipient is refused, and is not told"),
            Fate::Deferred => tracing::info!(recipient, err, "A recipient is deferred, and will be tried again"),
        }
    }

    fn progress(&self) -> &Progress {
        &self.surroundings.mailroom.0.progress
    }
}

/// A recipient is not waited for for ever.
fn fate(verdict: &Result<(), Failure>, is_late: bool) -> Fate {
    match verdict {
        Ok(()) => Fate::Accepted,
        Err(failure) if failure.retry && !is_late => Fate::Deferred,
        Err(_) => Fate::Refused,
    }
}

#[cfg(test)]
mod tests;
