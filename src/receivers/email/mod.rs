//! Mail: a notification as text and HTML, handed to a mail server.
//!
//! The whole mail is made before the server is spoken to, so that nothing half-made is ever delivered.

mod address;
mod login;
mod message;
mod session;

use watchbell_engine::notification::{Failure, Notification};
use watchbell_template::Templates;

use self::login::Credentials;
use self::message::Composer;
use self::session::Server;
use super::field::Field;
use super::{ReceiverError, Surroundings, data, outcome};
use crate::settings::email::EmailConfig;

/// People who are told by mail.
pub(super) struct Email {
    composer: Composer,
    server: Server,
    credentials: Option<Credentials>,
    surroundings: Surroundings,
}

impl Email {
    pub(super) fn build(
        config: &EmailConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        Ok(Self {
            composer: Composer::build(config, templates)?,
            server: Server::build(config)?,
            credentials: Credentials::build(config),
            surroundings: surroundings.clone(),
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        self.composer.fields()
    }

    /// One connection a mail, as Alertmanager does.
    pub(super) async fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let now = (self.surroundings.now)();
        let clock = data::template_clock(now);
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        let data = data::data(notification, &notification.alerts, external_url, route_labels, &clock);
        let (mail, errors) = self.composer.compose(notification, &data, &clock).map_err(outcome::permanent)?;
        for error in errors {
            self.surroundings.fallbacks.note("email", &error);
        }
        session::deliver(&self.server, self.credentials.as_ref(), mail.envelope(), &mail.formatted()).await
    }
}

#[cfg(test)]
mod tests;
