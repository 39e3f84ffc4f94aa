//! Control codes in messages: those that format text (the mIRC convention, <https://modern.ircdocs.horse/formatting>),
//! and all others, which never leave us. Knows nothing of lines or servers.

/// Ends every formatting.
pub(super) const RESET: char = '\x0f';

const BOLD: char = '\x02';
const COLOUR: char = '\x03';
const HEX_COLOUR: char = '\x04';
const MONOSPACE: char = '\x11';
const REVERSE: char = '\x16';
const ITALIC: char = '\x1d';
const STRIKE: char = '\x1e';
const UNDERLINE: char = '\x1f';

/// What may switch on and off.
const TOGGLES: [char; 6] = [BOLD, MONOSPACE, REVERSE, ITALIC, STRIKE, UNDERLINE];

/// A text from an alert, without a single control code: an alert cannot format, ring, speak CTCP or begin another line.
/// What separates words stays a space.
pub(super) fn harmless(text: &str) -> String {
    let spoken = |c: char| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    };
    text.chars().filter_map(spoken).collect()
}

/// The lines of a rendered template: formatting stays, everything else that is a control code goes.
pub(super) fn lines(rendered: &str) -> Vec<String> {
    let spoken = |c: char| match c {
        '\t' => Some(' '),
        c if is_formatting(c) || !c.is_control() => Some(c),
        _ => None,
    };
    let clean = |line: &str| line.chars().filter_map(spoken).collect::<String>().trim_end().to_owned();
    rendered.split(['\n', '\r']).map(clean).filter(|line| !plain(line).trim().is_empty()).collect()
}

/// `text` without formatting.
pub(super) fn plain(text: &str) -> String {
    atoms(text).filter(|atom| !atom.starts_with(is_formatting)).collect()
}

fn is_formatting(c: char) -> bool {
    TOGGLES.contains(&c) || matches!(c, RESET | COLOUR | HEX_COLOUR)
}

/// The pieces of `text` that must not be cut: characters, and codes with their colours.
pub(super) fn atoms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (atom, tail) = rest.split_at(first.len_utf8() + operand(first, &rest[first.len_utf8()..]));
        rest = tail;
        Some(atom)
    })
}

/// How many bytes of `rest` belong to the code `first`: `NN,NN` after a colour, `RRGGBB,RRGGBB` after a hex colour.
fn operand(first: char, rest: &str) -> usize {
    let number = |text: &str| match first {
        COLOUR => text.bytes().take(2).take_while(u8::is_ascii_digit).count(),
        HEX_COLOUR if text.bytes().take(6).filter(u8::is_ascii_hexdigit).count() == 6 => 6,
        _ => 0,
    };
    let foreground = number(rest);
    let background = rest[foreground..].strip_prefix(',').map_or(0, number);
    if foreground > 0 && background > 0 { foreground + 1 + background } else { foreground }
}

/// Which formatting is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    toggles: Vec<char>,
    colour: String,
}

impl State {
    /// What is on after `atom`.
    pub(super) fn follow(&mut self, atom: &str) {
        let Some(code) = atom.chars().next().filter(|c| is_formatting(*c)) else { return };
        match code {
            RESET => *self = Self::default(),
            COLOUR | HEX_COLOUR if atom.len() == 1 => self.colour.clear(),
            COLOUR | HEX_COLOUR => atom.clone_into(&mut self.colour),
            toggle => match self.toggles.iter().position(|on| *on == toggle) {
                Some(at) => drop(self.toggles.remove(at)),
                None => self.toggles.push(toggle),
            },
        }
    }

    /// What switches the same on at the beginning of a line. A colour comes first, so that no digit of the text
    /// follows it where a toggle can stand between.
    pub(super) fn opening(&self) -> String {
        let mut opening = self.colour.clone();
        if opening.is_empty() || !self.toggles.is_empty() {
            opening.extend(&self.toggles);
        } else {
            // Bold on and off again: nothing, but a digit or comma after it is text.
            opening.extend([BOLD, BOLD]);
        }
        opening
    }

    /// Whether anything is on.
    pub(super) fn is_on(&self) -> bool {
        *self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_has_no_control_codes() {
        let hostile = "a\r\nQUIT :x\u{0}\u{1}DCC SEND\u{1}\u{1b}[2J\u{3}04red\u{2}\tb\u{9b}é";
        assert_eq!(harmless(hostile), "a  QUIT :xDCC SEND[2J04red bé");
    }

    #[test]
    fn a_template_may_format_and_nothing_else() {
        let rendered = "\u{2}a\u{2}\u{1}x\u{7}\r\n\n \u{3}\n\u{3}04,01b \t";
        assert_eq!(lines(rendered), ["\u{2}a\u{2}x", "\u{3}04,01b"]);
    }

    #[test]
    fn codes_are_taken_off_with_their_colours() {
        assert_eq!(plain("\u{3}04,01red\u{3} \u{3}4,x \u{4}ff0000,00ff00hex\u{4}zz \u{2}b\u{f}"), "red ,x hexzz b");
        assert_eq!(atoms("\u{3}045é").collect::<Vec<_>>(), ["\u{3}04", "5", "é"]);
    }

    #[test]
    fn what_is_on_can_be_switched_on_again() {
        let mut state = State::default();
        atoms("\u{2}a\u{1d}b\u{2}\u{3}04c").for_each(|atom| state.follow(atom));
        assert_eq!(state.opening(), "\u{3}04\u{1d}");
        state.follow("\u{f}");
        assert!(!state.is_on() && state.opening().is_empty());
        state.follow("\u{3}04");
        assert_eq!(state.opening(), "\u{3}04\u{2}\u{2}");
        state.follow("\u{3}");
        assert!(!state.is_on());
    }
}
