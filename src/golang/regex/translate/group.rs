//! Groups: `(…)`, `(?P<name>…)`, `(?<name>…)`, `(?flags:…)`, and `(?flags)`, which is none.

use super::{Flags, Groups, MAX_DEPTH, OpenGroup, RegexError, Translator};

impl Translator<'_> {
    pub(super) fn open_group(&mut self) -> Result<(), RegexError> {
        let rest = self.cursor.rest();
        for opening in ["(?P<", "(?<"] {
            if rest.len() > opening.len() && rest.starts_with(opening) {
                return self.open_named(opening);
            }
        }
        if rest.starts_with("(?") {
            return self.open_flagged();
        }
        self.cursor.bump();
        self.open_capture("")
    }

    pub(super) fn close_group(&mut self) -> Result<(), RegexError> {
        let Some(group) = self.open.pop() else {
            return Err(RegexError::at("unexpected )", self.cursor.all_from(0)));
        };
        self.cursor.bump();
        self.finish_operand();
        self.out.push(')');
        let weight = std::mem::replace(&mut self.heaviest, group.heaviest);
        self.flags = group.flags;
        self.folding = group.folding;
        self.begin_operand(group.start, weight);
        Ok(())
    }

    fn open_named(&mut self, opening: &str) -> Result<(), RegexError> {
        const INVALID: &str = "invalid named capture";
        let start = self.cursor.at();
        self.cursor.eat(opening);
        let name = self.cursor.eat_until(">").ok_or_else(|| RegexError::at(INVALID, self.cursor.all_from(start)))?;
        let well_formed = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !well_formed {
            return Err(RegexError::at(INVALID, self.cursor.since(start)));
        }
        self.open_capture(name)
    }

    /// Opens a group that captures under `name`, if it has one. Two groups may have the same name, as in Go, which is
    /// why names are kept here and not given to the crate.
    fn open_capture(&mut self, name: &str) -> Result<(), RegexError> {
        if self.groups == Groups::Ignore {
            return self.begin_group("(?:");
        }
        self.group_names.push(name.into());
        self.begin_group("(")
    }

    /// `(?im-sU:` opens a group, `(?im-sU)` sets the flags for what is left of the group it stands in.
    fn open_flagged(&mut self) -> Result<(), RegexError> {
        let start = self.cursor.at();
        self.cursor.eat("(?");
        let (flags, end) = self
            .read_flags()
            .ok_or_else(|| RegexError::at("invalid or unsupported Perl syntax", self.cursor.since(start)))?;
        if end == ':' {
            self.begin_group("(?:")?;
        }
        self.flags = flags;
        Ok(())
    }

    /// Reads flags up to and including the `:` or `)` after them, which is returned too.
    fn read_flags(&mut self) -> Option<(Flags, char)> {
        let mut flags = self.flags;
        let mut set = true;
        let mut seen = true;
        loop {
            match self.cursor.bump()? {
                '-' if set => {
                    set = false;
                    seen = false;
                    continue;
                }
                'i' => flags.fold_case = set,
                'm' => flags.multi_line = set,
                's' => flags.dot_matches_newline = set,
                'U' => flags.swap_greed = set,
                end @ (':' | ')') if seen => return Some((flags, end)),
                _ => return None,
            }
            seen = true;
        }
    }

    fn begin_group(&mut self, opening: &str) -> Result<(), RegexError> {
        if self.open.len() >= MAX_DEPTH as usize {
            return Err(RegexError::at("expression nests too deeply", self.cursor.all_from(0)));
        }
        self.finish_operand();
        let heaviest = std::mem::replace(&mut self.heaviest, 1);
        self.open.push(OpenGroup { flags: self.flags, folding: self.folding, heaviest, start: self.out.len() });
        self.out.push_str(opening);
        Ok(())
    }
}
