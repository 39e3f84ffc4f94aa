//! The labels of routes: templates that are parsed once and rendered for each notification and each shown group.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::Notification;
use watchbell_engine::time::Timestamp;
use watchbell_template::{Data, Engine, Kv, Now, Template, TemplateError, Templates, render_route_labels};

use super::data::{data, template_clock};

/// The templates of all routes' labels by their text. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct RouteLabels(Arc<BTreeMap<SmolStr, Template>>);

impl RouteLabels {
    /// Parses the labels of all routes. One that is no template is left out, and the log says so.
    pub fn parse<'a>(routes: impl IntoIterator<Item = &'a Labels>, templates: &Templates) -> Self {
        let mut parsed = BTreeMap::new();
        for (name, source) in routes.into_iter().flat_map(Labels::iter) {
            match templates.compile(Engine::Text, source) {
                Ok(template) => drop(parsed.insert(source.into(), template)),
                Err(error) => log_failure(name, &error),
            }
        }
        Self(Arc::new(parsed))
    }

    /// The labels of the route that `notification` takes, rendered as its templates see them.
    pub fn of(&self, notification: &Notification, external_url: &str, now: Timestamp) -> Labels {
        if notification.route_labels.is_empty() {
            return Labels::default();
        }
        let data = data(notification, &notification.alerts, external_url, self, &template_clock(now));
        data.route_labels.iter().collect()
    }

    /// The labels rendered for `data`. One that cannot be rendered is left out, and the log says so.
    pub(super) fn rendered(&self, sources: &Labels, data: &Data, now: &Now) -> Kv {
        if sources.is_empty() {
            return Kv::default();
        }
        let template = |(name, source): (&str, &str)| Some((name.to_owned(), self.0.get(source)?.clone()));
        let rendered = render_route_labels(&sources.iter().filter_map(template).collect(), data, now);
        rendered.failures.iter().for_each(|(label, error)| log_failure(label, error));
        rendered.labels
    }
}

fn log_failure(label: &str, err: &TemplateError) {
    tracing::error!(%label, %err, "Cannot render a route label, leaving it out");
}
