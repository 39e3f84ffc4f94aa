//! The tree of a parsed template: what the parser builds, the HTML escaper rewrites and the evaluator walks.
//! It knows nothing of values.

mod print;

use std::sync::Arc;

use crate::html::Escaper;

/// A byte offset into the source text.
pub(crate) type Pos = usize;

/// The text that a tree was parsed from; errors point into it.
#[derive(Debug, PartialEq)]
pub(crate) struct Source {
    /// The file's base name, or "" for a field of the configuration.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// One named template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) source: Arc<Source>,
    pub(crate) root: Vec<Node>,
}

/// One piece of a template's body. Comments leave no node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text {
        pos: Pos,
        text: Arc<str>,
    },
    Action {
        pos: Pos,
        pipe: Pipeline,
    },
    If(Branch),
    Range(Branch),
    With(Branch),
    /// `{{ template "name" pipe }}`, also what remains of a `block` at its place.
    Template {
        pos: Pos,
        name: String,
        pipe: Option<Pipeline>,
    },
    Break {
        pos: Pos,
    },
    Continue {
        pos: Pos,
    },
}

/// `if`, `range` and `with`. `else if` is an `If` alone in the outer one's `otherwise`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    pub(crate) pos: Pos,
    pub(crate) pipe: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

/// `$x := command | command`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) pos: Pos,
    /// The variables that are declared or assigned, with their `$`.
    pub(crate) variables: Vec<String>,
    /// Whether the variables are assigned (`=`), not declared (`:=`).
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

/// A function, method or value with its arguments; `operands` is never empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) pos: Pos,
    pub(crate) operands: Vec<Operand>,
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operand {
    pub(crate) pos: Pos,
    pub(crate) kind: OperandKind,
}

/// What an operand is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// The text between the quotes, and the literal as it was written.
    String {
        text: Arc<str>,
        quoted: String,
    },
    /// The name of a function.
    Identifier(String),
    /// `.A.B`: fields of the dot.
    Field(Vec<String>),
    /// `$x.A.B`: the variable's name with its `$`, and fields of it.
    Variable(String, Vec<String>),
    /// `(pipeline).A.B` or `function.A.B`: fields of another operand.
    Chain(Box<Operand>, Vec<String>),
    Pipeline(Pipeline),
    /// Put at the end of a pipeline by the HTML engine: makes what is piped into it safe at its place.
    Escaper(Escaper),
}

/// A numeric or character constant. It has no type of its own: every kind that can hold its value is present.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    /// The imaginary part of `2i`; its real part is in `float`.
    pub(crate) imaginary: Option<f64>,
}

impl Number {
    /// Whether it is written with a point or an exponent, so that it is a float where nothing says otherwise.
    pub(crate) fn is_written_as_float(&self) -> bool {
        let is_hexadecimal_integer =
            self.text.to_ascii_lowercase().starts_with("0x") && !self.text.contains(['p', 'P']);
        let is_character = self.text.starts_with('\'');
        !is_hexadecimal_integer && !is_character && self.text.contains(['.', 'e', 'E', 'p', 'P'])
    }
}

impl Source {
    /// The line (from 1) and the byte within it (from 0, as Go counts) at `pos`.
    pub(crate) fn locate(&self, pos: Pos) -> (usize, usize) {
        let before = &self.text.as_bytes()[..pos.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        (line, column)
    }
}

impl Tree {
    /// Whether the body holds nothing but white space and definitions. Such a tree never replaces a fuller one.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.iter().all(|node| matches!(node, Node::Text { text, .. } if text.trim().is_empty()))
    }
}

impl Node {
    /// Where the node begins.
    pub(crate) fn pos(&self) -> Pos {
        match self {
            Self::If(branch) | Self::Range(branch) | Self::With(branch) => branch.pos,
            Self::Text { pos, .. }
            | Self::Action { pos, .. }
            | Self::Template { pos, .. }
            | Self::Break { pos }
            | Self::Continue { pos } => *pos,
        }
    }
}
