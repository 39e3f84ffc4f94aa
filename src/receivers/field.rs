//! Templated fields of the configuration: compiled once, and a count of how often one let us down.

use std::sync::atomic::{AtomicU64, Ordering};

use watchbell_template::{Data, Engine, Now, Template, TemplateError, Templates};

use super::ReceiverError;

/// A field that is rendered for each notification.
pub(super) struct Field {
    pub(super) key: String,
    template: Template,
}

impl Field {
    /// Compiles `source`, the value of `key`.
    pub(super) fn compile(
        templates: &Templates,
        engine: Engine,
        key: &str,
        source: &str,
    ) -> Result<Self, ReceiverError> {
        let template = templates
            .compile(engine, source)
            .map_err(|error| ReceiverError::Template { key: key.to_owned(), error: error.to_string() })?;
        Ok(Self { key: key.to_owned(), template })
    }

    /// What would go wrong: templates that it calls and that are not there, and the first failure with `samples`.
    pub(super) fn faults(&self, samples: &[Data], now: &Now) -> Vec<TemplateError> {
        let mut faults = self.template.unknown_templates();
        let failure = samples.iter().find_map(|data| self.template.render(data, now.clone()).err());
        // The call of an unknown template fails as well.
        faults.extend(failure.filter(|failure| faults.iter().all(|fault| fault.message != failure.message)));
        faults
    }

    /// Renders it; an error says which field it is about.
    pub(super) fn render(&self, data: &Data, now: &Now) -> Result<String, String> {
        self.template.render(data, now.clone()).map_err(|error| format!("{}: {error}", self.key))
    }
}

/// How many notifications went out with the built-in text because a template failed, by kind of integration.
///
/// It outlives a configuration, so that the counts never fall.
#[derive(Debug, Default)]
pub struct TemplateFallbacks([AtomicU64; KINDS.len()]);

/// The kinds that have templates.
const KINDS: [&str; 5] = ["webhook", "email", "irc", "gitlab", "terminal"];

impl TemplateFallbacks {
    /// Kinds and counts: `watchbell_template_fallbacks_total{integration}`.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Counts one, and tells the log.
    pub(super) fn note(&self, kind: &str, error: &str) {
        tracing::warn!(integration = kind, err = error, "A template failed, sending the built-in text instead");
        if let Some(at) = KINDS.iter().position(|known| *known == kind) {
            self.0[at].fetch_add(1, Ordering::Relaxed);
        }
    }
}
