//! Executes a tree: walks its nodes, keeps the variables and the place that an error names. Pipelines and commands are
//! in `pipeline`, arguments and calls in `call`, fields and methods in `field`, loops in `range`.

mod call;
mod field;
mod pipeline;
mod range;

use std::fmt::Display;

use crate::ast::{Branch, Node, Pipeline, Pos, Tree};
use crate::error::{ErrorKind, TemplateError};
use crate::functions::{Context, Fault, MAX_OUTPUT};
use crate::printf;
use crate::set::Trees;
use crate::value::Value;
use watchbell_golang::quote::quote;

/// How deep an execution may go: each template that is called, each body of a control structure and each pair of
/// parentheses counts. Go allows 100,000 calls on its growing stack; a thread's 2 MiB hold this depth twice over even in
/// an unoptimised build.
const MAX_DEPTH: usize = 650;

/// Executes the template `name` of `trees` with `data` as its dot.
pub(crate) fn execute(
    trees: &Trees,
    name: &str,
    data: Value,
    context: Context<'_>,
) -> std::result::Result<String, TemplateError> {
    let tree = &trees[name];
    let place = Place { pos: 0, node: &"" };
    let root = ("$", data.clone());
    let mut evaluator = Evaluator { trees, tree, place, context, variables: vec![root], depth: 0, out: String::new() };
    evaluator.nodes(&data, &tree.root).map_err(|error| *error)?;
    Ok(evaluator.out)
}

/// Errors are boxed to keep the frames of the recursion small.
type Result<T> = std::result::Result<T, Box<TemplateError>>;

struct Evaluator<'a> {
    trees: &'a Trees,
    /// The tree that is executing.
    tree: &'a Tree,
    /// What an error would name: the part of the tree that was reached last.
    place: Place<'a>,
    context: Context<'a>,
    /// The variables of the executing template, innermost last.
    variables: Vec<(&'a str, Value)>,
    depth: usize,
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
        self.deeper(|evaluator| {
            for node in nodes {
                let flow = evaluator.node(dot, node)?;
                if flow != Flow::Normal {
                    return Ok(flow);
                }
            }
            Ok(Flow::Normal)
        })
    }

    fn node(&mut self, dot: &Value, node: &'a Node) -> Result<Flow> {
        self.at(node.pos(), node);
        self.charge(1)?;
        match node {
            Node::Text { text, .. } => self.write(text)?,
            Node::Action { pipe, .. } => self.action(dot, node, pipe)?,
            Node::If(branch) => return self.branch(dot, branch, false),
            Node::With(branch) => return self.branch(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template { name, pipe, .. } => self.template(dot, name, pipe.as_ref())?,
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

    /// Prints a pipeline's value, unless it declares or assigns a variable.
    fn action(&mut self, dot: &Value, node: &'a Node, pipe: &'a Pipeline) -> Result<()> {
        let value = self.pipeline(dot, pipe)?;
        if pipe.variables.is_empty() {
            self.at(node.pos(), node);
            self.print(&value)?;
        }
        Ok(())
    }

    /// Executes `part` one level deeper, within the bound.
    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("exceeded maximum template depth ({MAX_DEPTH})");
            return Err(self.fault(Fault::limit(message)));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Executes a template that sees none of the caller's variables.
    fn template(&mut self, dot: &Value, name: &str, pipe: Option<&'a Pipeline>) -> Result<()> {
        let Some(tree) = self.trees.get(name) else {
            return Err(self.error(format!("template {} not defined", quote(name))));
        };
        let dot = pipe.map_or(Ok(Value::Nil), |pipe| self.pipeline(dot, pipe))?;
        let caller = std::mem::replace(&mut self.tree, tree);
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.nodes(&dot, &tree.root)?;
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

    fn error(&self, message: String) -> Box<TemplateError> {
        self.fault(Fault { kind: ErrorKind::Execute, message })
    }

    fn fault(&self, fault: Fault) -> Box<TemplateError> {
        Box::new(TemplateError::at(fault.kind, self.tree, self.place.pos, self.place.node.to_string(), fault.message))
    }
}
