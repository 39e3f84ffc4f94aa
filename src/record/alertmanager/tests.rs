//! Messages written by hand, and files written by a real Alertmanager.

use super::*;
use crate::record::bytes::Writer;

mod real;

/// A field that holds bytes.
fn bytes(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut to = Writer::default();
    to.number(number << 3 | 2);
    to.length(bytes.len());
    to.raw(bytes);
    to.as_bytes().to_vec()
}

/// A field that holds a number.
fn number(field: u64, number: u64) -> Vec<u8> {
    let mut to = Writer::default();
    to.number(field << 3);
    to.number(number);
    to.as_bytes().to_vec()
}

fn time_field(field: u64, seconds: u64, nanos: u64) -> Vec<u8> {
    bytes(field, &[number(1, seconds), number(2, nanos)].concat())
}

fn matcher_field(field: u64, kind: u64, name: &str, pattern: &str) -> Vec<u8> {
    bytes(field, &[number(1, kind), bytes(2, name.as_bytes()), bytes(3, pattern.as_bytes())].concat())
}

/// A message behind its length, as the files hold them.
fn delimited(message: &[u8]) -> Vec<u8> {
    let mut to = Writer::default();
    to.length(message.len());
    to.raw(message);
    to.as_bytes().to_vec()
}

const ID: &str = "3a9b5d3e-6f0c-4c5c-9d9a-0123456789ab";

fn silence_file(body: &[Vec<u8>]) -> Vec<u8> {
    let silence = [vec![bytes(1, ID.as_bytes())], body.to_vec()].concat().concat();
    delimited(&[bytes(1, &silence), time_field(2, 900, 0)].concat())
}

fn only<T>(snapshot: Snapshot<T>) -> Result<T, RecordError> {
    assert_eq!(snapshot.len(), 1);
    snapshot.into_iter().next().unwrap()
}

#[test]
fn a_silence_with_sets_is_read() {
    let sets = [
        bytes(11, &matcher_field(1, 0, "a", "1")),
        bytes(11, &[matcher_field(1, 1, "b", "x.*"), matcher_field(1, 3, "c", "y")].concat()),
    ];
    let times = [time_field(3, 100, 1_999), time_field(4, 200, 0), time_field(5, 90, 999_999_999)];
    let annotation = bytes(10, &[bytes(1, b"ticket"), bytes(2, b"42")].concat());
    let texts = [bytes(8, b"ops"), bytes(9, b"why"), annotation, matcher_field(2, 0, "a", "1")];
    let file = silence_file(&[&sets[..], &times[..], &texts[..]].concat());

    let silence = only(silences(&file)).unwrap();
    assert_eq!(silence.id.to_string(), ID);
    let sets: Vec<_> =
        silence.matcher_sets.iter().map(|set| set.iter().map(Matcher::to_string).collect::<Vec<_>>()).collect();
    assert_eq!(sets, [vec![r#"a="1""#], vec![r#"b=~"x.*""#, r#"c!~"y""#]]);
    assert_eq!((silence.starts_at, silence.ends_at), (Timestamp::from_micros(100_000_001), Timestamp::from_secs(200)));
    assert_eq!(silence.updated_at, Timestamp::from_micros(90_999_999));
    assert_eq!(silence.forget_at, Timestamp::from_secs(900));
    assert_eq!((&*silence.created_by, &*silence.comment), ("ops", "why"));
    assert_eq!(silence.annotations.to_string(), r#"{ticket="42"}"#);
    assert_eq!(silence.version, Version { stamp: silence.updated_at, node: NodeId(0) });
}

#[test]
fn an_old_silence_has_one_set_and_its_comment_in_a_list() {
    let comment = bytes(7, &[bytes(1, b"ops"), bytes(2, b"why")].concat());
    let file = silence_file(&[matcher_field(2, 2, "a", "1"), matcher_field(2, 0, "b", "2"), comment]);
    let silence = only(silences(&file)).unwrap();
    assert_eq!(silence.matcher_sets.len(), 1);
    assert_eq!(silence.matcher_sets[0][0].to_string(), r#"a!="1""#);
    assert_eq!((&*silence.created_by, &*silence.comment), ("ops", "why"));
}

#[test]
fn a_pattern_that_does_not_compile_is_an_error_of_its_silence_alone() {
    let bad = silence_file(&[matcher_field(2, 1, "a", "(")]);
    let good = silence_file(&[matcher_field(2, 0, "a", "1")]);
    let found = silences(&[bad, good].concat());
    assert!(found[0].as_ref().unwrap_err().to_string().starts_with(&format!("silence {ID}: error parsing regexp")));
    assert!(found[1].is_ok());
}

#[test]
fn an_entry_is_read() {
    let receiver = [bytes(1, b"team"), bytes(2, b"webhook"), number(3, 2)].concat();
    let packed = [7_u8, 0x80, 0x01, 5];
    let text = bytes(8, &[bytes(1, b"thread"), bytes(2, &bytes(1, b"abc"))].concat());
    let integer = bytes(8, &[bytes(1, b"count"), bytes(2, &number(2, (-3_i64).cast_unsigned()))].concat());
    let double = [vec![3 << 3 | 1], 0.5_f64.to_le_bytes().to_vec()].concat();
    let float = bytes(8, &[bytes(1, b"ratio"), bytes(2, &double)].concat());
    let body = [
        bytes(1, b"{}:{}"),
        bytes(2, &receiver),
        time_field(5, 100, 0),
        bytes(6, &packed),
        number(7, 9),
        text,
        integer,
        float,
    ];
    let file = delimited(&[bytes(1, &body.concat()), time_field(2, 900, 0)].concat());

    let entry = only(nflog(&file)).unwrap();
    let key = NflogKey { group_key: "{}:{}".into(), receiver: "team".into(), integration: "webhook".into(), index: 2 };
    assert_eq!(entry.key, key);
    assert_eq!((entry.firing, entry.resolved), (vec![5, 7, 128], vec![9]));
    assert_eq!((entry.timestamp, entry.expires_at), (Timestamp::from_secs(100), Timestamp::from_secs(900)));
    let data: Vec<_> = entry.receiver_data.into_iter().collect();
    let expected = [
        ("count".into(), ReceiverDatum::Integer(-3)),
        ("ratio".into(), ReceiverDatum::Float(0.5)),
        ("thread".into(), ReceiverDatum::Text("abc".into())),
    ];
    assert_eq!(data, expected);
}

#[test]
fn a_file_cut_short_says_so_and_keeps_what_came_before() {
    let sound = silence_file(&[matcher_field(2, 0, "a", "1")]);
    for end in 0..sound.len() {
        let found = silences(&[&sound[..], &sound[..end]].concat());
        assert!(found[0].is_ok());
        assert_eq!(found.len(), if end == 0 { 1 } else { 2 });
        assert!(found.get(1).is_none_or(Result::is_err));
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let sound = silence_file(&[matcher_field(2, 0, "a", "1"), time_field(3, 1, 1)]);
    for at in 0..sound.len() {
        for byte in 0..=255 {
            let mut file = sound.clone();
            file[at] = byte;
            silences(&file);
            nflog(&file);
        }
    }
}
