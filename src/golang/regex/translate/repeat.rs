//! Repetitions: `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`, each also with `?` for as few as possible.

use super::{MAX_DEPTH, RegexError, Translator};
use crate::regex::cursor::Cursor;

/// Go's limit for a count, and for the product of counts that are nested in each other.
const MAX_REPEAT: u32 = 1000;

/// How often an operand may occur; no upper limit if `max` is `None`.
#[derive(Clone, Copy)]
struct Count {
    min: u32,
    max: Option<u32>,
}

impl Translator<'_> {
    /// Reads a repetition, which begins with `sign`; `last_repeat` is where one began that ended just here.
    pub(super) fn repetition(&mut self, sign: char, last_repeat: Option<usize>) -> Result<(), RegexError> {
        let start = self.cursor.at();
        let count = match sign {
            '*' => Count { min: 0, max: None },
            '+' => Count { min: 1, max: None },
            '?' => Count { min: 0, max: Some(1) },
            _ => match read_count(&mut self.cursor) {
                Some(count) => count,
                None => return self.literal_brace(),
            },
        };
        if sign != '{' {
            self.cursor.bump();
        } else if !count.is_valid() {
            return Err(RegexError::at(INVALID_COUNT, self.cursor.since(start)));
        }
        self.repeat(start, last_repeat, count)
    }

    /// A brace with no count behind it stands for itself.
    fn literal_brace(&mut self) -> Result<(), RegexError> {
        self.cursor.bump();
        self.literal(u32::from('{'));
        Ok(())
    }

    /// Repeats the operand with an operator that began at `start` and has been read but for a `?` after it.
    fn repeat(&mut self, start: usize, last_repeat: Option<usize>, count: Count) -> Result<(), RegexError> {
        let operator = self.cursor.since(start);
        let lazy = self.cursor.eat("?");
        let written = self.cursor.since(start);
        if let Some(last) = last_repeat {
            return Err(RegexError::at("invalid nested repetition operator", self.cursor.since(last)));
        }
        let Some(operand) = &mut self.operand else {
            return Err(RegexError::at("missing argument to repetition operator", written));
        };
        operand.weight = count.weigh(operand.weight).ok_or_else(|| RegexError::at(INVALID_COUNT, written))?;
        operand.repeats += 1;
        if operand.repeats > MAX_DEPTH {
            return Err(RegexError::at("expression nests too deeply", self.cursor.all_from(0)));
        }
        if operand.repeats > 1 {
            // `a*(?i)*` repeats a repetition, while `a**` must not come to be.
            self.out.insert_str(operand.start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(operator);
        if lazy != self.flags.swap_greed {
            self.out.push('?');
        }
        self.last_repeat = Some(start);
        Ok(())
    }
}

const INVALID_COUNT: &str = "invalid repeat count";

impl Count {
    fn is_valid(self) -> bool {
        self.min <= MAX_REPEAT && self.max.is_none_or(|max| self.min <= max && max <= MAX_REPEAT)
    }

    /// What an operand of this weight weighs when it is repeated; `None` if that is too much. What may occur no more
    /// than zero times weighs nothing.
    fn weigh(self, weight: u32) -> Option<u32> {
        let factor = match self.max {
            Some(0) => return Some(1),
            Some(max) => max,
            None => self.min.max(1),
        };
        weight.checked_mul(factor).filter(|product| *product <= MAX_REPEAT)
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}`; reads nothing if what comes is none of them.
fn read_count(cursor: &mut Cursor<'_>) -> Option<Count> {
    let rest = cursor.rest().strip_prefix('{')?;
    let (inside, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != ',')?);
    if !rest.starts_with('}') {
        return None;
    }
    let count = match inside.split_once(',') {
        None => {
            let exactly = number(inside)?;
            Count { min: exactly, max: Some(exactly) }
        }
        Some((min, "")) => Count { min: number(min)?, max: None },
        Some((min, max)) => Count { min: number(min)?, max: Some(number(max)?) },
    };
    cursor.eat_until("}");
    Some(count)
}

/// A decimal number without needless zeros; one that is far too large comes as the largest.
fn number(digits: &str) -> Option<u32> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let needless_zero = digits.len() > 1 && digits.starts_with('0');
    (well_formed && !needless_zero).then(|| digits.parse().unwrap_or(u32::MAX))
}
