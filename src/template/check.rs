//! What can be said of a template before it is executed.

use std::collections::BTreeSet;

use crate::ast::{Node, Pos, Tree};
use crate::error::TemplateError;
use crate::set::Trees;
use watchbell_golang::quote::quote;

/// The calls of templates that do not exist, among all that `name` can reach. Go finds them only when it executes them.
pub(crate) fn unknown_templates(trees: &Trees, name: &str) -> Vec<TemplateError> {
    let mut seen = BTreeSet::from([name]);
    let mut pending = vec![name];
    let mut unknown = Vec::new();
    while let Some(tree) = pending.pop().and_then(|name| trees.get(name)) {
        let mut calls = Vec::new();
        collect_calls(&tree.root, &mut calls);
        for (pos, called) in calls {
            if !trees.contains_key(called) {
                unknown.push(not_defined(tree, pos, called));
            } else if seen.insert(called) {
                pending.push(called);
            }
        }
    }
    unknown
}

fn not_defined(tree: &Tree, pos: Pos, called: &str) -> TemplateError {
    TemplateError::parse(&tree.source, pos, format!("template {} not defined", quote(called)))
}

/// The names of the templates that these nodes call, with the places of the calls.
fn collect_calls<'a>(nodes: &'a [Node], calls: &mut Vec<(Pos, &'a str)>) {
    for node in nodes {
        match node {
            Node::Template { pos, name, .. } => calls.push((*pos, name)),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                collect_calls(&branch.body, calls);
                collect_calls(branch.otherwise.as_deref().unwrap_or_default(), calls);
            }
            Node::Text { .. } | Node::Action { .. } | Node::Break { .. } | Node::Continue { .. } => {}
        }
    }
}
