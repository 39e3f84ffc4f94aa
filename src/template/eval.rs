//! Executes a tree: walks its nodes, keeps the variables and the place that an error names. Pipelines and commands are
//! in `pipeline`, arguments and calls in `call`, fields and methods in `field`, loops in `range`.

mod call;
mod field;
mod pipeline;
mod range;

use std::fmt::Display;

use crate::ast::{Branch, Node, Pos, Tree};
use crate::error::{ErrorKind, TemplateError};
use crate::functions::{Context, Fault, MAX_OUTPUT};
use crate::printf;
use crate::set::Trees;
use crate::value::Value;
use watchbell_golang::quote::quote;

/// How deep templates may call one another. Go allows 100,000 on its growing stack; a thread's stack of 2 MiB holds
/// this many with room to spare.
const MAX_CALLS: usize = 100;

/// Executes the template `name` of `trees` with `data` as its dot.
pub(crate) fn execute(trees: &Trees, name: &str, data: Value, context: Context<'_>) -> Result<String> {
    let tree = &trees[name];
    let place = Place { pos: 0, node: &"" };
    let root = ("$", data.clone());
    let mut evaluator = Evaluator { trees, tree, place, context, variables: vec![root], calls: 0, out: String::new() };
    evaluator.nodes(&data, &tree.root)?;
    Ok(evaluator.out)
}

type Result<T> = std::result::Result<T, TemplateError>;

struct Evaluator<'a> {
    trees: &'a Trees,
    /// The tree that is executing.
    tree: &'a Tree,
    /// What an error would name: the part of the tree that was reached last.
    place: Place<'a>,
    context: Context<'a>,
    /// The variables of the executing template, innermost last.
    variables: Vec<(&'a str, Value)>,
    /// How many templates are executing, each called by the one before.
    calls: usize,
    out: String,
}

/// A part of a tree.
#[derive(Clone, Copy)]
struct Place<'a> {
    pos: Pos,
    node: &'a dyn Display,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Normal,
    Break,
    Continue,
}

impl<'a> Evaluator<'a> {
    fn nodes(&mut self, dot: &Value, nodes: &'a [Node]) -> Result<Flow> {
        for node in nodes {
            let flow = self.node(dot, node)?;
            if flow != Flow::Normal {
                return Ok(flow);
            }
        }
        Ok(Flow::Normal)
    }

    fn node(&mut self, dot: &Value, node: &'a Node) -> Result<Flow> {
        self.at(node.pos(), node);
        self.charge(1)?;
        match node {
            Node::Text { text, .. } => self.write(text)?,
            Node::Action { pipe, .. } => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.at(node.pos(), node);
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.branch(dot, branch, false),
            Node::With(branch) => return self.branch(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template { name, pipe, .. } => {
                let called = self.called(name)?;
                let dot = pipe.as_ref().map_or(Ok(Value::Nil), |pipe| self.pipeline(dot, pipe))?;
                self.call_template(called, dot)?;
            }
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::Normal)
    }

    /// `if`, or `with`, whose body has the value as its dot.
    fn branch(&mut self, dot: &Value, branch: &'a Branch, with: bool) -> Result<Flow> {
        let scope = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.truth() {
            self.nodes(if with { &value } else { dot }, &branch.body)?
        } else {
            self.nodes(dot, branch.otherwise.as_deref().unwrap_or_default())?
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    /// The template of this name, if it may be called.
    fn called(&self, name: &str) -> Result<&'a Tree> {
        let Some(tree) = self.trees.get(name) else {
            return Err(self.error(format!("template {} not defined", quote(name))));
        };
        if self.calls == MAX_CALLS {
            let message = format!("exceeded maximum template depth ({MAX_CALLS})");
            return Err(self.fault(Fault::limit(message)));
        }
        Ok(tree)
    }

    /// Executes a template that sees none of the caller's variables.
    fn call_template(&mut self, tree: &'a Tree, dot: Value) -> Result<()> {
        let caller = std::mem::replace(&mut self.tree, tree);
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.calls += 1;
        self.nodes(&dot, &tree.root)?;
        self.calls -= 1;
        self.variables = variables;
        self.tree = caller;
        Ok(())
    }

    fn print(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Text(text, _) => self.write(text),
            _ => {
                let text = printf::display(value).map_err(|fault| self.fault(fault))?;
                self.write(&text)
            }
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        if self.out.len() + text.len() > MAX_OUTPUT {
            return Err(self.fault(Fault::too_long()));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn charge(&mut self, steps: usize) -> Result<()> {
        self.context.charge(steps).map_err(|fault| self.fault(fault))
    }

    /// Makes this the part of the tree that an error names.
    fn at(&mut self, pos: Pos, node: &'a dyn Display) {
        self.place = Place { pos, node };
    }

    fn error(&self, message: String) -> TemplateError {
        self.fault(Fault { kind: ErrorKind::Execute, message })
    }

    fn fault(&self, fault: Fault) -> TemplateError {
        TemplateError::at(fault.kind, self.tree, self.place.pos, self.place.node.to_string(), fault.message)
    }
}
