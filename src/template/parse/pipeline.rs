//! Pipelines, commands and operands.

use super::{Parser, Result, literal};
use crate::ast::{Command, Operand, OperandKind, Pipeline};
use crate::functions;
use crate::lex::{Kind, Token};
use watchbell_golang::quote::quote;

impl Parser<'_> {
    /// A pipeline up to its `end`, which is read.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipeline> {
        let pos = self.cursor.peek_word().pos;
        let mut pipe = Pipeline { pos, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.cursor.peek_word();
            if token.kind == end {
                self.cursor.next_word();
                self.check(&pipe, context)?;
                return Ok(pipe);
            }
            if !starts_operand(token.kind) {
                return Err(self.cursor.unexpected(token, context));
            }
            pipe.commands.push(self.command()?);
        }
    }

    /// `$x :=`, `$x =` or, in a range, `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipeline, context: &str) -> Result<()> {
        while self.cursor.peek_word().kind == Kind::Variable {
            let Some(sign) = self.sign_after_variable() else {
                return Ok(());
            };
            let name = self.cursor.next_word().text.to_string();
            self.cursor.next_word();
            self.variables.push(name.clone());
            pipe.variables.push(name);
            if sign != Kind::Comma {
                pipe.assigns = sign == Kind::Assign;
                return Ok(());
            }
            self.second_variable(pipe.variables.len(), context)?;
        }
        Ok(())
    }

    /// What makes the variable that comes next a declared one, if anything does.
    fn sign_after_variable(&self) -> Option<Kind> {
        let leading = usize::from(self.cursor.peek().kind == Kind::Space);
        let between = usize::from(self.cursor.ahead(leading + 1).kind == Kind::Space);
        let sign = self.cursor.ahead(leading + 1 + between).kind;
        matches!(sign, Kind::Assign | Kind::Declare | Kind::Comma).then_some(sign)
    }

    /// Fails unless another variable may and does follow the comma.
    fn second_variable(&self, declared: usize, context: &str) -> Result<()> {
        let next = self.cursor.peek_word();
        if context != "range" || declared > 1 {
            return Err(self.cursor.error(next.pos, format!("too many declarations in {context}")));
        }
        if matches!(next.kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
            return Ok(());
        }
        Err(self.cursor.error(next.pos, "range can only initialize variables".into()))
    }

    /// Fails if the pipeline is empty or hands a value to something that takes none.
    fn check(&self, pipe: &Pipeline, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return Err(self.cursor.error(pipe.pos, format!("missing value for {context}")));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if is_constant(&command.operands[0]) {
                let message = format!("non executable command in pipeline stage {}", stage + 1);
                return Err(self.cursor.error(command.pos, message));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let pos = self.cursor.peek_word().pos;
        let mut operands = Vec::new();
        loop {
            operands.extend(self.operand()?);
            let token = self.cursor.peek();
            match token.kind {
                Kind::RightDelim | Kind::RightParen => break,
                Kind::Space => {}
                Kind::Pipe => {
                    self.cursor.next();
                    break;
                }
                _ => return Err(self.cursor.unexpected(token, "operand")),
            }
            self.cursor.next();
        }
        if operands.is_empty() {
            return Err(self.cursor.error(pos, "empty command".into()));
        }
        Ok(Command { pos, operands })
    }

    /// A term and the fields that follow it; `None` at the end of the command.
    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let pos = self.cursor.peek().pos;
        let mut names = Vec::new();
        while self.cursor.peek().kind == Kind::Field {
            names.push(field_name(self.cursor.next()));
        }
        if names.is_empty() {
            return Ok(Some(term));
        }
        let kind = match term.kind {
            OperandKind::Field(first) => OperandKind::Field([first, names].concat()),
            OperandKind::Variable(name, _) => OperandKind::Variable(name, names),
            _ if is_constant(&term) => {
                let message = format!("unexpected . after term {}", quote(&term.to_string()));
                return Err(self.cursor.error(pos, message));
            }
            _ => OperandKind::Chain(Box::new(term), names),
        };
        Ok(Some(Operand { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let token = self.cursor.peek_word();
        if !starts_operand(token.kind) {
            return Ok(None);
        }
        self.cursor.next_word();
        let kind = match token.kind {
            Kind::Identifier => self.function(token)?,
            Kind::Dot => OperandKind::Dot,
            Kind::Nil => OperandKind::Nil,
            Kind::Variable => self.variable(token)?,
            Kind::Field => OperandKind::Field(vec![field_name(token)]),
            Kind::Bool => OperandKind::Bool(token.text == "true"),
            Kind::LeftParen => OperandKind::Pipeline(
                self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?,
            ),
            _ => literal::constant(token).map_err(|message| self.cursor.error(token.pos, message))?,
        };
        Ok(Some(Operand { pos: token.pos, kind }))
    }

    fn function(&self, token: &Token<'_>) -> Result<OperandKind> {
        if functions::lookup(&token.text).is_none() {
            return Err(self.cursor.error(token.pos, format!("function {} not defined", quote(&token.text))));
        }
        Ok(OperandKind::Identifier(token.text.to_string()))
    }

    fn variable(&self, token: &Token<'_>) -> Result<OperandKind> {
        if !self.variables.iter().any(|name| *name == token.text) {
            return Err(self.cursor.error(token.pos, format!("undefined variable {}", quote(&token.text))));
        }
        Ok(OperandKind::Variable(token.text.to_string(), Vec::new()))
    }
}

fn field_name(token: &Token<'_>) -> String {
    token.text[1..].to_owned()
}

/// Whether the operand takes no arguments and has no fields.
fn is_constant(operand: &Operand) -> bool {
    matches!(
        operand.kind,
        OperandKind::Dot
            | OperandKind::Nil
            | OperandKind::Bool(_)
            | OperandKind::Number(_)
            | OperandKind::String { .. }
    )
}

fn starts_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::Bool
            | Kind::Nil
            | Kind::Dot
            | Kind::Field
            | Kind::Variable
            | Kind::Number
            | Kind::Char
            | Kind::String
            | Kind::RawString
            | Kind::LeftParen
    )
}
