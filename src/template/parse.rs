//! Tokens become trees: lists of nodes, and templates within a template. The structures with a body are in `control`,
//! pipelines in `pipeline`, constants in `literal`.

mod control;
mod cursor;
mod literal;
mod pipeline;

use std::sync::Arc;

use crate::ast::{Node, Pos, Source, Tree};
use crate::error::TemplateError;
use crate::lex::{Kind, tokens};
use control::Control;
use cursor::Cursor;
use watchbell_golang::quote::quote;

/// Errors are boxed to keep the frames of the recursion small.
type Result<T> = std::result::Result<T, Box<TemplateError>>;

/// How deep control structures and parentheses may nest in one template: far more than a person writes, and little
/// enough that neither parsing, escaping nor executing it exhausts a thread's stack.
pub(crate) const MAX_NESTING: usize = 100;

/// Parses a text: its own template, named as the source, and those that it defines, each name once.
pub(crate) fn parse(source: Source) -> std::result::Result<Vec<Tree>, TemplateError> {
    let source = Arc::new(source);
    let tokens = tokens(&source.text);
    let cursor = Cursor::new(&source, &tokens);
    let parser = Parser { cursor, trees: Vec::new(), variables: root_variables(), range_depth: 0, nesting: 0 };
    parser.trees().map_err(|error| *error)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    /// The templates that are complete.
    trees: Vec<Tree>,
    /// The variables that are declared here, innermost last.
    variables: Vec<String>,
    range_depth: usize,
    nesting: usize,
}

/// What ended a list of nodes.
enum Ending {
    /// `{{end}}`, with its delimiter read.
    End,
    /// `{{else`: what follows it is still to be read.
    Else(Pos),
}

/// A node, or the end of the list that it would have been in.
enum Item {
    Node(Node),
    Ending(Ending),
}

impl Parser<'_> {
    fn trees(mut self) -> Result<Vec<Tree>> {
        let root = self.top_level()?;
        let name = self.cursor.source.name.clone();
        self.add(name, root, 0)?;
        Ok(self.trees)
    }

    fn top_level(&mut self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        while self.cursor.peek_word().kind != Kind::Eof {
            if self.cursor.at_definition() {
                self.definition()?;
                continue;
            }
            let pos = self.cursor.peek_word().pos;
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Ending(ending) => return Err(self.cursor.error(pos, format!("unexpected {}", ending.name()))),
            }
        }
        Ok(nodes)
    }

    /// `{{ define "name" }} body {{ end }}`.
    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        self.cursor.next_word();
        self.cursor.next_word();
        let (name, pos) = self.template_name(CONTEXT)?;
        self.cursor.expect(Kind::RightDelim, CONTEXT)?;
        let body = self.separate_body(CONTEXT)?;
        self.add(name, body, pos)
    }

    /// A body that sees no variable from around it, up to its `{{ end }}`.
    fn separate_body(&mut self, context: &str) -> Result<Vec<Node>> {
        let outer = std::mem::replace(&mut self.variables, root_variables());
        let depth = std::mem::take(&mut self.range_depth);
        let (body, ending) = self.list()?;
        self.variables = outer;
        self.range_depth = depth;
        match ending {
            Ending::End => Ok(body),
            Ending::Else(pos) => Err(self.cursor.error(pos, format!("unexpected {{{{else}}}} in {context}"))),
        }
    }

    /// Adds a complete template. Within one text only an empty body may be defined again.
    fn add(&mut self, name: String, root: Vec<Node>, pos: Pos) -> Result<()> {
        let tree = Tree { name, source: self.cursor.source.clone(), root };
        match self.trees.iter_mut().find(|known| known.name == tree.name) {
            None => self.trees.push(tree),
            Some(known) if known.is_empty() => *known = tree,
            Some(_) if tree.is_empty() => {}
            Some(_) => {
                let message = format!("template: multiple definition of template {}", quote(&tree.name));
                return Err(self.cursor.error(pos, message));
            }
        }
        Ok(())
    }

    /// The nodes up to `{{ end }}` or `{{ else`.
    fn list(&mut self) -> Result<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        while self.cursor.peek_word().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Ending(ending) => return Ok((nodes, ending)),
            }
        }
        let pos = self.cursor.peek_word().pos;
        Err(self.cursor.error(pos, "unexpected EOF".into()))
    }

    fn item(&mut self) -> Result<Item> {
        let token = self.cursor.next_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { pos: token.pos, text: token.text.as_ref().into() })),
            Kind::LeftDelim => {
                self.cursor.action_start = token.pos;
                self.action()
            }
            _ => Err(self.cursor.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.cursor.peek_word().clone();
        if token.kind == Kind::Keyword && token.text != "define" {
            self.cursor.next_word();
        }
        let pos = token.pos;
        let node = match token.text.as_ref() {
            _ if token.kind != Kind::Keyword => self.pipeline_action(pos)?,
            "block" => self.block()?,
            "break" => self.loop_exit("{{break}}", Node::Break { pos })?,
            "continue" => self.loop_exit("{{continue}}", Node::Continue { pos })?,
            "else" => return Ok(Item::Ending(Ending::Else(pos))),
            "end" => {
                self.cursor.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            "if" => self.control(Control::If)?,
            "range" => self.control(Control::Range)?,
            "template" => self.template()?,
            "with" => self.control(Control::With)?,
            _ => self.pipeline_action(pos)?,
        };
        Ok(Item::Node(node))
    }

    /// A pipeline whose value is printed. What it declares lives on to the end of the enclosing structure.
    fn pipeline_action(&mut self, pos: Pos) -> Result<Node> {
        Ok(Node::Action { pos, pipe: self.pipeline("command", Kind::RightDelim)? })
    }

    /// `break` or `continue`.
    fn loop_exit(&mut self, written: &str, node: Node) -> Result<Node> {
        let token = self.cursor.next_word();
        if token.kind != Kind::RightDelim {
            return Err(self.cursor.unexpected(token, written));
        }
        if self.range_depth == 0 {
            return Err(self.cursor.error(node.pos(), format!("{written} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    /// `{{ template "name" pipeline }}`; without a pipeline the dot is nil.
    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let (name, pos) = self.template_name(CONTEXT)?;
        if self.cursor.peek_word().kind == Kind::RightDelim {
            self.cursor.next_word();
            return Ok(Node::Template { pos, name, pipe: None });
        }
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        Ok(Node::Template { pos, name, pipe: Some(pipe) })
    }

    /// `{{ block "name" pipeline }} body {{ end }}`: a definition, and a call of it at its place.
    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let (name, pos) = self.template_name(CONTEXT)?;
        let pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        let body = self.nested(|parser| parser.separate_body(CONTEXT))?;
        self.add(name.clone(), body, pos)?;
        Ok(Node::Template { pos, name, pipe })
    }

    fn template_name(&mut self, context: &str) -> Result<(String, Pos)> {
        let token = self.cursor.next_word();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.cursor.unexpected(token, context));
        }
        let name = literal::string(token).map_err(|message| self.cursor.error(token.pos, message))?;
        Ok((name.to_string(), token.pos))
    }

    /// Parses something one level deeper, within the bound.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting == MAX_NESTING {
            let pos = self.cursor.peek_word().pos;
            return Err(self.cursor.error(pos, format!("nested more than {MAX_NESTING} deep")));
        }
        self.nesting += 1;
        let parsed = part(self);
        self.nesting -= 1;
        parsed
    }
}

impl Ending {
    fn name(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else(_) => "{{else}}",
        }
    }
}

/// Every template starts with `$`, its data.
fn root_variables() -> Vec<String> {
    vec!["$".to_owned()]
}
