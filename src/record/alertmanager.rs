//! Reads the snapshot files that Alertmanager leaves in its data directory, `silences` and `nflog`, so that an operator
//! can move over. It knows nothing of where the files lie.
//!
//! Both are protobuf messages one after the other, each behind its length. Field numbers are those of Alertmanager's
//! `silencepb` and `nflogpb`.

mod wire;

use std::collections::BTreeMap;

use smol_str::SmolStr;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::nflog::{NflogEntry, NflogKey, ReceiverDatum};
use watchbell_engine::silence::{Silence, SilenceId};
use watchbell_engine::time::Timestamp;
use watchbell_engine::version::{NodeId, Version};

use super::RecordError;
use wire::{Field, Message};

/// What a snapshot file holds, record by record.
pub type Snapshot<T> = Vec<Result<T, RecordError>>;

type Read<T> = Result<T, RecordError>;

/// The silences in the file `silences`. A file that is cut short ends with an error.
pub fn silences(file: &[u8]) -> Snapshot<Silence> {
    wire::delimited(file).map(|message| silence(message?)).collect()
}

/// The entries in the file `nflog`. A file that is cut short ends with an error.
pub fn nflog(file: &[u8]) -> Snapshot<NflogEntry> {
    wire::delimited(file).map(|message| entry(message?)).collect()
}

/// `MeshSilence { Silence silence = 1; Timestamp expires_at = 2 }`
fn silence(mesh: Message<'_>) -> Read<Silence> {
    let body = mesh.message(1)?.ok_or(RecordError::Malformed("no silence in it"))?;
    let id = SilenceId::parse(body.text(1)?).ok_or(RecordError::Malformed("silence's id is no UUID"))?;
    let (updated_at, (created_by, comment)) = (time(&body, 5)?, author_and_comment(&body)?);
    Ok(Silence {
        id,
        matcher_sets: matcher_sets(id, &body)?,
        starts_at: time(&body, 3)?,
        ends_at: time(&body, 4)?,
        updated_at,
        forget_at: time(&mesh, 2)?,
        created_by: created_by.into(),
        comment: comment.into(),
        annotations: annotations(&body)?,
        version: imported_at(updated_at),
    })
}

/// The same on every node that imports the same record.
fn imported_at(stamp: Timestamp) -> Version {
    Version { stamp, node: NodeId::default() }
}

/// `repeated Matcher matchers = 2` (what older versions write), `repeated MatcherSet matcher_sets = 11`
fn matcher_sets(id: SilenceId, silence: &Message<'_>) -> Read<Vec<Vec<Matcher>>> {
    let mut sets = Vec::new();
    for set in silence.messages(11) {
        sets.push(matchers(id, &set?, 1)?);
    }
    if sets.is_empty() {
        sets.push(matchers(id, silence, 2)?);
    }
    Ok(sets)
}

fn matchers(id: SilenceId, holder: &Message<'_>, field: u64) -> Read<Vec<Matcher>> {
    holder.messages(field).map(|message| matcher(id, &message?)).collect()
}

/// `Matcher { enum type = 1; string name = 2; string pattern = 3 }`
fn matcher(id: SilenceId, message: &Message<'_>) -> Read<Matcher> {
    let op = match message.number(1)? {
        0 => MatchOp::Equal,
        1 => MatchOp::Regex,
        2 => MatchOp::NotEqual,
        3 => MatchOp::NotRegex,
        _ => return Err(RecordError::Malformed("matcher's type")),
    };
    Matcher::new(message.text(2)?, op, message.text(3)?)
        .map_err(|error| RecordError::Pattern { id, error: error.to_string() })
}

/// `string created_by = 8; string comment = 9`, or in very old files `Comment comments = 7 { author = 1; comment = 2 }`
fn author_and_comment<'a>(silence: &Message<'a>) -> Read<(&'a str, &'a str)> {
    match silence.message(7)? {
        Some(legacy) => Ok((legacy.text(1)?, legacy.text(2)?)),
        None => Ok((silence.text(8)?, silence.text(9)?)),
    }
}

/// `map<string, string> annotations = 10`
fn annotations(silence: &Message<'_>) -> Read<Labels> {
    let pair = |message: Read<Message<'_>>| {
        let message = message?;
        Ok((SmolStr::new(message.text(1)?), SmolStr::new(message.text(2)?)))
    };
    silence.messages(10).map(pair).collect::<Read<Vec<_>>>().map(Labels::from_iter)
}

/// `MeshEntry { Entry entry = 1; Timestamp expires_at = 2 }`
fn entry(mesh: Message<'_>) -> Read<NflogEntry> {
    let body = mesh.message(1)?.ok_or(RecordError::Malformed("no entry in it"))?;
    let timestamp = time(&body, 5)?;
    Ok(NflogEntry {
        key: key(&body)?,
        timestamp,
        firing: hashes(&body, 6)?,
        resolved: hashes(&body, 7)?,
        receiver_data: receiver_data(&body)?,
        expires_at: time(&mesh, 2)?,
        version: imported_at(timestamp),
        carried: Vec::new(),
        ended: Vec::new(),
        past: vec![imported_at(timestamp)],
    })
}

/// `bytes group_key = 1; Receiver receiver = 2 { string group_name = 1; string integration = 2; uint32 idx = 3 }`
fn key(entry: &Message<'_>) -> Read<NflogKey> {
    let receiver = entry.message(2)?.ok_or(RecordError::Malformed("no receiver in it"))?;
    Ok(NflogKey {
        group_key: entry.text(1)?.into(),
        receiver: receiver.text(1)?.into(),
        integration: receiver.text(2)?.into(),
        index: u32::try_from(receiver.number(3)?).map_err(|_| RecordError::Malformed("integration's index"))?,
    })
}

fn hashes(entry: &Message<'_>, field: u64) -> Read<Vec<u64>> {
    let mut hashes = entry.numbers(field)?;
    hashes.sort_unstable();
    hashes.dedup();
    Ok(hashes)
}

/// `map<string, ReceiverDataValue> receiver_data = 8`
fn receiver_data(entry: &Message<'_>) -> Read<BTreeMap<SmolStr, ReceiverDatum>> {
    let mut data = BTreeMap::new();
    for pair in entry.messages(8) {
        let pair = pair?;
        if let Some(datum) = pair.message(2)?.and_then(|value| datum(&value)) {
            data.insert(pair.text(1)?.into(), datum?);
        }
    }
    Ok(data)
}

/// `oneof { string str_val = 1; int64 int_val = 2; double double_val = 3 }`; `None` if none of them is set.
fn datum(value: &Message<'_>) -> Option<Read<ReceiverDatum>> {
    Some(match value.last(&[1, 2, 3])? {
        (1, Field::Bytes(bytes)) => wire::text(bytes).map(|text| ReceiverDatum::Text(text.into())),
        (2, Field::Number(number)) => Ok(ReceiverDatum::Integer(number.cast_signed())),
        (3, Field::Fixed64(bits)) => Ok(ReceiverDatum::Float(f64::from_bits(bits))),
        _ => Err(RecordError::Malformed("receiver datum")),
    })
}

/// `google.protobuf.Timestamp { int64 seconds = 1; int32 nanos = 2 }`, whole microseconds of it.
fn time(message: &Message<'_>, field: u64) -> Read<Timestamp> {
    let Some(time) = message.message(field)? else { return Ok(Timestamp::GO_ZERO) };
    let seconds = time.number(1)?.cast_signed();
    let nanos = i64::try_from(time.number(2)?).ok().filter(|nanos| *nanos < 1_000_000_000);
    let nanos = nanos.ok_or(RecordError::Malformed("time"))?;
    Ok(Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)))
}

#[cfg(test)]
mod tests;
