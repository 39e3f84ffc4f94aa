//! What nodes say to each other, as bytes: one frame a message. It knows nothing of connections and seals.
//!
//! A frame is a letter and what belongs to it. Frames with a letter that is not known come from a later version and are
//! passed over. Whatever the bytes are, reading them neither panics nor takes more memory than they have.

use std::net::SocketAddr;

use smol_str::SmolStr;
use watchbell_engine::digest::{Digest, Horizon, SHARDS, Shard};
use watchbell_engine::version::NodeId;

use crate::record::bytes::{Reader, Writer};
use crate::record::{MAX_RECORD, RecordError};

/// The longest frame, in bytes: a record of the greatest length and what is said around it.
pub(super) const MAX_FRAME: usize = MAX_RECORD + (1 << 10);

/// The longest first frame. Who has not said who it is yet is given no more memory than this.
pub(super) const MAX_HELLO: usize = 1 << 10;

/// The longest name of a node and the longest label, in bytes. Alertmanager's limit on labels is the same.
pub(super) const MAX_NAME: usize = 255;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frame {
    /// The first on each connection: who speaks, and to whom.
    Hello(Hello),
    /// A message of chitchat.
    Gossip(Vec<u8>),
    /// Records, each as its bytes.
    News(Part, Vec<Vec<u8>>),
    /// What the sender holds.
    Digest(Digest, Round),
    /// Asks for the records of these shards.
    Wanted(Vec<u8>),
    /// The sender stops, and what it had to say has been said.
    Leave,
    /// Something of a later version.
    Unknown,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// The node.
    pub(super) node: NodeId,
    /// Which life of it: another one for each start.
    pub(super) life: u64,
    /// Where it is to be reached.
    pub(super) address: SocketAddr,
    /// Its name.
    pub(super) name: SmolStr,
    /// The label of its cluster; may be empty.
    pub(super) label: SmolStr,
    /// The node it means to speak to; `None` when it only has an address. So who has taken over the address of a node
    /// that moved away is not taken for it.
    pub(super) expects: Option<NodeId>,
}

/// Which comparison a digest belongs to, by a number of who began it: an answer that was under way while a node slept
/// says nothing of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The receiver is asked for its own digest.
    Asks(u64),
    /// This is it.
    Answers(u64),
}

/// What records are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// They have just changed.
    Push,
    /// They were asked for; more follow.
    Answer,
    /// They were asked for, and these are the last.
    End,
}

const HELLO: u8 = b'h';
const GOSSIP: u8 = b'g';
const NEWS: u8 = b'n';
const DIGEST: u8 = b'd';
const WANTED: u8 = b'w';
const LEAVE: u8 = b'l';

impl Frame {
    /// The frame's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Self::Hello(hello) => hello.write(&mut to),
            Self::Gossip(message) => {
                to.byte(GOSSIP);
                to.raw(message);
            }
            Self::News(part, records) => write_news(*part, records, &mut to),
            Self::Digest(digest, round) => write_digest(digest, *round, &mut to),
            Self::Wanted(shards) => {
                to.byte(WANTED);
                to.raw(shards);
            }
            Self::Leave => to.byte(LEAVE),
            Self::Unknown => {}
        }
        to.as_bytes().to_vec()
    }

    /// The frame that `bytes` spell.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut from = Reader::new(bytes);
        let frame = match from.byte()? {
            HELLO => Self::Hello(Hello::read(&mut from)?),
            GOSSIP => Self::Gossip(from.rest().to_vec()),
            NEWS => read_news(&mut from)?,
            DIGEST => read_digest(&mut from)?,
            WANTED => Self::Wanted(read_wanted(from.rest())?),
            LEAVE => Self::Leave,
            _ => return Ok(Self::Unknown),
        };
        from.finish()?;
        Ok(frame)
    }
}

impl Hello {
    fn write(&self, to: &mut Writer) {
        to.byte(HELLO);
        to.node(self.node);
        to.number(self.life);
        to.text(&self.address.to_string());
        to.text(&self.name);
        to.text(&self.label);
        to.length(usize::from(self.expects.is_some()));
        self.expects.into_iter().for_each(|node| to.node(node));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            node: from.node()?,
            life: from.number()?,
            address: from.text()?.parse().map_err(|_| RecordError::Malformed("address"))?,
            name: read_name(from)?,
            label: read_name(from)?,
            expects: match from.length()? {
                0 => None,
                1 => Some(from.node()?),
                _ => return Err(RecordError::Malformed("expected node")),
            },
        })
    }
}

fn read_name(from: &mut Reader<'_>) -> Result<SmolStr, RecordError> {
    let name = from.text()?;
    if name.len() > MAX_NAME { Err(RecordError::Malformed("length of a name")) } else { Ok(name.into()) }
}

fn write_news(part: Part, records: &[Vec<u8>], to: &mut Writer) {
    to.byte(NEWS);
    to.byte(match part {
        Part::Push => 0,
        Part::Answer => 1,
        Part::End => 2,
    });
    to.length(records.len());
    for record in records {
        to.length(record.len());
        to.raw(record);
    }
}

fn read_news(from: &mut Reader<'_>) -> Result<Frame, RecordError> {
    let part = match from.byte()? {
        0 => Part::Push,
        1 => Part::Answer,
        2 => Part::End,
        _ => return Err(RecordError::Malformed("part of news")),
    };
    let records = from.list(|from| {
        let length = from.length()?;
        from.raw(length).map(<[u8]>::to_vec)
    })?;
    Ok(Frame::News(part, records))
}

fn write_digest(digest: &Digest, round: Round, to: &mut Writer) {
    to.byte(DIGEST);
    let (kind, number) = match round {
        Round::Asks(number) => (1, number),
        Round::Answers(number) => (0, number),
    };
    to.byte(kind);
    to.raw(&number.to_le_bytes());
    to.raw(&digest.horizon.0.to_le_bytes());
    for shard in &digest.shards {
        to.raw(&shard.hash.to_le_bytes());
        to.raw(&shard.count.to_le_bytes());
    }
}

fn read_digest(from: &mut Reader<'_>) -> Result<Frame, RecordError> {
    let round = match from.byte()? {
        0 => Round::Answers,
        1 => Round::Asks,
        _ => return Err(RecordError::Malformed("digest's round")),
    };
    let round = round(from.array().map(u64::from_le_bytes)?);
    let horizon = Horizon(from.array().map(i64::from_le_bytes)?);
    let shard = |from: &mut Reader<'_>| {
        Ok(Shard { hash: from.array().map(u64::from_le_bytes)?, count: from.array().map(u32::from_le_bytes)? })
    };
    let shards = std::iter::repeat_with(|| shard(from)).take(SHARDS).collect::<Result<_, RecordError>>()?;
    Ok(Frame::Digest(Digest { horizon, shards }, round))
}

/// A shard has one byte, so there are at most as many as there are bytes.
fn read_wanted(shards: &[u8]) -> Result<Vec<u8>, RecordError> {
    let ascending = shards.is_sorted_by(|earlier, later| earlier < later);
    if ascending { Ok(shards.to_vec()) } else { Err(RecordError::Malformed("order of shards")) }
}

#[cfg(test)]
mod tests;
