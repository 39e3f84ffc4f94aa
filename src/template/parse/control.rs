//! `if`, `range` and `with`, and their `else`.

use super::{Ending, Parser, Result};
use crate::ast::{Branch, Node};
use crate::lex::Kind;

/// The control structures with a body.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Control {
    If,
    Range,
    With,
}

impl Parser<'_> {
    pub(super) fn control(&mut self, control: Control) -> Result<Node> {
        let scope = self.variables.len();
        let branch = self.nested(|parser| parser.branch(control))?;
        self.variables.truncate(scope);
        Ok(match control {
            Control::If => Node::If(branch),
            Control::Range => Node::Range(branch),
            Control::With => Node::With(branch),
        })
    }

    fn branch(&mut self, control: Control) -> Result<Branch> {
        let pipe = self.pipeline(control.name(), Kind::RightDelim)?;
        let loops = usize::from(control == Control::Range);
        self.range_depth += loops;
        let (body, ending) = self.list()?;
        self.range_depth -= loops;
        let otherwise = match ending {
            Ending::End => None,
            Ending::Else(_) => Some(self.otherwise(control)?),
        };
        Ok(Branch { pos: pipe.pos, pipe, body, otherwise })
    }

    /// What follows `{{ else`: a list, or the `if` or `with` of the same kind that continues the structure.
    fn otherwise(&mut self, control: Control) -> Result<Vec<Node>> {
        let next = self.cursor.peek_word();
        if control != Control::Range && next.kind == Kind::Keyword && matches!(next.text.as_ref(), "if" | "with") {
            if next.text != control.name() {
                return Err(self.cursor.unexpected(next, "input"));
            }
            self.cursor.next_word();
            return Ok(vec![self.control(control)?]);
        }
        self.cursor.expect(Kind::RightDelim, "else")?;
        match self.list()? {
            (nodes, Ending::End) => Ok(nodes),
            (_, Ending::Else(pos)) => Err(self.cursor.error(pos, "expected end; found {{else}}".into())),
        }
    }
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Range => "range",
            Self::With => "with",
        }
    }
}
