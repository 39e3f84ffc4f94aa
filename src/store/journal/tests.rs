use std::fs;

use tempfile::TempDir;

use watchbell_engine::version::NodeId;

use super::*;
use crate::record::frame::Kind;
use crate::store::change::RecordKey;

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
        journal.appended().sync().unwrap();
    }
    end_with_frames(&path, &journal);
    (dir, path)
}

/// Takes away the zeros behind the frames.
fn end_with_frames(path: &Path, journal: &Journal) {
    let bytes = fs::read(path).unwrap();
    let (frames, ahead) = bytes.split_at(journal.length() as usize);
    assert!(ahead.iter().all(|byte| *byte == 0), "something lies behind the frames");
    fs::write(path, frames).unwrap();
}

fn records(ids: &[u128]) -> Writes {
    ids.iter().map(|id| (key(*id), Some(id.to_string().into_bytes()))).collect()
}

fn ids(path: &Path) -> Result<(Vec<u128>, Contents), JournalError> {
    let mut ids = Vec::new();
    let contents = read(&File::open(path)?, |key, _| ids.push(key.id))?;
    Ok((ids, contents))
}

#[test]
fn what_was_appended_is_read_in_order() {
    let (_dir, path) = written(&[&[2, 5], &[], &[1]]);
    let (found, contents) = ids(&path).unwrap();
    assert_eq!((found, contents.identity, contents.torn), (vec![2, 5, 1], ME, 0));
    let bytes = fs::read(&path).unwrap();
    read(&File::open(&path).unwrap(), |key, place| {
        let (offset, length) = place.unwrap();
        assert_eq!(&bytes[offset as usize..][..length as usize], key.id.to_string().as_bytes());
    })
    .unwrap();
}

#[test]
fn what_was_appended_is_there_before_the_disk_has_it() {
    let (_dir, path) = written(&[&[1]]);
    let mut journal = Journal::go_on(&path, fs::metadata(&path).unwrap().len()).unwrap();
    journal.append(ME, &records(&[2])).unwrap();
    let first = journal.appended();
    journal.append(ME, &records(&[3])).unwrap();
    assert_eq!((ids(&path).unwrap().0, journal.is_synced()), (vec![1, 2, 3], false));
    first.sync().unwrap();
    assert!(!journal.is_synced(), "the second frame was appended later");
    journal.appended().sync().unwrap();
    assert!(journal.is_synced());
}

#[test]
fn what_the_disk_refused_is_taken_back() {
    let (_dir, path) = written(&[&[1]]);
    let length = fs::metadata(&path).unwrap().len();
    let mut journal = Journal::go_on(&path, length).unwrap();
    journal.append(ME, &records(&[2])).unwrap();
    journal.append(ME, &records(&[3, 4, 5])).unwrap();
    journal.take_back();
    assert_eq!((journal.length(), journal.is_synced()), (length, false));
    journal.append(ME, &records(&[6])).unwrap();
    let (found, contents) = ids(&path).unwrap();
    assert_eq!((found, contents.length, contents.torn), (vec![1, 6], journal.length(), 0));
}

/// A write that makes the file longer costs its fsync a second write.
#[test]
fn few_writes_make_the_file_longer() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    let mut journal = Journal::create(&path, ME).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), journal.length(), "zeros only are no journal");
    let mut sizes = std::collections::BTreeSet::new();
    for id in 0..1_500_u128 {
        journal.append(ME, &Writes::from([(key(id), Some(vec![7; 1_000]))])).unwrap();
        sizes.insert(fs::metadata(&path).unwrap().len());
    }
    assert_eq!(sizes.len(), 2);
    let (found, contents) = ids(&path).unwrap();
    assert_eq!((found.len(), contents.length, contents.torn), (1_500, journal.length(), 0));
}

/// However little of the last frame arrived, the ones before it are there and it can be gone on with.
#[test]
fn a_torn_write_costs_nothing_else() {
    let (_dir, path) = written(&[&[1], &[2]]);
    let whole = fs::read(&path).unwrap();
    let (_one, shorter) = written(&[&[1]]);
    let first = fs::metadata(shorter).unwrap().len() as usize;
    for length in first..whole.len() {
        for garbage in [&b""[..], &[0; 40], b"WBJ3"] {
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

/// A loss of power may leave a frame broken and a later one whole, if neither was on the disk.
#[test]
fn what_lies_behind_a_frame_that_was_not_on_the_disk_is_gone() {
    let (_dir, path) = written(&[&[1]]);
    let synced = fs::metadata(&path).unwrap().len() as usize;
    let mut journal = Journal::go_on(&path, synced as u64).unwrap();
    journal.append(ME, &records(&[2])).unwrap();
    let broken = synced..journal.length() as usize;
    journal.append(ME, &records(&[3])).unwrap();
    end_with_frames(&path, &journal);
    let whole = fs::read(&path).unwrap();
    for byte in broken {
        let mut bytes = whole.clone();
        bytes[byte] ^= 4;
        fs::write(&path, bytes).unwrap();
        let (found, contents) = ids(&path).unwrap();
        assert_eq!((found, contents.length, contents.torn), (vec![1], synced as u64, (whole.len() - synced) as u64));
        // As long as the broken frame, so that what lay behind it would follow.
        let mut journal = Journal::go_on(&path, contents.length).unwrap();
        journal.append(ME, &records(&[9])).unwrap();
        assert_eq!(ids(&path).unwrap().0, [1, 9], "byte {byte}");
    }
}

/// Sectors that the disk did not have are missing in any choice; what was synced is there, and of the rest the first.
#[test]
fn a_loss_of_power_takes_nothing_that_was_synced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..300 {
        let mut journal = Journal::create(&path, ME).unwrap();
        let (mut synced, mut certain) = (journal.length(), 0);
        let frames = 1 + random(12);
        for id in 0..frames {
            let record = vec![id as u8; random(700) as usize];
            journal.append(ME, &Writes::from([(key(id.into()), Some(record))])).unwrap();
            if random(4) == 0 {
                journal.appended().sync().unwrap();
                (synced, certain) = (journal.length(), id + 1);
            }
        }
        end_with_frames(&path, &journal);
        let mut bytes = fs::read(&path).unwrap();
        let lost = |at: usize| at as u64 >= synced;
        for sector in (0..bytes.len()).step_by(512) {
            if random(3) == 0 {
                let end = bytes.len().min(sector + 512);
                (sector..end).filter(|at| lost(*at)).for_each(|at| bytes[at] = 0);
            }
        }
        fs::write(&path, bytes).unwrap();
        let (found, _) = ids(&path).unwrap();
        assert!(found.len() as u64 >= certain, "round {round}: {} of {certain}", found.len());
        assert!(found.iter().copied().eq(0..found.len() as u128), "round {round}: {found:?}");
    }
}

/// A frame as the version before wrote it.
fn old_frame(writes: &Writes) -> Vec<u8> {
    let new = frame(ME, 0, writes);
    let mut old = [OLD_MAGIC, &new[4..OLD_FRAME], &new[FRAME..]].concat();
    let checksum = crc32fast::hash(&old[CHECKED..]);
    old[8..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    old
}

#[test]
fn a_journal_of_the_form_before_is_gone_on_with() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    let frames = [old_frame(&Writes::new()), old_frame(&records(&[1])), old_frame(&records(&[2]))];
    let (old, torn) = (frames.concat(), b"WBJ2 and no more");
    fs::write(&path, [&old, &torn[..]].concat()).unwrap();
    let (found, contents) = ids(&path).unwrap();
    assert_eq!((found, contents.length, contents.torn), (vec![1, 2], old.len() as u64, torn.len() as u64));
    let mut journal = Journal::go_on(&path, contents.length).unwrap();
    journal.append(ME, &records(&[3])).unwrap();
    assert_eq!(ids(&path).unwrap().0, [1, 2, 3]);
    let whole = fs::read(&path).unwrap();
    for byte in 0..old.len() {
        let mut bytes = whole.clone();
        bytes[byte] ^= 4;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(ids(&path), Err(JournalError::Broken(_))), "byte {byte}");
    }
}

#[test]
fn a_journal_that_is_gone_takes_nothing() {
    let (_dir, path) = written(&[]);
    let mut journal = Journal::go_on(&path, FRAME as u64).unwrap();
    fs::remove_file(&path).unwrap();
    journal.append(ME, &Writes::new()).unwrap();
    assert_eq!(journal.appended().sync().unwrap_err().kind(), io::ErrorKind::NotFound);
}
