//! Webhooks: a notification as JSON by HTTP POST, in Alertmanager's shape or the operator's own.

mod body;
mod payload;

use std::ops::Deref;
use std::sync::LazyLock;
use std::time::Duration;

use watchbell_engine::notification::{Failure, Notification, NotifiedAlert};
use watchbell_template::{Data, Engine, Kv, Now, Templates};

use self::payload::Payload;
use super::field::Field;
use super::gate::Gate;
use super::http::{HttpClient, read_trimmed};
use super::{ReceiverError, Surroundings, data, outcome};
use crate::settings::duration::GoDuration;
use crate::settings::webhook::WebhookConfig;

/// A server that is told by POST.
pub(super) struct Webhook {
    address: Address,
    payload: Option<Payload>,
    /// How many alerts are told at most.
    max_alerts: usize,
    timeout: Option<Duration>,
    client: HttpClient,
    gate: Gate,
    templates: Templates,
    surroundings: Surroundings,
}

enum Address {
    /// Nothing in it is to be rendered.
    Plain(String),
    Inline(Field),
    File(String),
}

impl Webhook {
    pub(super) fn build(
        config: &WebhookConfig,
        templates: &Templates,
        surroundings: &Surroundings,
    ) -> Result<Self, ReceiverError> {
        let address = match config.url.reveal() {
            _ if !config.url_file.is_empty() => Address::File(config.url_file.clone()),
            plain if !plain.contains("{{") => Address::Plain(plain.to_owned()),
            source => Address::Inline(Field::compile(templates, Engine::Text, "url", source)?),
        };
        let payload = config.payload.as_ref().map(|payload| Payload::compile(payload, templates)).transpose()?;
        let http = config.http_config.clone().unwrap_or_default();
        Ok(Self {
            address,
            payload,
            max_alerts: match config.max_alerts {
                0 => usize::MAX,
                most => usize::try_from(most).unwrap_or(usize::MAX),
            },
            timeout: (!config.timeout.is_zero()).then_some(config.timeout.0),
            client: HttpClient::build(&http, surroundings)?,
            gate: Gate::new(),
            templates: templates.clone(),
            surroundings: surroundings.clone(),
        })
    }

    pub(super) fn fields(&self) -> Vec<&Field> {
        let url = match &self.address {
            Address::Inline(field) => Some(field),
            Address::Plain(_) | Address::File(_) => None,
        };
        let payload = self.payload.as_ref().map(Payload::fields);
        url.into_iter().chain(payload.into_iter().flatten()).collect()
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<(), Failure> {
        self.gate.pass(|| self.tell(notification)).await
    }

    async fn tell(&self, notification: &Notification) -> Result<(), Failure> {
        let now = data::template_clock((self.surroundings.now)());
        let told = &notification.alerts[..notification.alerts.len().min(self.max_alerts)];
        let Surroundings { external_url, route_labels, .. } = &self.surroundings;
        // A copy of everything, for templates; most webhooks have none.
        let data = LazyLock::new(|| data::data(notification, told, external_url, route_labels, &now));
        let url = self.url(&data, &now).await?;
        let body = self.body(notification, told, &data, &now);
        let post = self.client.post_json(&url, body);
        let reply = match self.timeout {
            None => post.await?,
            Some(limit) => tokio::time::timeout(limit, post)
                .await
                .map_err(|_| outcome::late(format!("configured webhook timeout reached ({})", GoDuration(limit))))??,
        };
        outcome::check(&reply)
    }

    async fn url(&self, data: &(impl Deref<Target = Data> + Sync), now: &Now) -> Result<String, Failure> {
        let url = match &self.address {
            Address::Plain(url) => url.clone(),
            Address::Inline(field) => field.render(data, now).map_err(outcome::permanent)?,
            Address::File(path) => {
                let source = read_trimmed(path).await.map_err(outcome::permanent)?;
                let field = Field::compile(&self.templates, Engine::Text, "url_file", &source);
                let rendered = field.map_err(|error| error.to_string()).and_then(|field| field.render(data, now));
                rendered.map_err(outcome::permanent)?
            }
        };
        if url.is_empty() {
            return Err(outcome::permanent("the webhook's URL is empty after templating"));
        }
        Ok(url)
    }

    fn body(
        &self,
        notification: &Notification,
        told: &[NotifiedAlert],
        data: &impl Deref<Target = Data>,
        now: &Now,
    ) -> Vec<u8> {
        let Some(payload) = &self.payload else {
            let plain = notification.route_labels.is_empty();
            let route_labels = if plain { Kv::default() } else { data.route_labels.clone() };
            return body::encode(notification, told, &route_labels, &self.surroundings.external_url);
        };
        let (body, errors) = payload.render(data, now);
        for error in errors {
            self.surroundings.fallbacks.note("webhook", &error);
        }
        body
    }
}

#[cfg(test)]
mod tests;
