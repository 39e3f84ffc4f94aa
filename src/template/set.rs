//! Sets of named templates: the built-in ones, then files in order, then a field of the configuration on top.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::{Source, Tree};
use crate::check;
use crate::data::Data;
use crate::defaults;
use crate::error::TemplateError;
use crate::eval;
use crate::functions::Context;
use crate::html;
use crate::parse::parse;
use crate::routelabels::RouteLabels;
use crate::value::Value;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The named templates that one template can call.
pub(crate) type Trees = BTreeMap<String, Arc<Tree>>;

/// Parsed template files. A clone shares them.
#[derive(Clone, Debug)]
pub struct Templates {
    trees: Arc<Trees>,
}

/// A field of the configuration, parsed once, with every template that it can call.
#[derive(Clone, Debug)]
pub struct Template {
    trees: Arc<Trees>,
    /// Nothing is executed for an empty field.
    is_empty: bool,
}

/// Which of Go's two packages a field is rendered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `text/template`.
    Text,
    /// `html/template`: what is inserted is escaped for its place.
    Html,
}

/// The clock of one rendering.
#[derive(Clone, Debug)]
pub struct Now {
    /// The current instant.
    pub instant: Timestamp,
    /// The zone of the machine.
    pub local: TimeZone,
}

/// The name of a field's own template.
const FIELD: &str = "";

impl Templates {
    /// Parses `files` (base name and text) after the built-in templates, each on top of those before it.
    ///
    /// # Errors
    /// The first text that is not a template, with its place.
    pub fn parse(files: &[(String, String)]) -> Result<Self, TemplateError> {
        let mut trees = Trees::new();
        let built_in = defaults::FILES.into_iter();
        for (name, text) in built_in.chain(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
            add(&mut trees, name, text)?;
        }
        Ok(Self { trees: Arc::new(trees) })
    }

    /// Parses the text of a field on top of these templates.
    ///
    /// # Errors
    /// What makes `source` no template, or, for HTML, what makes it ambiguous.
    pub fn compile(&self, engine: Engine, source: &str) -> Result<Template, TemplateError> {
        let mut trees = Trees::clone(&self.trees);
        add(&mut trees, FIELD, source)?;
        if engine == Engine::Html {
            trees = html::escape(&trees, FIELD)?;
        }
        Ok(Template { trees: Arc::new(trees), is_empty: source.is_empty() })
    }
}

impl Template {
    /// Renders the field for `data`.
    ///
    /// # Errors
    /// What did not fit, with its place; or the bound that was exceeded.
    pub fn render(&self, data: &Data, now: Now) -> Result<String, TemplateError> {
        if self.is_empty {
            return Ok(String::new());
        }
        let data = Arc::new(data.clone());
        self.render_with(&data, &now, RouteLabels::Final(&data.route_labels))
    }

    /// The calls of templates that do not exist. They are no error before they are executed, but a warning at load.
    pub fn unknown_templates(&self) -> Vec<TemplateError> {
        check::unknown_templates(&self.trees, FIELD)
    }

    pub(crate) fn render_with(
        &self,
        data: &Arc<Data>,
        now: &Now,
        route_labels: RouteLabels<'_>,
    ) -> Result<String, TemplateError> {
        eval::execute(&self.trees, FIELD, Value::Data(data.clone()), Context::new(now, route_labels))
    }
}

/// Parses a text into `trees`. An empty template does not replace one that is there.
fn add(trees: &mut Trees, name: &str, text: &str) -> Result<(), TemplateError> {
    for tree in parse(Source { name: name.into(), text: text.into() })? {
        if !tree.is_empty() || !trees.contains_key(&tree.name) {
            trees.insert(tree.name.clone(), Arc::new(tree));
        }
    }
    Ok(())
}
