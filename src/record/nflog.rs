//! A notification log entry's bytes, and those of its key.

use smol_str::SmolStr;
use watchbell_engine::nflog::{Carried, NflogEntry, NflogKey, ReceiverDatum};

use super::bytes::{Reader, Writer};
use super::frame::Kind;
use super::{Framed, RecordError};

/// The bytes of a key: different for different keys.
pub fn key_bytes(key: &NflogKey) -> Vec<u8> {
    let mut to = Writer::default();
    write_key(key, &mut to);
    to.as_bytes().to_vec()
}

impl Framed for NflogEntry {
    const KIND: Kind = Kind::Nflog;
    const VERSION: u8 = 2;

    fn write(&self, to: &mut Writer) {
        write_key(&self.key, to);
        to.time(self.timestamp);
        write_hashes(&self.firing, to);
        write_hashes(&self.resolved, to);
        to.length(self.receiver_data.len());
        for (name, datum) in &self.receiver_data {
            to.text(name);
            write_datum(datum, to);
        }
        to.time(self.expires_at);
        to.version(self.version);
        for before in [&self.carried, &self.ended] {
            to.length(before.len());
            for carried in before {
                to.raw(&carried.hash.to_le_bytes());
                to.version(carried.told);
            }
        }
        to.length(self.past.len());
        self.past.iter().for_each(|past| to.version(*past));
    }

    fn read(version: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        let mut entry = Self {
            key: read_key(from)?,
            timestamp: from.time()?,
            firing: read_hashes(from)?,
            resolved: read_hashes(from)?,
            receiver_data: {
                let data = from.list(|r| Ok((SmolStr::new(r.text()?), read_datum(r)?)))?;
                if !data.is_sorted_by(|(earlier, _), (later, _)| earlier < later) {
                    return Err(RecordError::Malformed("order of receiver data"));
                }
                data.into_iter().collect()
            },
            expires_at: from.time()?,
            version: from.version()?,
            carried: Vec::new(),
            ended: Vec::new(),
            past: Vec::new(),
        };
        if version == 1 {
            // It told everything itself, and nothing is known of what went before.
            entry.past.push(entry.version);
            return Ok(entry);
        }
        for before in [&mut entry.carried, &mut entry.ended] {
            *before = from.list(|r| Ok(Carried { hash: u64::from_le_bytes(r.array()?), told: r.version()? }))?;
        }
        entry.past = from.list(Reader::version)?;
        let sorted = [&entry.carried, &entry.ended].iter().all(|before| before.is_sorted_by(|a, b| a < b))
            && entry.past.is_sorted_by(|a, b| a.node < b.node);
        if sorted { Ok(entry) } else { Err(RecordError::Malformed("order of what went before")) }
    }
}

pub(super) fn write_key(key: &NflogKey, to: &mut Writer) {
    to.text(&key.group_key);
    to.text(&key.receiver);
    to.text(&key.integration);
    to.number(key.index.into());
}

pub(super) fn read_key(from: &mut Reader<'_>) -> Result<NflogKey, RecordError> {
    Ok(NflogKey {
        group_key: from.text()?.into(),
        receiver: SmolStr::new(from.text()?),
        integration: SmolStr::new(from.text()?),
        index: u32::try_from(from.number()?).map_err(|_| RecordError::Malformed("integration's index"))?,
    })
}

pub(super) fn write_hashes(hashes: &[u64], to: &mut Writer) {
    to.length(hashes.len());
    hashes.iter().for_each(|hash| to.raw(&hash.to_le_bytes()));
}

pub(super) fn read_hashes(from: &mut Reader<'_>) -> Result<Vec<u64>, RecordError> {
    let mut hashes = from.list(|r| r.array().map(u64::from_le_bytes))?;
    hashes.sort_unstable();
    Ok(hashes)
}

fn write_datum(datum: &ReceiverDatum, to: &mut Writer) {
    match datum {
        ReceiverDatum::Text(text) => {
            to.byte(0);
            to.text(text);
        }
        ReceiverDatum::Integer(integer) => {
            to.byte(1);
            to.raw(&integer.to_le_bytes());
        }
        ReceiverDatum::Float(float) => {
            to.byte(2);
            to.raw(&float.to_le_bytes());
        }
    }
}

fn read_datum(from: &mut Reader<'_>) -> Result<ReceiverDatum, RecordError> {
    match from.byte()? {
        0 => Ok(ReceiverDatum::Text(SmolStr::new(from.text()?))),
        1 => Ok(ReceiverDatum::Integer(i64::from_le_bytes(from.array()?))),
        2 => Ok(ReceiverDatum::Float(f64::from_le_bytes(from.array()?))),
        _ => Err(RecordError::Malformed("receiver datum")),
    }
}
