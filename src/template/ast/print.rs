//! The tree as text: how an error quotes the part of a template that failed.

use std::fmt::{Display, Formatter, Result};

use super::{Branch, Command, Node, Operand, OperandKind, Pipeline};
use watchbell_golang::quote::quote;

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text { text, .. } => f.write_str(text),
            Self::Action { pipe, .. } => write!(f, "{{{{{pipe}}}}}"),
            Self::If(branch) => branch.print("if", f),
            Self::Range(branch) => branch.print("range", f),
            Self::With(branch) => branch.print("with", f),
            Self::Template { name, pipe: Some(pipe), .. } => write!(f, "{{{{template {} {pipe}}}}}", quote(name)),
            Self::Template { name, pipe: None, .. } => write!(f, "{{{{template {}}}}}", quote(name)),
            Self::Break { .. } => f.write_str("{{break}}"),
            Self::Continue { .. } => f.write_str("{{continue}}"),
        }
    }
}

impl Branch {
    fn print(&self, keyword: &str, f: &mut Formatter<'_>) -> Result {
        write!(f, "{{{{{keyword} {}}}}}", self.pipe)?;
        self.body.iter().try_for_each(|node| node.fmt(f))?;
        if let Some(otherwise) = &self.otherwise {
            f.write_str("{{else}}")?;
            otherwise.iter().try_for_each(|node| node.fmt(f))?;
        }
        f.write_str("{{end}}")
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        separated(&self.commands, " | ", f)
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        separated(&self.operands, " ", f)
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Bool(value) => write!(f, "{value}"),
            OperandKind::Number(number) => f.write_str(&number.text),
            OperandKind::String { quoted, .. } => f.write_str(quoted),
            OperandKind::Identifier(name) => f.write_str(name),
            OperandKind::Field(names) => fields(names, f),
            OperandKind::Variable(name, names) => {
                f.write_str(name)?;
                fields(names, f)
            }
            OperandKind::Chain(inner, names) => {
                write!(f, "{inner}")?;
                fields(names, f)
            }
            OperandKind::Pipeline(pipe) => write!(f, "({pipe})"),
            OperandKind::Escaper(escaper) => write!(f, "_html_template_{escaper}"),
        }
    }
}

impl Operand {
    /// The operand as text, a pipeline without its parentheses.
    pub(crate) fn unwrapped(&self) -> String {
        match &self.kind {
            OperandKind::Pipeline(pipe) => pipe.to_string(),
            _ => self.to_string(),
        }
    }
}

fn fields(names: &[String], f: &mut Formatter<'_>) -> Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}

fn separated(parts: &[impl Display], separator: &str, f: &mut Formatter<'_>) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}
