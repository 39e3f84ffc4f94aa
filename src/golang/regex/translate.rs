//! From Go's syntax to the `regex` crate's: one pass over the pattern, which checks Go's rules and writes as it goes.

mod group;
mod repeat;

use super::RegexError;
use super::class;
use super::cursor::Cursor;
use super::escape::{self, push_code_point};

/// How deep groups may be nested, and how many repetitions may be heaped on one operand. Go allows a tree of 1000
/// levels; nobody's pattern comes near this one, and deep trees cost stack.
pub(super) const MAX_DEPTH: u32 = 120;

/// What becomes of the groups a pattern captures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    /// They capture.
    Capture,
    /// They only group, which is cheaper where nobody asks what they matched.
    Ignore,
}

/// A pattern in the crate's syntax.
pub(super) struct Translation {
    pub(super) text: String,
    /// The names of the capture groups from the first on; `""` for one without a name.
    pub(super) group_names: Vec<Box<str>>,
}

/// Translates `pattern`, or says in Go's words why Go would refuse it.
pub(super) fn translate(pattern: &str, groups: Groups) -> Result<Translation, RegexError> {
    let mut translator = Translator {
        cursor: Cursor::new(pattern),
        groups,
        flags: Flags::default(),
        folding: false,
        out: String::with_capacity(pattern.len()),
        group_names: Vec::new(),
        open: Vec::new(),
        operand: None,
        heaviest: 1,
        last_repeat: None,
    };
    while let Some(next) = translator.cursor.peek() {
        translator.element(next)?;
    }
    if !translator.open.is_empty() {
        return Err(RegexError::at("missing closing )", pattern));
    }
    Ok(Translation { text: translator.out, group_names: translator.group_names })
}

struct Translator<'p> {
    cursor: Cursor<'p>,
    groups: Groups,
    flags: Flags,
    /// Whether what was written last stands under the crate's own case folding, `(?i)`. The other flags are never
    /// written: they decide what is written instead.
    folding: bool,
    out: String,
    group_names: Vec<Box<str>>,
    open: Vec<OpenGroup>,
    /// What a repetition would repeat.
    operand: Option<Operand>,
    /// The weight of the heaviest finished operand in this group.
    heaviest: u32,
    /// Where the repetition that was just read began, to refuse another on top of it.
    last_repeat: Option<usize>,
}

/// Go's flags, in their state at the beginning of a pattern.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`
    fold_case: bool,
    /// `m`
    multi_line: bool,
    /// `s`
    dot_matches_newline: bool,
    /// `U`
    swap_greed: bool,
}

/// A group whose end has not come yet, with what holds again after it.
struct OpenGroup {
    flags: Flags,
    folding: bool,
    heaviest: u32,
    /// Where it begins in the translation.
    start: usize,
}

struct Operand {
    /// Where it begins in the translation.
    start: usize,
    /// The largest product of counts that are nested in each other within.
    weight: u32,
    /// How many repetitions it already has.
    repeats: u32,
}

impl Translator<'_> {
    /// Reads the next element of the pattern, which begins with `next`.
    fn element(&mut self, next: char) -> Result<(), RegexError> {
        let last_repeat = self.last_repeat.take();
        match next {
            '(' => self.open_group(),
            ')' => self.close_group(),
            '|' => self.alternative(),
            '*' | '+' | '?' | '{' => self.repetition(next, last_repeat),
            '[' => {
                let class = class::bracketed(&mut self.cursor)?;
                self.write_operand(&class);
                Ok(())
            }
            '\\' => self.backslash(),
            _ => {
                self.cursor.bump();
                self.plain(next);
                Ok(())
            }
        }
    }

    fn alternative(&mut self) -> Result<(), RegexError> {
        self.cursor.bump();
        self.finish_operand();
        self.out.push('|');
        Ok(())
    }

    /// Writes a character that needs nothing around it.
    fn plain(&mut self, next: char) {
        match next {
            '.' if self.flags.dot_matches_newline => self.write_operand("(?s:.)"),
            '.' => self.write_operand(r"[^\n]"),
            '^' if self.flags.multi_line => self.write_operand("(?m:^)"),
            '^' => self.write_operand(r"\A"),
            '$' if self.flags.multi_line => self.write_operand("(?m:$)"),
            '$' => self.write_operand(r"\z"),
            literal => self.literal(u32::from(literal)),
        }
    }

    fn backslash(&mut self) -> Result<(), RegexError> {
        const ASSERTIONS: [(&str, &str); 4] =
            [(r"\A", r"\A"), (r"\z", r"\z"), (r"\b", r"(?-u:\b)"), (r"\B", r"(?-u:\B)")];
        for (go, ours) in ASSERTIONS {
            if self.cursor.eat(go) {
                self.write_operand(ours);
                return Ok(());
            }
        }
        if self.cursor.eat(r"\Q") {
            return self.quoted();
        }
        if let Some(class) = class::escaped(&mut self.cursor)? {
            self.write_operand(&class);
        } else {
            let code_point = escape::code_point(&mut self.cursor)?;
            self.literal(code_point);
        }
        Ok(())
    }

    /// Everything after `\Q` up to `\E`, or to the end, is literal. In a matcher it must have its end: Go would read
    /// on into the `)$` that is put behind the pattern.
    fn quoted(&mut self) -> Result<(), RegexError> {
        while !self.cursor.eat(r"\E") {
            match self.cursor.bump() {
                Some(next) => self.literal(u32::from(next)),
                None if self.groups == Groups::Ignore => {
                    return Err(RegexError::at("missing closing )", self.cursor.all_from(0)));
                }
                None => break,
            }
        }
        Ok(())
    }

    fn literal(&mut self, code_point: u32) {
        if char::from_u32(code_point).is_none() {
            // A surrogate, which no text contains.
            return self.write_operand(&class::enclose(false, ""));
        }
        let mut literal = String::new();
        push_code_point(&mut literal, code_point);
        self.write_operand(&literal);
    }

    /// Writes what a repetition that follows would repeat.
    fn write_operand(&mut self, text: &str) {
        self.fold_as_asked();
        self.begin_operand(self.out.len(), 1);
        self.out.push_str(text);
    }

    /// Turns the crate's case folding on or off if that has changed since something was written.
    fn fold_as_asked(&mut self) {
        if self.folding != self.flags.fold_case {
            self.folding = self.flags.fold_case;
            self.out.push_str(if self.folding { "(?i)" } else { "(?-i)" });
        }
    }

    fn begin_operand(&mut self, start: usize, weight: u32) {
        self.finish_operand();
        self.operand = Some(Operand { start, weight, repeats: 0 });
    }

    /// What follows repeats something else; what this operand weighs, the group weighs.
    fn finish_operand(&mut self) {
        if let Some(operand) = self.operand.take() {
            self.heaviest = self.heaviest.max(operand.weight);
        }
    }
}
