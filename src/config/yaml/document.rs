//! From text to a tree: aliases shared, merge keys expanded, duplicate keys found, size and depth bounded.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Parser, ScanError, Span, StrInput};

use super::scalar::Scalar;
use super::{MAX_DEPTH, MAX_VALUES};
use crate::config::error::{Place, Position, Problem, note};

/// A value of the document.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) value: Value,
    /// How many levels of values there are, this one included.
    height: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

/// A key with its value.
pub(super) type Entry = (Rc<Node>, Rc<Node>);

/// Reads the first document, and what can be told of its problems without stopping.
pub(super) fn parse(text: &str) -> Result<(Rc<Node>, Vec<Problem>), Problem> {
    let mut builder = Builder::default();
    let parser = Parser::new_from_str_with_options(
        text,
        serde_saphyr::granit_parser::options! {
            // One more than is allowed, so that the refusal is ours.
            flow_nesting_limit: MAX_DEPTH + 1,
            block_nesting_limit: MAX_DEPTH + 1,
        },
    );
    let root = builder.first_document(parser)?;
    Ok((root, builder.problems))
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    problems: Vec<Problem>,
    merged: usize,
}

/// A collection whose end is still to come.
struct Open {
    position: Position,
    anchor: usize,
    /// Whether the children are keys and values in turn.
    mapping: bool,
    children: Vec<Rc<Node>>,
}

impl Node {
    fn new(position: Position, value: Value) -> Self {
        let deepest = match &value {
            Value::Scalar(_) => 0,
            Value::Sequence(items) => items.iter().map(|item| item.height).max().unwrap_or(0),
            Value::Mapping(entries) => entries.iter().map(|(k, v)| k.height.max(v.height)).max().unwrap_or(0),
        };
        Self { position, value, height: deepest + 1 }
    }

    /// Whether the value is absent in all but name.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => Some(""),
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    fn is_merge(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_merge())
    }
}

impl Builder {
    fn first_document<'t>(&mut self, parser: Parser<'t, StrInput<'t>>) -> Result<Rc<Node>, Problem> {
        for step in parser {
            let (event, span) = step.map_err(|error| syntax_problem(&error))?;
            if let Some(root) = self.take(event, position(&span))? {
                return Ok(root);
            }
        }
        Ok(Rc::new(Node::new(Position { line: 1, column: 1 }, Value::Scalar(Scalar::null()))))
    }

    /// Adds an event; the root comes back when it is complete.
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<Option<Rc<Node>>, Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar::new(text.into_owned(), style, tag.as_deref());
                self.complete(Node::new(at, Value::Scalar(scalar)), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.open(at, anchor, false),
            Event::MappingStart(_, anchor, _) => self.open(at, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(None),
        }
    }

    fn open(&mut self, position: Position, anchor: usize, mapping: bool) -> Result<Option<Rc<Node>>, Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.open.push(Open { position, anchor, mapping, children: Vec::new() });
        Ok(None)
    }

    fn close(&mut self) -> Result<Option<Rc<Node>>, Problem> {
        let Some(Open { position, anchor, mapping, children }) = self.open.pop() else { return Ok(None) };
        let value = if mapping { Value::Mapping(self.entries(children)?) } else { Value::Sequence(children) };
        self.complete(Node::new(position, value), anchor)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<Option<Rc<Node>>, Problem> {
        if node.height > MAX_DEPTH {
            return Err(too_deep(node.position));
        }
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(self.attach(node))
    }

    fn attach(&mut self, node: Rc<Node>) -> Option<Rc<Node>> {
        match self.open.last_mut() {
            Some(open) => {
                open.children.push(node);
                None
            }
            None => Some(node),
        }
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<Option<Rc<Node>>, Problem> {
        match self.anchors.get(&anchor).cloned() {
            Some(node) => Ok(self.attach(node)),
            None => Err(here(at).problem("an alias cannot stand inside of what it refers to")),
        }
    }

    /// The entries of a mapping: its own, then those of the mappings under `<<` whose keys are new.
    fn entries(&mut self, children: Vec<Rc<Node>>) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::with_capacity(children.len() / 2);
        let mut merges = Vec::new();
        let mut children = children.into_iter();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if key.is_merge() { merges.push(value) } else { entries.push((key, value)) }
        }
        self.report_duplicates(&mut entries);
        if !merges.is_empty() {
            self.merge(&mut entries, &merges)?;
        }
        Ok(entries)
    }

    /// Keeps the first of entries with the same key; keys that are no scalars are told of elsewhere.
    fn report_duplicates(&mut self, entries: &mut Vec<Entry>) {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let problems = &mut self.problems;
        entries.retain(|(key, _)| {
            let Some(text) = key.text() else { return true };
            let Some(line) = seen.get(text) else {
                seen.insert(text.to_owned(), key.position.line);
                return true;
            };
            let message = format!("key {text:?} already set in map (on line {line}); remove one of the two");
            note(problems, here(key.position).problem(message));
            false
        });
    }

    fn merge(&mut self, entries: &mut Vec<Entry>, merges: &[Rc<Node>]) -> Result<(), Problem> {
        let mut known: HashSet<String> = entries.iter().filter_map(|(key, _)| key.text().map(str::to_owned)).collect();
        for source in merges.iter().flat_map(merge_sources) {
            let Value::Mapping(merged) = &source.value else {
                return Err(here(source.position).problem("map merge requires map or sequence of maps as the value"));
            };
            self.charge(merged.len(), source.position)?;
            for (key, value) in merged {
                if key.text().is_none_or(|text| known.insert(text.to_owned())) {
                    entries.push((Rc::clone(key), Rc::clone(value)));
                }
            }
        }
        Ok(())
    }

    fn charge(&mut self, count: usize, at: Position) -> Result<(), Problem> {
        self.merged += count;
        if self.merged > MAX_VALUES {
            return Err(here(at).problem(format!("merge keys expand to more than {MAX_VALUES} entries")));
        }
        Ok(())
    }
}

/// The mappings a merge key names: one, or a list of them.
fn merge_sources(value: &Rc<Node>) -> Vec<Rc<Node>> {
    match &value.value {
        Value::Sequence(items) => items.clone(),
        _ => vec![Rc::clone(value)],
    }
}

fn here(position: Position) -> Place {
    Place { position: Some(position), key: String::new() }
}

fn too_deep(position: Position) -> Problem {
    here(position).problem(format!("nested more than {MAX_DEPTH} levels deep"))
}

fn position(span: &Span) -> Position {
    marker_position(span.start.line(), span.start.col())
}

/// The parser counts lines from 1, columns from 0.
fn marker_position(line: usize, column: usize) -> Position {
    let saturated = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: saturated(line), column: saturated(column).saturating_add(1) }
}

fn syntax_problem(error: &ScanError) -> Problem {
    let marker = error.marker();
    here(marker_position(marker.line(), marker.col())).problem(format!("not valid YAML: {}", error.info()))
}
