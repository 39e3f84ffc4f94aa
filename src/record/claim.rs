//! A claim's bytes. Claims are published and never stored.

use std::time::Duration;

use watchbell_engine::peers::{Claim, ClaimState};

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::nflog::{read_hashes, read_key, write_hashes, write_key};
use super::{Framed, RecordError};

impl Framed for Claim {
    const KIND: Kind = Kind::Claim;
    const VERSION: u8 = 1;

    fn write(&self, to: &mut Writer) {
        write_key(&self.key, to);
        to.node(self.node);
        to.byte(match self.state {
            ClaimState::Announced => 0,
            ClaimState::Sending => 1,
            ClaimState::Failed => 2,
        });
        to.time(self.stamp);
        to.number(u64::try_from(self.lasts.as_micros()).unwrap_or(u64::MAX));
        write_hashes(&self.alerts, to);
    }

    fn read(_version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            key: read_key(from)?,
            node: from.node()?,
            state: match from.byte()? {
                0 => ClaimState::Announced,
                1 => ClaimState::Sending,
                2 => ClaimState::Failed,
                _ => return Err(RecordError::Malformed("claim's state")),
            },
            stamp: from.time()?,
            lasts: Duration::from_micros(from.number()?),
            alerts: read_hashes(from)?,
        })
    }
}
