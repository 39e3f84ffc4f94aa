//! Lets only those messages of chitchat through that our nodes send.
//!
//! chitchat can replicate keys, and asserts in many places that what arrives about keys makes sense. Our nodes use it for
//! membership alone and have no keys, so each message of theirs is a list of heartbeats and an empty delta. Everything
//! else is refused before chitchat sees it; so nothing from the network reaches its assertions, and what it remembers of
//! nodes is bounded.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chitchat::{ChitchatId, ChitchatMessage, Deserializable};
use smol_str::SmolStr;
use watchbell_engine::version::NodeId;

use super::frame::MAX_NAME;

/// Lives of nodes that are remembered at once. Ten nodes that restart each minute have two hundred.
pub(super) const MAX_LIVES: usize = 512;

/// How long chitchat remembers a node that is gone. Longer has no use: who is to be tried again is known elsewhere.
pub(super) const GONE_AFTER: Duration = Duration::from_secs(120);

/// A heartbeat above this would be near an overflow; a node that sends a thousand a second is there in ages.
const MAX_HEARTBEAT: u64 = 1 << 62;

/// Bytes of the name that chitchat knows a node by: its identity, a space, and its name.
const MAX_ID: usize = 16 + 1 + MAX_NAME;

/// The start of every message: a magic number and the version of the protocol.
const OPENING: [u8; 3] = [0x53, 0xB0, 0];

const SYN: u8 = 0;
const SYN_ACK: u8 = 1;
const ACK: u8 = 2;
const BAD_CLUSTER: u8 = 3;

/// A delta without anything in it.
const EMPTY_DELTA: u8 = 0;

/// The lives that messages told of, and when each was last heard of.
#[derive(Debug, Default)]
pub(super) struct Screen(BTreeMap<ChitchatId, Instant>);

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No node of ours sends it.
    Malformed,
    /// It tells of more nodes than there can be.
    TooMany,
}

impl Screen {
    /// The message, if one of our nodes can have sent it.
    pub(super) fn admit(&mut self, bytes: &[u8], now: Instant) -> Result<ChitchatMessage, Refusal> {
        let lives = lives(bytes).ok_or(Refusal::Malformed)?;
        self.0.retain(|_, heard| now.duration_since(*heard) < GONE_AFTER);
        let unknown = lives.iter().filter(|life| !self.0.contains_key(life)).count();
        if self.0.len() + unknown > MAX_LIVES {
            return Err(Refusal::TooMany);
        }
        self.0.extend(lives.into_iter().map(|life| (life, now)));
        ChitchatMessage::deserialize(&mut &*bytes).map_err(|_| Refusal::Malformed)
    }
}

/// What chitchat calls a node.
pub(super) fn chitchat_name(node: NodeId, name: &str) -> String {
    format!("{:016x} {name}", node.0)
}

/// The node and the name behind what chitchat calls it.
pub(super) fn node_and_name(id: &str) -> Option<(NodeId, SmolStr)> {
    let (node, name) = id.split_at_checked(16)?;
    let name = name.strip_prefix(' ').filter(|name| !name.is_empty() && id.len() <= MAX_ID)?;
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let node = node.bytes().all(lower_hex).then(|| u64::from_str_radix(node, 16).ok())??;
    Some((NodeId(node), name.into()))
}

/// The lives a message tells of; `None` if it is not one of ours.
fn lives(bytes: &[u8]) -> Option<Vec<ChitchatId>> {
    let mut rest = bytes.strip_prefix(&OPENING)?;
    let (&kind, after) = rest.split_first()?;
    rest = after;
    let lives = if [SYN, SYN_ACK].contains(&kind) { digest(&mut rest)? } else { Vec::new() };
    let ends = match kind {
        SYN => String::deserialize(&mut rest).is_ok() && rest.is_empty(),
        SYN_ACK | ACK => rest == [EMPTY_DELTA],
        BAD_CLUSTER => rest.is_empty(),
        _ => false,
    };
    ends.then_some(lives)
}

/// A list of lives with their heartbeats, none of which has keys.
fn digest(rest: &mut &[u8]) -> Option<Vec<ChitchatId>> {
    let count = usize::from(u16::deserialize(rest).ok()?);
    if count > MAX_LIVES {
        return None;
    }
    std::iter::repeat_with(|| life(rest)).take(count).collect()
}

fn life(rest: &mut &[u8]) -> Option<ChitchatId> {
    let id = ChitchatId::deserialize(rest).ok()?;
    let [heartbeat, last_gc, newest] = [(); 3].map(|()| u64::deserialize(rest).ok());
    let sane = heartbeat? <= MAX_HEARTBEAT && last_gc? == 0 && newest? == 0 && node_and_name(&id.node_id).is_some();
    (sane && is_reachable(id.gossip_advertise_addr)).then_some(id)
}

/// Whether frames can be sent there at all.
fn is_reachable(address: SocketAddr) -> bool {
    address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast()
}

#[cfg(test)]
mod tests;
