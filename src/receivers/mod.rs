//! Messages out: one file or folder a kind of integration, one place for HTTP, TLS and the classes of failure.
//!
//! One call is one attempt. When to try again, for how long, and whose turn it is, is decided elsewhere; so is what is
//! told. A template that fails while sending never eats a page: the notification goes out with a built-in text that
//! carries the alerts and the error.

mod data;
mod email;
mod field;
mod figures;
mod gate;
mod gitlab;
mod heartbeat;
mod http;
mod identity;
mod irc;
mod json;
mod outcome;
mod plain;
mod rehearsal;
mod route_labels;
mod scram;
mod terminal;
mod tls;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_engine::nflog::{ReceiverData, ReceiverDatum};
use watchbell_engine::notification::{Failure, Notification};
use watchbell_engine::time::Timestamp;
use watchbell_template::Templates;

use self::field::Field;
use crate::settings::email::EmailConfig;
use crate::settings::gitlab::GitlabConfig;
use crate::settings::heartbeat::HeartbeatConfig;
use crate::settings::irc::IrcConfig;
use crate::settings::receiver::Receiver;
use crate::settings::terminal::TerminalConfig;
use crate::settings::webhook::WebhookConfig;

pub use data::template_clock;
pub use email::Mailroom;
pub use field::TemplateFallbacks;
pub use figures::{Figure, Kind};
pub use gitlab::GitlabCounts;
pub use irc::{IrcNetworks, IrcPlans, IrcRequest, IrcSubject, IrcWant, Names};
pub use rehearsal::Warning;
pub use route_labels::RouteLabels;

/// What integrations know of the program around them.
#[derive(Clone)]
pub struct Surroundings {
    /// Where people find us, without a slash at the end.
    pub external_url: String,
    /// What `--cluster.label` says; empty if nothing.
    pub cluster_label: String,
    /// Our version, for the header `User-Agent`.
    pub version: String,
    /// Tells the time.
    pub now: fn() -> Timestamp,
    /// Where failing templates are counted.
    pub fallbacks: Arc<TemplateFallbacks>,
    /// Where requests to GitLab are counted.
    pub gitlab: Arc<GitlabCounts>,
    /// The labels of the routes by which notifications come.
    pub route_labels: RouteLabels,
    /// The sessions with IRC servers.
    pub irc: IrcNetworks,
    /// This node's name among its peers.
    pub peer_name: String,
    /// What all nodes of the cluster know and nobody else, if they share a key.
    pub cluster_secret: Option<Arc<[u8]>>,
    /// What of mail outlives a configuration.
    pub mailroom: Mailroom,
}

/// Every integration of one configuration.
pub struct Integrations {
    by_receiver: BTreeMap<SmolStr, Vec<Integration>>,
    heartbeats: BTreeMap<SmolStr, heartbeat::Heartbeat>,
}

/// Why integrations cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiverError {
    /// Something about one integration.
    #[error("receiver {receiver:?}, {kind}_configs[{index}]: {error}")]
    Integration {
        /// The receiver's name.
        receiver: String,
        /// The integration's kind.
        kind: &'static str,
        /// Its position among the receiver's of this kind.
        index: usize,
        /// What is wrong with it.
        error: Box<Self>,
    },
    /// Something about a heartbeat.
    #[error("heartbeat {name:?}: {error}")]
    Heartbeat {
        /// Its name.
        name: String,
        /// What is wrong with it.
        error: Box<Self>,
    },
    /// A field that is no template.
    #[error("{key}: {error}")]
    Template {
        /// The field.
        key: String,
        /// What is wrong with it.
        error: String,
    },
    /// A setting that is known and cannot be honoured.
    #[error("{0}")]
    Setting(String),
}

/// One way to tell somebody.
struct Integration {
    index: u32,
    /// Whether it is told of alerts that are over.
    sends_resolved: bool,
    way: Way,
}

enum Way {
    Webhook(Box<webhook::Webhook>),
    Email(Box<email::Email>),
    Irc(Box<irc::Irc>),
    Gitlab(Box<gitlab::Gitlab>),
    Terminal(terminal::Terminal),
}

impl Integrations {
    /// Builds the integrations of `receivers`, whose settings have inherited what they lacked and are valid.
    ///
    /// # Errors
    /// The first integration that cannot be built, and why.
    pub fn build(
        receivers: &[Receiver],
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let build =
            |receiver: &Receiver| Ok((SmolStr::new(&receiver.name), integrations(receiver, templates, surroundings)?));
        let by_receiver = receivers.iter().map(build).collect::<Result<_, _>>()?;
        Ok(Self { by_receiver, heartbeats: BTreeMap::new() })
    }

    /// Adds heartbeats, whose settings have inherited what they lacked and are valid.
    ///
    /// # Errors
    /// The first heartbeat that cannot be built, and why.
    pub fn with_heartbeats(
        mut self,
        configs: &[HeartbeatConfig],
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        for config in configs {
            let wrong = |error| ReceiverError::Heartbeat { name: config.name.clone(), error: Box::new(error) };
            let heartbeat = heartbeat::Heartbeat::build(config, surroundings).map_err(wrong)?;
            self.heartbeats.insert(SmolStr::new(&config.name), heartbeat);
        }
        Ok(self)
    }

    /// Sends the heartbeat of this name, once and bounded in time.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn beat(&self, name: &str) -> Result<(), String> {
        match self.heartbeats.get(name) {
            Some(heartbeat) => heartbeat.send().await,
            None => Err("the configuration has no such heartbeat any more".to_owned()),
        }
    }

    /// Tells `notification` to the integration that its key names: one attempt, which the caller bounds in time.
    ///
    /// # Errors
    /// Why the integration was not told, and whether another attempt can help.
    pub async fn send(&self, notification: &Notification) -> Result<ReceiverData, Failure> {
        let Some(integration) = self.find(notification) else {
            return Err(outcome::permanent("the configuration has no such integration any more"));
        };
        let nothing = |()| ReceiverData::new();
        // Boxed, so that an attempt takes as much room as its own kind needs, not as the largest.
        let mut data = match &integration.way {
            Way::Webhook(webhook) => webhook.send(notification).await.map(nothing)?,
            Way::Email(email) => Box::pin(email.send(notification)).await?,
            Way::Irc(irc) => Box::pin(irc.send(notification)).await.map(nothing)?,
            Way::Gitlab(gitlab) => Box::pin(gitlab.send(notification)).await?,
            Way::Terminal(terminal) => terminal.send(notification).await.map(nothing)?,
        };
        data.insert(identity::KEPT_AS.into(), ReceiverDatum::Text(identity::identity(notification)));
        Ok(data)
    }

    fn find(&self, notification: &Notification) -> Option<&Integration> {
        let key = &notification.key;
        let mut candidates = self.by_receiver.get(&key.receiver)?.iter();
        candidates.find(|integration| integration.way.kind() == key.integration && integration.index == key.index)
    }
}

fn integrations(
    receiver: &Receiver,
    templates: &Templates,
    surroundings: &Surroundings,
) -> Result<Vec<Integration>, ReceiverError> {
    let webhook = |config: &WebhookConfig| {
        Ok((config.send_resolved, Way::Webhook(Box::new(webhook::Webhook::build(config, templates, surroundings)?))))
    };
    let email = |config: &EmailConfig| {
        Ok((config.send_resolved, Way::Email(Box::new(email::Email::build(config, templates, surroundings)?))))
    };
    let irc = |config: &IrcConfig| {
        Ok((config.send_resolved, Way::Irc(Box::new(irc::Irc::build(config, templates, surroundings)?))))
    };
    let gitlab = |config: &GitlabConfig| {
        Ok((config.send_resolved, Way::Gitlab(Box::new(gitlab::Gitlab::build(config, templates, surroundings)?))))
    };
    let terminal = |config: &TerminalConfig| {
        Ok((config.send_resolved, Way::Terminal(terminal::Terminal::build(config, templates, surroundings)?)))
    };
    let mut all = of_kind(receiver, "webhook", &receiver.webhook_configs, webhook)?;
    all.extend(of_kind(receiver, "email", &receiver.email_configs, email)?);
    all.extend(of_kind(receiver, "irc", &receiver.irc_configs, irc)?);
    all.extend(of_kind(receiver, "gitlab", &receiver.gitlab_configs, gitlab)?);
    all.extend(of_kind(receiver, "terminal", &receiver.terminal_configs, terminal)?);
    Ok(all)
}

/// `build` also says whether the integration is told of alerts that are over.
fn of_kind<C>(
    receiver: &Receiver,
    kind: &'static str,
    configs: &[C],
    build: impl Fn(&C) -> Result<(bool, Way), ReceiverError>,
) -> Result<Vec<Integration>, ReceiverError> {
    let place = |index, error| ReceiverError::Integration {
        receiver: receiver.name.clone(),
        kind,
        index,
        error: Box::new(error),
    };
    let integration = |(index, config)| {
        let (sends_resolved, way) = build(config).map_err(|error| place(index, error))?;
        Ok(Integration { index: u32::try_from(index).unwrap_or(u32::MAX), sends_resolved, way })
    };
    configs.iter().enumerate().map(integration).collect()
}

impl Way {
    fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::Irc(_) => "irc",
            Self::Gitlab(_) => "gitlab",
            Self::Terminal(_) => "terminal",
        }
    }

    /// All that is rendered for a notification, apart from what is read from a file then.
    fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Webhook(webhook) => webhook.fields(),
            Self::Email(email) => email.fields(),
            Self::Irc(irc) => irc.fields(),
            Self::Gitlab(gitlab) => gitlab.fields(),
            Self::Terminal(terminal) => terminal.fields(),
        }
    }
}

#[cfg(test)]
mod tests;
