//! IRC: a notification as few lines as say it, in channels and to people, and proof that they arrived.
//!
//! [`Irc`] words a notification and hands it to the session with its server. Sessions ([`networks`]) stand as long as the
//! program runs: behind each is a [`task`] that connects and carries bytes, and a conversation ([`session`]) that does
//! no I/O. The crate `irc` does not let its client be given a TLS configuration, a proxy or a time limit, and ends the
//! stream at a byte that is not UTF-8; so its protocol half, `irc-proto`, is used over a stream of our own.

mod connect;
mod figures;
mod formatting;
mod memory;
mod message;
mod networks;
mod plan;
mod random;
mod redact;
mod request;
mod session;
mod shared;
mod task;
mod text;
mod wire;
mod wish;

use watchbell_engine::notification::{Failure, Notification};
use watchbell_template::{Data, Engine, Now, Templates};

pub use networks::{IrcNetworks, IrcPlans};
pub use plan::Names;
pub use request::{IrcRequest, IrcSubject, IrcWant};

use self::memory::LeftOut;
use self::message::Composer;
use self::networks::Waiting;
use self::plan::Key;
use self::session::{Confirm, Order, Style};
use self::wire::{is_channel, is_target, same};
use super::field::Field;
use super::{ReceiverError, Surroundings, data, identity, outcome};
use crate::settings::irc::IrcConfig;

/// Channels and people on one server.
pub(super) struct Irc {
    config: IrcConfig,
    to: Vec<Field>,
    key: Key,
    composer: Composer,
    surroundings: Surroundings,
}

impl Irc {
    pub(super) fn build(
        config: &IrcConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let to = config.to.iter().map(|to| Field::compile(templates, Engine::Text, "to", to));
        Ok(Self {
            to: to.collect::<Result<_, _>>()?,
            key: Key::of(config),
            composer: Composer::build(config, templates)?,
            surroundings: surroundings.clone(),
            config: config.clone(),
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        self.to.iter().chain(self.composer.fields()).collect()
    }

    /// Tells every target; fails if one cannot be told, when all have been tried. A retry goes on where each stands.
    pub(super) async fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let now = data::template_clock((self.surroundings.now)());
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        let data = message::harmless(&data::data(notification, &notification.alerts, external_url, route_labels, &now));
        let key = self.key.read().await.map_err(outcome::transient)?;
        let name = identity::identity(notification);
        let order = |target: String| self.order(notification, &name, target, &key, &data, &now);
        // All are ordered before the first is waited for.
        let ordered: Vec<_> = self.targets(&data, &now)?.into_iter().map(order).collect();
        let mut failures = Vec::new();
        for ordered in ordered {
            let outcome = match ordered {
                Ok(waiting) => waiting.outcome().await,
                Err(failure) => Err(failure),
            };
            failures.extend(outcome.err());
        }
        failures.sort_by_key(|failure| !failure.retry);
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    /// Whom to tell: each once, without those whose template comes out empty.
    fn targets(&self, data: &Data, now: &Now) -> Result<Vec<String>, Failure> {
        let mut targets: Vec<String> = Vec::new();
        for field in &self.to {
            let target = field.render(data, now).map_err(outcome::permanent)?.trim().to_owned();
            if !target.is_empty() && !targets.iter().any(|known| same(known, &target)) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    fn order(
        &self,
        notification: &Notification,
        name: &str,
        target: String,
        key: &str,
        data: &Data,
        now: &Now,
    ) -> Result<Waiting, Failure> {
        if !is_target(&target) {
            return Err(outcome::permanent(format!("to: {target:?} is no channel and no nick")));
        }
        let config = &self.config;
        let secret = self.surroundings.cluster_secret.as_deref();
        let id = message::id(name, secret);
        let (firing, resolved) = message::counts(notification);
        let order = |reply| Order {
            key: if is_channel(&target) { key.to_owned() } else { String::new() },
            text: self.composer.compose(data, now, &id, &self.surroundings),
            style: style(&config.formatting),
            notice: config.message_type == "notice",
            confirm: confirm(&config.confirm),
            confirm_timeout: config.confirm_timeout.0,
            identity: name.to_owned(),
            dedup_window: config.peer_dedup_window.0,
            id_is_secret: secret.is_some(),
            drop_unjoinable: config.on_unjoinable == "drop",
            quota: (config.rate_limit.lines as usize, config.rate_limit.per.0),
            alerts: LeftOut { notifications: 1, firing, resolved },
            about: notification.group_labels.clone(),
            target,
            id,
            reply,
        };
        self.surroundings.irc.order(&config.server, order)
    }
}

fn style(word: &str) -> Style {
    match word {
        "none" => Style::Plain,
        "always" => Style::Formatted,
        _ => Style::Auto,
    }
}

fn confirm(word: &str) -> Confirm {
    match word {
        "echo" => Confirm::Echo,
        "ping" => Confirm::Ping,
        "none" => Confirm::Nothing,
        _ => Confirm::Auto,
    }
}

#[cfg(test)]
mod tests;
