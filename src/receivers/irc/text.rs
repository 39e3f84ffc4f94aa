//! What is said, cut into lines that a server carries whole. Pure: the budget is an argument.

use super::formatting::{RESET, State, atoms, plain};

/// A message before it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Lines as the template has them, without control codes but for formatting.
    pub(super) lines: Vec<String>,
    /// Lines that may be sent; what follows becomes one more line.
    pub(super) max_lines: usize,
    pub(super) long_lines: LongLines,
    /// Bytes a line may have; 0 means what the server carries.
    pub(super) max_line_bytes: usize,
    /// Where the rest can be read.
    pub(super) url: String,
    /// What ends the last line: who is called, and the message's id.
    pub(super) ending: String,
}

/// What happens to a line that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LongLines {
    Wrap,
    Truncate,
}

/// No server carries less.
const LEAST_BUDGET: usize = 64;

/// A space in this last part of a line is preferred to cutting a word: a quarter.
const WORD_SHARE: usize = 4;

impl Text {
    /// The lines to send if `budget` bytes of text fit into one.
    pub(super) fn cut(&self, budget: usize, formatted: bool) -> Vec<String> {
        let own = if self.max_line_bytes == 0 { budget } else { self.max_line_bytes.min(budget) };
        let budget = own.max(LEAST_BUDGET);
        let mut cut = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let line = if formatted { line.clone() } else { plain(line) };
            let pieces = self.pieces(&line, budget);
            let left = self.max_lines.max(1).saturating_sub(cut.len());
            if pieces.len() > left {
                cut.extend(pieces.into_iter().take(if cut.is_empty() { left } else { 0 }));
                cut.push(self.rest(index + usize::from(index == 0), &cut));
                break;
            }
            cut.extend(pieces);
        }
        self.end(cut, budget)
    }

    fn pieces(&self, line: &str, budget: usize) -> Vec<String> {
        match self.long_lines {
            LongLines::Wrap => wrap(line, budget),
            LongLines::Truncate => vec![truncate(line, budget)],
        }
    }

    /// The line for what is left out. A first line that is cut off counts as told.
    fn rest(&self, told: usize, cut: &[String]) -> String {
        match self.lines.len() - told.min(self.lines.len()) {
            0 if !cut.is_empty() => format!("… and more: {}", self.url),
            count => format!("… and {count} more: {}", self.url),
        }
    }

    /// Puts the ending behind the last line, which must not be cut through it.
    fn end(&self, mut cut: Vec<String>, budget: usize) -> Vec<String> {
        if self.ending.is_empty() {
            return cut;
        }
        let last = cut.pop().unwrap_or_default();
        let room = budget.saturating_sub(self.ending.len() + 2).max(1);
        let mut pieces = self.pieces(&last, room);
        if let Some(last) = pieces.last_mut() {
            // Formatting does not reach into the ending.
            let mut state = State::default();
            atoms(last).for_each(|atom| state.follow(atom));
            if state.is_on() {
                last.push(RESET);
            }
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(&self.ending);
        }
        cut.extend(pieces);
        cut
    }
}

/// `line` in pieces of at most `budget` bytes; put together they are the line, but for formatting that is closed at an
/// end and opened again at the next beginning.
fn wrap(line: &str, budget: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let (mut rest, mut state) = (line, State::default());
    loop {
        let opening = state.opening();
        if opening.len() + rest.len() <= budget {
            pieces.push(opening + rest);
            return pieces;
        }
        let end = fitting(rest, budget.saturating_sub(opening.len() + RESET.len_utf8()));
        let (piece, tail) = rest.split_at(end);
        atoms(piece).for_each(|atom| state.follow(atom));
        let mut piece = opening + piece;
        if state.is_on() {
            piece.push(RESET);
        }
        pieces.push(piece);
        rest = tail;
    }
}

/// How much of `text` goes into `budget` bytes: up to the last space near the end, or else to the last whole character.
fn fitting(text: &str, budget: usize) -> usize {
    let (mut end, mut space) = (0, 0);
    for atom in atoms(text) {
        // At least one goes, so that there is an end.
        if end > 0 && end + atom.len() > budget {
            break;
        }
        end += atom.len();
        if atom == " " {
            space = end;
        }
    }
    if end < text.len() && space > end - end / WORD_SHARE { space } else { end }
}

fn truncate(line: &str, budget: usize) -> String {
    const ELLIPSIS: &str = "…";
    if line.len() <= budget {
        return line.to_owned();
    }
    let (kept, mut state) = (&line[..fitting(line, budget.saturating_sub(ELLIPSIS.len() + 1))], State::default());
    atoms(kept).for_each(|atom| state.follow(atom));
    let mut kept = kept.trim_end().to_owned();
    if state.is_on() {
        kept.push(RESET);
    }
    kept + ELLIPSIS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(lines: &[&str]) -> Text {
        Text {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            max_lines: 4,
            long_lines: LongLines::Wrap,
            max_line_bytes: 0,
            url: "http://am".to_owned(),
            ending: String::new(),
        }
    }

    #[test]
    fn formatting_goes_on_in_the_next_piece() {
        let line = format!("\u{2}\u{3}04{}", "x".repeat(100));
        let pieces = wrap(&line, 80);
        assert_eq!(pieces[0], format!("\u{2}\u{3}04{}\u{f}", "x".repeat(75)));
        assert_eq!(pieces[1], format!("\u{3}04\u{2}{}", "x".repeat(25)));
    }

    #[test]
    fn a_word_is_not_cut_if_it_is_short() {
        let line = format!("{} {}", "a".repeat(70), "b".repeat(20));
        assert_eq!(wrap(&line, 80), ["a".repeat(70) + " ", "b".repeat(20)]);
        let line = format!("{} {}", "a".repeat(20), "b".repeat(80));
        assert_eq!(wrap(&line, 80), [format!("{} {}", "a".repeat(20), "b".repeat(58)), "b".repeat(22)]);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let many: Vec<String> = (0..669).map(|number| format!("alert {number}")).collect();
        let text = Text { ending: "⟨0011aabb⟩".to_owned(), lines: many, ..text(&[]) };
        let cut = text.cut(400, true);
        assert_eq!(cut, ["alert 0", "alert 1", "alert 2", "alert 3", "… and 665 more: http://am ⟨0011aabb⟩"]);
        let long = Text { lines: vec!["x".repeat(1000), "y".to_owned()], ..text };
        let cut = long.cut(100, true);
        assert_eq!((cut.len(), cut[4].as_str()), (5, "… and 1 more: http://am ⟨0011aabb⟩"));
        let only = Text { lines: vec!["x".repeat(1000)], ..long };
        assert_eq!(only.cut(100, true)[4], "… and more: http://am ⟨0011aabb⟩");
    }

    #[test]
    fn the_ending_is_never_cut() {
        for length in 0..200 {
            let text = Text { ending: "oncall ⟨0011aabb⟩".to_owned(), ..text(&[&"x".repeat(length)]) };
            let cut = text.cut(100, true);
            assert!(cut.last().unwrap().ends_with("oncall ⟨0011aabb⟩"), "{cut:?}");
            assert!(cut.iter().all(|line| line.len() <= 100), "{cut:?}");
        }
    }

    #[test]
    fn a_line_can_be_truncated_instead() {
        let text = Text { long_lines: LongLines::Truncate, ..text(&[&"é".repeat(100)]) };
        assert_eq!(text.cut(101, true), [format!("{}…", "é".repeat(48))]);
    }

    proptest! {
        #[test]
        fn every_character_arrives_in_lines_that_fit(line in "\\PC{0,600}", budget in 64_usize..500) {
            let pieces = wrap(&line, budget);
            prop_assert_eq!(pieces.concat(), line);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= budget));
        }

        #[test]
        fn formatted_lines_fit_and_keep_their_text(
            line in "(\\PC|\u{2}|\u{3}0[0-9](,0[0-9])?|\u{f}|\u{1d}){0,300}", budget in 64_usize..200
        ) {
            let pieces = wrap(&line, budget);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= budget), "{:?}", pieces);
            prop_assert_eq!(pieces.iter().map(|piece| plain(piece)).collect::<String>(), plain(&line));
        }
    }
}
