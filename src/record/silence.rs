//! A silence's bytes. Reading compiles its regular expressions.

use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::silence::{Silence, SilenceId};

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

impl Framed for Silence {
    const KIND: Kind = Kind::Silence;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.id.0.to_be_bytes());
        to.length(self.matcher_sets.len());
        for set in &self.matcher_sets {
            to.length(set.len());
            set.iter().for_each(|matcher| write_matcher(matcher, to));
        }
        to.time(self.starts_at);
        to.time(self.ends_at);
        to.time(self.updated_at);
        to.time(self.forget_at);
        to.text(&self.created_by);
        to.text(&self.comment);
        to.labels(&self.annotations);
        to.version(self.version);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        let id = SilenceId(u128::from_be_bytes(from.array()?));
        Ok(Self {
            id,
            matcher_sets: from.list(|r| r.list(|r| read_matcher(id, r)))?,
            starts_at: from.time()?,
            ends_at: from.time()?,
            updated_at: from.time()?,
            forget_at: from.time()?,
            created_by: from.text()?.into(),
            comment: from.text()?.into(),
            annotations: from.labels()?,
            version: from.version()?,
        })
    }
}

fn write_matcher(matcher: &Matcher, to: &mut Writer) {
    to.text(matcher.name());
    to.byte(match matcher.op() {
        MatchOp::Equal => 0,
        MatchOp::NotEqual => 1,
        MatchOp::Regex => 2,
        MatchOp::NotRegex => 3,
    });
    to.text(matcher.value());
}

fn read_matcher(id: SilenceId, from: &mut Reader<'_>) -> Result<Matcher, RecordError> {
    let name = from.text()?;
    let op = match from.byte()? {
        0 => MatchOp::Equal,
        1 => MatchOp::NotEqual,
        2 => MatchOp::Regex,
        3 => MatchOp::NotRegex,
        _ => return Err(RecordError::Malformed("matcher's operator")),
    };
    Matcher::new(name, op, from.text()?).map_err(|error| RecordError::Pattern { id, error: error.to_string() })
}
