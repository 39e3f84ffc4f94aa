//! A route's own labels. Their values are templates that may call for one another with `routeLabels`; in a
//! notification's templates they are final.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::{Data, Kv};
use crate::error::TemplateError;
use crate::functions::Fault;
use crate::set::{Now, Template};

/// How many route labels may call for one another in a row.
const MAX_CHAIN: usize = 20;

/// What became of a route's labels.
#[derive(Debug, Default)]
pub struct RenderedLabels {
    /// The labels that could be rendered.
    pub labels: Kv,
    /// The names of the others, with what went wrong.
    pub failures: Vec<(String, TemplateError)>,
}

/// Renders the labels of a route for `data`, each once. One that fails is left out, as are those that call for it.
pub fn render_route_labels(labels: &BTreeMap<String, Template>, data: &Data, now: &Now) -> RenderedLabels {
    let data = Arc::new(data.clone());
    let resolver = Resolver { labels, data: &data, now, done: RefCell::default(), chain: RefCell::default() };
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    for name in labels.keys() {
        match resolver.resolve(name) {
            Ok(value) => values.push((name, value)),
            Err(error) => failures.push((name.clone(), error)),
        }
    }
    RenderedLabels { labels: values.into_iter().collect(), failures }
}

/// What `routeLabels` reads.
#[derive(Clone, Copy)]
pub(crate) enum RouteLabels<'a> {
    /// The labels of a notification's data.
    Final(&'a Kv),
    /// Labels that are being rendered.
    Pending(&'a Resolver<'a>),
}

/// Renders labels as they are called for.
pub(crate) struct Resolver<'a> {
    labels: &'a BTreeMap<String, Template>,
    data: &'a Arc<Data>,
    now: &'a Now,
    done: RefCell<BTreeMap<String, Result<String, TemplateError>>>,
    /// The labels that are being rendered, each called for by the one before.
    chain: RefCell<Vec<String>>,
}

impl RouteLabels<'_> {
    /// The value of a label; empty if there is none of this name.
    pub(crate) fn get(self, name: &str) -> Result<String, Fault> {
        match self {
            Self::Final(labels) => Ok(labels.get(name).unwrap_or_default().to_owned()),
            Self::Pending(resolver) => resolver.called(name),
        }
    }
}

impl Resolver<'_> {
    /// The value of a label that another one calls for.
    fn called(&self, name: &str) -> Result<String, Fault> {
        if !self.labels.contains_key(name) {
            return Ok(String::new());
        }
        self.check_chain(name)?;
        self.resolve(name).map_err(|error| Fault::from(error.to_string()))
    }

    /// Fails if the label is being rendered already, or too many are.
    fn check_chain(&self, name: &str) -> Result<(), Fault> {
        let chain = self.chain.borrow();
        if let Some(start) = chain.iter().position(|label| label == name) {
            return Err(format!("route label cycle detected: {} -> {name}", chain[start..].join(" -> ")).into());
        }
        if chain.len() == MAX_CHAIN {
            return Err(Fault::limit(format!("more than {MAX_CHAIN} route labels call for one another")));
        }
        Ok(())
    }

    /// Renders a label, unless that was done.
    fn resolve(&self, name: &str) -> Result<String, TemplateError> {
        if let Some(outcome) = self.done.borrow().get(name) {
            return outcome.clone();
        }
        self.chain.borrow_mut().push(name.to_owned());
        let outcome = self.labels[name].render_with(self.data, self.now, RouteLabels::Pending(self));
        self.chain.borrow_mut().pop();
        self.done.borrow_mut().insert(name.to_owned(), outcome.clone());
        outcome
    }
}
