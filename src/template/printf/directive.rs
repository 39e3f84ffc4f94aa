//! Formats: text with verbs, their flags, widths, precisions and operand numbers, and Go's words for what is wrong.

use super::Output;
use super::operand::Printer;
use super::spec::Spec;
use crate::value::{Shape, Value};

/// The largest width, precision or operand number; Go takes no larger one either.
const MAX_NUMBER: usize = 1_000_000;

/// A format that is being printed.
pub(super) struct Directives<'a> {
    rest: &'a str,
    operands: &'a [Value],
    /// The number of the next operand.
    next: usize,
    /// Whether any operand was chosen by number: then those not used are no error.
    reordered: bool,
    /// Whether the operand numbers of the current verb are good.
    good_number: bool,
    /// Whether an operand number was just read.
    after_number: bool,
    out: &'a mut Output,
}

impl<'a> Directives<'a> {
    pub(super) fn new(format: &'a str, operands: &'a [Value], out: &'a mut Output) -> Self {
        Self { rest: format, operands, next: 0, reordered: false, good_number: true, after_number: false, out }
    }

    pub(super) fn run(mut self) {
        while let Some((plain, directive)) = self.rest.split_once('%') {
            self.out.push(plain);
            self.rest = directive;
            self.directive();
        }
        self.out.push(self.rest);
        self.extra();
    }

    fn directive(&mut self) {
        self.good_number = true;
        self.after_number = false;
        let mut spec = Spec::default();
        self.flags(&mut spec);
        self.operand_number();
        self.width(&mut spec);
        self.precision(&mut spec);
        if !self.after_number {
            self.operand_number();
        }
        match self.rest.chars().next() {
            None => self.out.push("%!(NOVERB)"),
            Some(verb) => {
                self.rest = &self.rest[verb.len_utf8()..];
                spec.verb = verb;
                self.verb(spec);
            }
        }
    }

    fn flags(&mut self, spec: &mut Spec) {
        loop {
            match self.rest.as_bytes().first() {
                Some(b'#') => spec.sharp = true,
                Some(b'0') => spec.zero = true,
                Some(b'+') => spec.plus = true,
                Some(b'-') => spec.minus = true,
                Some(b' ') => spec.space = true,
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn width(&mut self, spec: &mut Spec) {
        if self.take('*') {
            match self.number_operand() {
                Some(width) => {
                    spec.minus |= width < 0;
                    spec.width = Some(width.unsigned_abs() as usize);
                }
                None => self.out.push("%!(BADWIDTH)"),
            }
            self.after_number = false;
            return;
        }
        spec.width = self.number();
        if self.after_number && spec.width.is_some() {
            self.good_number = false;
        }
    }

    fn precision(&mut self, spec: &mut Spec) {
        if !self.take('.') {
            return;
        }
        if self.after_number {
            self.good_number = false;
        }
        self.operand_number();
        if !self.take('*') {
            spec.precision = Some(self.number().unwrap_or(0));
            return;
        }
        spec.precision = self.number_operand().and_then(|number| usize::try_from(number).ok());
        if spec.precision.is_none() {
            self.out.push("%!(BADPREC)");
        }
        self.after_number = false;
    }

    fn verb(&mut self, mut spec: Spec) {
        if spec.verb == '%' {
            return self.out.push("%");
        }
        if !self.good_number {
            return self.out.push(&format!("%!{}(BADINDEX)", spec.verb));
        }
        let Some(operand) = self.operands.get(self.next) else {
            return self.out.push(&format!("%!{}(MISSING)", spec.verb));
        };
        self.next += 1;
        spec.settle();
        Printer { spec, out: self.out }.top(operand);
    }

    /// `[3]`: which operand is next.
    fn operand_number(&mut self) {
        self.after_number = false;
        let Some(inside) = self.rest.strip_prefix('[') else {
            return;
        };
        self.reordered = true;
        let Some((number, after)) = inside.split_once(']') else {
            self.good_number = false;
            self.rest = inside;
            return;
        };
        self.rest = after;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match number.parse::<usize>() {
            Ok(number) if digits && (1..=self.operands.len()).contains(&number) => {
                self.next = number - 1;
                self.after_number = true;
            }
            _ => self.good_number = false,
        }
    }

    /// The operand that a `*` stands for.
    fn number_operand(&mut self) -> Option<i64> {
        let operand = self.operands.get(self.next)?;
        self.next += 1;
        let number = match operand.shape() {
            Shape::Int(number) => number,
            Shape::Byte(number) => number.into(),
            _ => return None,
        };
        (number.unsigned_abs() <= MAX_NUMBER as u64).then_some(number)
    }

    fn number(&mut self) -> Option<usize> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = self.rest.split_at(length);
        if length == 0 {
            return None;
        }
        match digits.parse::<usize>() {
            Ok(number) if number <= MAX_NUMBER => {
                self.rest = after;
                Some(number)
            }
            _ => {
                self.rest = "";
                None
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let Some(after) = self.rest.strip_prefix(wanted) else {
            return false;
        };
        self.rest = after;
        true
    }

    /// Names the operands that no verb printed.
    fn extra(&mut self) {
        if self.reordered || self.next >= self.operands.len() {
            return;
        }
        self.out.push("%!(EXTRA ");
        for (index, operand) in self.operands[self.next..].iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            if *operand != Value::Nil {
                self.out.push(operand.type_name());
                self.out.push("=");
            }
            Printer { spec: Spec::plain('v'), out: self.out }.top(operand);
        }
        self.out.push(")");
    }
}
