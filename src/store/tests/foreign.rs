//! Directories that are not as a store left them: foreign, damaged, from another time, in use, or Alertmanager's.

use super::*;
use crate::record::encode;
use crate::record::frame::Kind;
use crate::store::change::RecordKey;

#[test]
fn what_a_kill_during_opening_leaves_is_removed() {
    let dir = folded();
    fs::write(database(dir.path()).join("snap.FFFFFFFFFFFFFFFF.generating"), b"half a snapsho").unwrap();
    let (_store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.saved.silences, [silence(1, "one")]);
}

#[test]
fn a_foreign_directory_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("chunks_head")).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign { entry, .. } if entry == "chunks_head"));
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    assert!(!dir.path().join("watchbell").exists());
}

#[test]
fn a_volumes_own_entries_are_not_foreign() {
    let dir = TempDir::new().unwrap();
    for name in ["lost+found", ".snapshot", "silences.5af3", "nflog.77"] {
        fs::write(dir.path().join(name), b"").unwrap();
    }
    assert_eq!(Store::open(dir.path()).unwrap().1.imported, None);
}

#[test]
fn one_process_at_a_time() {
    let dir = TempDir::new().unwrap();
    let first = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(matches!(set_aside(dir.path()), Err(StoreError::Locked { .. })));
    drop(first);
    assert_eq!(Store::open(dir.path()).unwrap().1.generation, 2);
}

#[test]
fn another_format_is_named() {
    let dir = used();
    let identity = dir.path().join("watchbell/identity");
    let text = fs::read_to_string(&identity).unwrap();
    for found in [1, 5] {
        fs::write(&identity, text.replace("format 4", &format!("format {found}"))).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Format { found: told, .. } if told == found));
        assert!(error.to_string().contains(&format!("format {found}, this watchbell reads format 4")), "{error}");
    }
}

#[test]
fn the_formats_before_are_read() {
    for before in ["format 2", "format 3"] {
        let dir = used();
        let identity = dir.path().join("watchbell/identity");
        let text = fs::read_to_string(&identity).unwrap();
        fs::write(&identity, text.replace("format 4", before)).unwrap();
        assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
        assert_eq!(fs::read_to_string(&identity).unwrap(), text.replace("generation 1", "generation 2"));
    }
}

#[test]
fn the_database_of_the_formats_before_is_read_and_replaced() {
    let dir = folded();
    let old = dir.path().join("watchbell/db");
    fs::rename(database(dir.path()), &old).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
    folding::fold_once(dir.path(), vec![Change::PutSilence(silence(2, "two"))]);
    assert!(!old.exists());
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one"), silence(2, "two")]);
}

/// Format 3 made its database before it wrote an image to it.
#[test]
fn a_database_without_an_image_is_nothing_yet() {
    let dir = used();
    drop(sled::open(dir.path().join("watchbell/db")).unwrap());
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
}

#[test]
fn a_malformed_identity_is_damage() {
    let dir = used();
    for text in ["", "format", "format 4\nnode x\ngeneration 1\n", "format 4\nnode 1\n"] {
        fs::write(dir.path().join("watchbell/identity"), text).unwrap();
        assert_damaged(dir.path(), "identity is malformed");
    }
}

#[test]
fn journals_that_are_gone_are_no_first_start() {
    let dir = used();
    fs::remove_file(dir.path().join("watchbell/journal-1")).unwrap();
    assert_damaged(dir.path(), "the journals are gone");
    assert_damaged(dir.path(), "the journals are gone");
}

#[test]
fn a_database_that_is_gone_is_noticed() {
    let dir = folded();
    fs::remove_dir_all(database(dir.path())).unwrap();
    assert_damaged(dir.path(), "journal 1 is missing");
}

#[test]
fn old_copies_are_noticed() {
    let (dir, copy) = (used(), TempDir::new().unwrap());
    let journal = dir.path().join("watchbell/journal-1");
    fs::copy(&journal, copy.path().join("journal-1")).unwrap();
    drop(Store::open(dir.path()).unwrap());
    fs::copy(copy.path().join("journal-1"), &journal).unwrap();
    assert_damaged(dir.path(), "old copies");

    let (dir, copy) = (folded(), TempDir::new().unwrap());
    let old = database(dir.path());
    copy_directory(&old, copy.path());
    folding::fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    fs::remove_dir_all(database(dir.path())).unwrap();
    copy_directory(copy.path(), &old);
    assert_damaged(dir.path(), "is missing");
}

#[test]
fn another_nodes_files_are_noticed() {
    let (dir, other) = (used(), used());
    fs::copy(other.path().join("watchbell/journal-1"), dir.path().join("watchbell/journal-1")).unwrap();
    assert_damaged(dir.path(), "belong to another node");

    let (dir, other) = (folded(), folded());
    fs::remove_dir_all(database(dir.path())).unwrap();
    let theirs = database(other.path());
    copy_directory(&theirs, &dir.path().join("watchbell").join(theirs.file_name().unwrap()));
    assert!(Store::open(dir.path()).unwrap_err().to_string().contains("the saved state is damaged"));
}

#[test]
fn a_journal_that_vanishes_in_use_is_not_begun_anew() {
    let dir = used();
    let (mut store, _) = Store::open(dir.path()).unwrap();
    fs::remove_file(dir.path().join("watchbell/journal-1")).unwrap();
    for _ in 0..2 {
        store.write(&Writes::new()).unwrap();
        let error = store.appended().sync().unwrap_err();
        assert!(error.to_string().contains("was removed while it was in use"), "{error}");
    }
}

#[test]
fn a_kill_before_the_identity_is_written_down_does_no_harm() {
    let dir = used();
    let node = Store::open(dir.path()).unwrap().1.node;
    fs::remove_file(dir.path().join("watchbell/identity")).unwrap();
    let (_store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.node, opened.generation), (node, 3));
}

/// Damages the database or the journal in one place each time. Their own checksums, the records' and the identity
/// together must see it, or it must have hit nothing that counts.
#[test]
fn no_damage_is_silent() {
    let silences: Vec<_> = (0..500).map(|id| Change::PutSilence(silence(id, "why"))).collect();
    let dir = TempDir::new().unwrap();
    commit(&start(dir.path()).0, silences.clone()).unwrap();
    drop(Store::open(dir.path()).unwrap());
    damage(dir.path(), "watchbell/journal-1");

    let dir = TempDir::new().unwrap();
    folding::fold_once(dir.path(), silences);
    drop(Store::open(dir.path()).unwrap());
    let database = database(dir.path()).join("db");
    damage(dir.path(), database.strip_prefix(dir.path()).unwrap());
}

fn damage(dir: &Path, file: impl AsRef<Path>) {
    let file = file.as_ref();
    let sound = fs::read(dir.join(file)).unwrap();
    for step in 0..20 {
        let copy = TempDir::new().unwrap();
        copy_directory(dir, copy.path());
        let (mut bytes, at) = (sound.clone(), step * sound.len() / 25);
        match step % 4 {
            0 => bytes.truncate(at),
            bit => bytes[at] ^= 1 << bit,
        }
        fs::write(copy.path().join(file), bytes).unwrap();
        match Store::open(copy.path()) {
            Ok((_store, opened)) => assert_eq!(opened.saved.silences.len() + opened.damaged.len(), 500, "byte {at}"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "byte {at}: {error}"),
        }
    }
}

#[test]
fn a_damaged_record_is_told_apart_and_left_in_place() {
    let dir = used();
    let (mut store, _) = Store::open(dir.path()).unwrap();
    let mut bytes = encode(&*silence(2, "two")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    store.write(&Writes::from([(RecordKey { kind: Kind::Silence, id: 2 }, Some(bytes))])).unwrap();
    store.appended().sync().unwrap();
    drop(store);
    for _ in 0..2 {
        let (_store, opened) = Store::open(dir.path()).unwrap();
        let place = "silence 00000000-0000-0000-0000-000000000002".to_owned();
        assert_eq!(opened.damaged, [Damaged { place, error: RecordError::Checksum }]);
        assert_eq!(opened.saved.silences, [silence(1, "one")]);
    }
}

#[test]
fn alertmanagers_files_are_taken_over_once() {
    let dir = TempDir::new().unwrap();
    fs::copy("fixtures/record/alertmanager-silences.bin", dir.path().join("silences")).unwrap();
    let nflog = fs::read("fixtures/record/alertmanager-nflog.bin").unwrap();
    fs::write(dir.path().join("nflog"), [&nflog[..], &nflog[..9]].concat()).unwrap();
    let (store, opened) = Store::open(dir.path()).unwrap();
    let imported = opened.imported.unwrap();
    assert_eq!((imported.silences, imported.nflog), (1, 1));
    assert_eq!(imported.damaged.iter().map(|d| &*d.place).collect::<Vec<_>>(), ["Alertmanager's nflog, record 2"]);
    assert_eq!((opened.saved.silences.len(), opened.saved.nflog.len()), (1, 1));
    drop(store);

    let (_store, again) = Store::open(dir.path()).unwrap();
    assert_eq!((again.imported, again.saved.silences), (None, opened.saved.silences));
    assert!(dir.path().join("silences").exists());
}

#[test]
fn what_was_set_aside_stays_and_nothing_older_comes_back() {
    let dir = used();
    fs::copy("fixtures/record/alertmanager-silences.bin", dir.path().join("silences")).unwrap();
    let aside = set_aside(dir.path()).unwrap();
    assert_eq!(aside, dir.path().join("watchbell.aside-1"));
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.generation, opened.saved.silences.len(), opened.imported), (1, 0, None));
    drop(store);
    assert_eq!(set_aside(dir.path()).unwrap(), dir.path().join("watchbell.aside-2"));
    fs::rename(aside, dir.path().join("watchbell")).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
}

/// A directory with one silence.
fn used() -> TempDir {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    commit(&committer, vec![Change::PutSilence(silence(1, "one"))]).unwrap();
    dir
}

/// A directory with one silence in its database.
fn folded() -> TempDir {
    let dir = TempDir::new().unwrap();
    folding::fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    dir
}

/// Where its database lies.
fn database(path: &Path) -> PathBuf {
    databases(path).pop().unwrap()
}

fn assert_damaged(path: &Path, reason: &str) {
    let text = Store::open(path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: the saved state is damaged", path.display())), "{text}");
    assert!(text.contains(reason) && text.contains("watchbell.aside-1"), "{text}");
}
