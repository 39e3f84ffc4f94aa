//! The pass over the trees: follows the context through every branch, loop and call, and appends to each pipeline the
//! escapers that its place needs. A template is rewritten once for each context that it is called in.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::{Context, State};
use super::pipeline;
use super::problem::Problem;
use super::text;
use crate::ast::{Branch, Node, Pos, Tree};
use crate::error::TemplateError;
use crate::set::Trees;

/// Rewrites the template `name` of `trees`, and all that it calls, so that what they insert is escaped for its place.
///
/// # Errors
/// The first place where the text leaves open what a browser would make of a value.
pub(crate) fn escape(trees: &Trees, name: &str) -> Result<Trees, TemplateError> {
    let Some(tree) = trees.get(name) else { return Ok(Trees::new()) };
    let mut pass = Pass {
        trees,
        escaped: Trees::new(),
        done: HashMap::new(),
        order: Vec::new(),
        loops: Vec::new(),
        depth: 0,
        steps: MAX_STEPS,
    };
    let end = pass.template(tree, &Context::default())?;
    if end.state != State::Text {
        return Err(TemplateError::escape(tree, tree.source.text.len(), Problem::End(end)));
    }
    Ok(pass.escaped)
}

/// How much one pass may do: each loop in a loop doubles the work. A step is a node or 64 bytes of text; the default
/// email takes less than a thousand.
const MAX_STEPS: usize = 1_000_000;
/// How deep branches and calls may nest, for the stack: a template that calls itself in ever new contexts has no end.
const MAX_DEPTH: usize = 150;

struct Pass<'t> {
    trees: &'t Trees,
    /// The result: templates rewritten for a context, by their new names.
    escaped: Trees,
    /// What is known of a template that begins in a context.
    done: HashMap<Key, Rewritten>,
    /// The keys of `done` as they came.
    order: Vec<Key>,
    /// How the loops around are left, the innermost last.
    loops: Vec<Vec<(&'static str, Context)>>,
    /// How many branches and templates are being rewritten, each inside the one before.
    depth: usize,
    /// How many steps are left.
    steps: usize,
}

/// A template's name and the context that it begins in.
type Key = (String, Context);

/// A template that was rewritten for a context, or is being so.
struct Rewritten {
    name: String,
    /// The context after it; while it is being rewritten, what that is assumed to be.
    end: Context,
    /// Whether it was called again, which in the end tells whether it calls itself.
    is_called: bool,
}

/// Context and rewritten nodes.
type Escaped = Result<(Context, Vec<Node>), TemplateError>;

impl Pass<'_> {
    /// Rewrites `tree` for `context` and returns the context after it.
    fn template(&mut self, tree: &Arc<Tree>, context: &Context) -> Result<Context, TemplateError> {
        let key = (tree.name.clone(), context.clone());
        if let Some(known) = self.done.get_mut(&key) {
            known.is_called = true;
            return Ok(known.end.clone());
        }
        // A template that calls itself is first taken to leave the context as it is. If it does not, it may be one that
        // does so from where it led: Go rewrites it for that context then.
        let before = self.order.len();
        let (end, holds) = self.body(tree, &key, context)?;
        if holds {
            return Ok(end);
        }
        for forgotten in self.order.drain(before..) {
            self.done.remove(&forgotten);
        }
        match self.body(tree, &key, &end) {
            Ok((end, true)) => Ok(end),
            _ => Err(TemplateError::escape(tree, 0, Problem::OutputContext(tree.name.clone()))),
        }
    }

    /// Rewrites `tree` for `start`, which it is assumed to leave as it is. Returns how it ends and whether that holds.
    fn body(&mut self, tree: &Arc<Tree>, key: &Key, start: &Context) -> Result<(Context, bool), TemplateError> {
        let name = self.new_name(key);
        let begun = Rewritten { name: name.clone(), end: start.clone(), is_called: false };
        self.done.insert(key.clone(), begun);
        self.order.push(key.clone());
        let loops = std::mem::take(&mut self.loops);
        let (end, root) = self.list(tree, start, &tree.root)?;
        self.loops = loops;
        self.escaped.insert(name, Arc::new(Tree { root, ..Tree::clone(tree) }));
        let known = self.done.get_mut(key).expect("the template was entered above");
        let holds = !known.is_called || end == known.end;
        known.end = end.clone();
        Ok((end, holds))
    }

    /// The name for a template in a context: its own for text, where most are called.
    fn new_name(&self, (name, context): &Key) -> String {
        match *context == Context::default() {
            true => name.clone(),
            false => format!("{name}$htmltemplate_{}", self.done.len()),
        }
    }

    fn list(&mut self, tree: &Arc<Tree>, context: &Context, nodes: &[Node]) -> Escaped {
        let mut context = context.clone();
        let mut escaped = Vec::with_capacity(nodes.len());
        self.depth += 1;
        for node in nodes {
            self.charge(node).map_err(|problem| TemplateError::escape(tree, node.pos(), problem))?;
            escaped.push(self.node(tree, &mut context, node)?);
            if context.state == State::Dead {
                break;
            }
        }
        self.depth -= 1;
        Ok((context, escaped))
    }

    /// Counts the work for `node`.
    fn charge(&mut self, node: &Node) -> Result<(), Problem> {
        let steps = match node {
            Node::Text { text, .. } => 1 + text.len() / 64,
            _ => 1,
        };
        self.steps = self.steps.checked_sub(steps).ok_or(Problem::TooMuch(MAX_STEPS))?;
        if self.depth > MAX_DEPTH { Err(Problem::TooDeep(MAX_DEPTH)) } else { Ok(()) }
    }

    fn node(&mut self, tree: &Arc<Tree>, context: &mut Context, node: &Node) -> Result<Node, TemplateError> {
        Ok(match node {
            Node::Text { pos, text } => {
                let text = text::read(context, text).map_err(|problem| TemplateError::escape(tree, *pos, problem))?;
                Node::Text { pos: *pos, text: text.into() }
            }
            Node::Action { pos, pipe } if pipe.variables.is_empty() => {
                let pipe =
                    pipeline::escaped(context, pipe).map_err(|problem| TemplateError::escape(tree, *pos, problem))?;
                Node::Action { pos: *pos, pipe }
            }
            Node::Action { .. } => node.clone(),
            Node::If(branch) => Node::If(self.branch(tree, context, branch, "if")?),
            Node::With(branch) => Node::With(self.branch(tree, context, branch, "with")?),
            Node::Range(branch) => Node::Range(self.range(tree, context, branch)?),
            Node::Template { pos, name, pipe } => {
                let name = self.call(tree, context, *pos, name)?;
                Node::Template { pos: *pos, name, pipe: pipe.clone() }
            }
            Node::Break { .. } => self.leave(context, "at range loop break", node),
            Node::Continue { .. } => self.leave(context, "at range loop continue", node),
        })
    }

    /// `{{ template "name" }}`: returns the name of what it calls now.
    fn call(&mut self, tree: &Tree, context: &mut Context, pos: Pos, name: &str) -> Result<String, TemplateError> {
        let Some(callee) = self.trees.get(name) else {
            return Err(TemplateError::escape(tree, pos, Problem::NoSuchTemplate(name.into())));
        };
        let key = (name.to_owned(), context.clone());
        *context = self.template(callee, context)?;
        Ok(self.done[&key].name.clone())
    }

    fn branch(
        &mut self,
        tree: &Arc<Tree>,
        context: &mut Context,
        branch: &Branch,
        word: &'static str,
    ) -> Result<Branch, TemplateError> {
        let (body_end, body) = self.list(tree, context, &branch.body)?;
        let (otherwise_end, otherwise) = self.otherwise(tree, context, branch)?;
        *context = join(word, &body_end, &otherwise_end)
            .map_err(|problem| TemplateError::escape(tree, branch.pos, problem))?;
        Ok(Branch { body, otherwise, ..branch.clone() })
    }

    fn otherwise(
        &mut self,
        tree: &Arc<Tree>,
        context: &Context,
        branch: &Branch,
    ) -> Result<(Context, Option<Vec<Node>>), TemplateError> {
        match &branch.otherwise {
            Some(nodes) => self.list(tree, context, nodes).map(|(end, nodes)| (end, Some(nodes))),
            None => Ok((context.clone(), None)),
        }
    }

    /// A loop's body must do to the context once what it does twice.
    fn range(&mut self, tree: &Arc<Tree>, context: &mut Context, branch: &Branch) -> Result<Branch, TemplateError> {
        let (once, body) = self.turn(tree, context, branch)?;
        let again = |error: TemplateError| error.within("on range loop re-entry");
        let (twice, _) = self.turn(tree, &once, branch).map_err(again)?;
        let fail = |problem: Problem| TemplateError::escape(tree, branch.pos, &problem);
        let end = join("range", &once, &twice).map_err(fail).map_err(again)?;
        let (otherwise_end, otherwise) = self.otherwise(tree, context, branch)?;
        *context = join("range", &end, &otherwise_end).map_err(fail)?;
        Ok(Branch { body, otherwise, ..branch.clone() })
    }

    /// One turn of a loop, which `break` and `continue` may end as well.
    fn turn(&mut self, tree: &Arc<Tree>, context: &Context, branch: &Branch) -> Escaped {
        self.loops.push(Vec::new());
        let turn = self.list(tree, context, &branch.body);
        let left = self.loops.pop().unwrap_or_default();
        let (mut end, body) = turn?;
        for (place, context) in left {
            end = join("range", &end, &context)
                .map_err(|problem| TemplateError::escape(tree, branch.pos, Problem::Loop(place, Box::new(problem))))?;
        }
        Ok((end, body))
    }

    fn leave(&mut self, context: &mut Context, place: &'static str, node: &Node) -> Node {
        if let Some(innermost) = self.loops.last_mut() {
            innermost.push((place, std::mem::replace(context, Context::dead())));
        }
        node.clone()
    }
}

fn join(word: &'static str, one: &Context, other: &Context) -> Result<Context, Problem> {
    one.join(other).ok_or_else(|| Problem::Branches(word, one.clone(), other.clone()))
}
