//! What one verb of a format demands, and the padding that all kinds of values share.

use super::Output;

/// A verb with its flags.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) verb: char,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`: structs with the names of their fields.
    pub(super) names: bool,
    /// `%#v`: values as Go source.
    pub(super) source: bool,
}

impl Spec {
    pub(super) fn plain(verb: char) -> Self {
        Self { verb, ..Self::default() }
    }

    /// With `%v` the flags `+` and `#` have meanings of their own.
    pub(super) fn settle(&mut self) {
        if self.verb == 'v' {
            self.source = std::mem::take(&mut self.sharp);
            self.names = std::mem::take(&mut self.plus);
        }
    }

    /// Writes `text`, padded to the width with spaces or zeros.
    pub(super) fn pad(&self, text: &str, out: &mut Output) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push(text);
            out.push_repeated(" ", missing);
        } else {
            out.push_repeated(if self.zero { "0" } else { " " }, missing);
            out.push(text);
        }
    }

    /// Writes `text`, padded to the width with spaces.
    pub(super) fn pad_with_spaces(&self, text: &str, out: &mut Output) {
        Self { zero: false, ..self.clone() }.pad(text, out);
    }
}
