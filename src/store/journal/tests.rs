use std::fs;

use tempfile::TempDir;

use super::*;
use crate::record::frame::Kind;

const ME: Identity = Identity { node: NodeId(7), generation: 3 };

fn key(id: u128) -> RecordKey {
    RecordKey { kind: Kind::Silence, id }
}

/// A journal with one frame for each row of ids; a record says its id.
fn written(frames: &[&[u128]]) -> (TempDir, std::path::PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    let mut journal = Journal::create(&path, ME).unwrap();
    for ids in frames {
        journal.append(ME, &records(ids)).unwrap();
        journal.sync().unwrap();
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), journal.length());
    (dir, path)
}

fn records(ids: &[u128]) -> Writes {
    ids.iter().map(|id| (key(*id), Some(id.to_string().into_bytes()))).collect()
}

fn ids(path: &Path) -> Result<(Vec<u128>, Contents), JournalError> {
    let mut ids = Vec::new();
    let contents = read(path, |key, _| ids.push(key.id))?;
    Ok((ids, contents))
}

#[test]
fn what_was_appended_is_read_in_order() {
    let (_dir, path) = written(&[&[2, 5], &[], &[1]]);
    let (found, contents) = ids(&path).unwrap();
    assert_eq!((found, contents.identity, contents.torn), (vec![2, 5, 1], ME, 0));
    let bytes = fs::read(&path).unwrap();
    read(&path, |key, place| {
        let (offset, length) = place.unwrap();
        assert_eq!(&bytes[offset as usize..][..length as usize], key.id.to_string().as_bytes());
    })
    .unwrap();
}

#[test]
fn what_was_appended_is_there_before_the_disk_has_it() {
    let (_dir, path) = written(&[&[1]]);
    let length = fs::metadata(&path).unwrap().len();
    let mut journal = Journal::go_on(&path, length).unwrap();
    journal.append(ME, &records(&[2])).unwrap();
    assert_eq!((ids(&path).unwrap().0, journal.length()), (vec![1, 2], length));
    // The disk would not have it, so it is written again with what came after.
    journal.append(ME, &records(&[2, 3])).unwrap();
    journal.sync().unwrap();
    assert_eq!((ids(&path).unwrap().0, journal.length()), (vec![1, 2, 3], fs::metadata(&path).unwrap().len()));
}

/// However little of the last frame arrived, the ones before it are there and it can be gone on with.
#[test]
fn a_torn_write_costs_nothing_else() {
    let (_dir, path) = written(&[&[1], &[2]]);
    let whole = fs::read(&path).unwrap();
    let (_one, shorter) = written(&[&[1]]);
    let first = fs::metadata(shorter).unwrap().len() as usize;
    for length in first..whole.len() {
        for garbage in [&b""[..], &[0; 40], b"WBJ2"] {
            fs::write(&path, [&whole[..length], garbage].concat()).unwrap();
            let (found, contents) = ids(&path).unwrap();
            assert_eq!((found, contents.length), (vec![1], first as u64), "{length} bytes");
            let mut journal = Journal::go_on(&path, contents.length).unwrap();
            journal.append(ME, &Writes::from([(key(9), None)])).unwrap();
            assert_eq!(ids(&path).unwrap().0, [1, 9]);
        }
    }
}

#[test]
fn damage_before_the_last_frame_is_told() {
    let (_dir, path) = written(&[&[1], &[2], &[3]]);
    let whole = fs::read(&path).unwrap();
    let last = whole.len() - (FRAME + entry::HEAD + 1);
    for byte in 0..last {
        let mut bytes = whole.clone();
        bytes[byte] ^= 4;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(ids(&path), Err(JournalError::Broken(_))), "byte {byte}");
    }
    let nothing_whole: Vec<u8> = whole.iter().map(|byte| byte ^ 0x5a).collect();
    fs::write(&path, nothing_whole).unwrap();
    assert!(matches!(ids(&path), Err(JournalError::Broken(0))));
    fs::write(&path, &whole[..FRAME - 1]).unwrap();
    assert!(matches!(ids(&path), Err(JournalError::Empty)));
}

#[test]
fn a_journal_that_is_gone_takes_nothing() {
    let (_dir, path) = written(&[]);
    let mut journal = Journal::go_on(&path, FRAME as u64).unwrap();
    fs::remove_file(&path).unwrap();
    journal.append(ME, &Writes::new()).unwrap();
    assert_eq!(journal.sync().unwrap_err().kind(), io::ErrorKind::NotFound);
}
