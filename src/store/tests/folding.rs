//! Journals become an image of the database, and what is read is the same before, between and after.

use super::*;

/// So few bytes that each commit begins a folding, unless one is under way.
const AT_ONCE: u64 = 0;

#[test]
fn what_was_folded_comes_back_with_what_came_later() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start_folding(dir.path(), AT_ONCE);
    for round in 0..10 {
        let changes = (0..50).map(|id| Change::PutSilence(silence(id, &format!("{round}")))).collect();
        commit(&committer, changes).unwrap();
        commit(&committer, vec![Change::PutNflog(entry("a", round)), Change::PutAlert(alert("A"))]).unwrap();
        commit(&committer, vec![Change::DeleteAlert(alert("A").fingerprint())]).unwrap();
        wait_until(|| {
            commit(&committer, vec![Change::PutGroup(group("A", 60))]).unwrap();
            committer.stats().folds > round
        });
    }
    assert_eq!((committer.stats().failed_folds, committer.stats().failed_commits), (0, 0));
    commit(&committer, vec![Change::DeleteSilence(SilenceId(7)), Change::PutSilence(silence(99, "late"))]).unwrap();
    drop(committer);
    let saved = Store::open(dir.path()).unwrap().1.saved;
    let expected = (0..50).filter(|id| *id != 7).map(|id| silence(id, "9")).chain([silence(99, "late")]);
    assert_eq!(saved.silences, expected.collect::<Vec<_>>());
    assert_eq!((saved.nflog, saved.groups, saved.alerts.len()), (vec![entry("a", 9)], vec![group("A", 60)], 0));
}

#[test]
fn folded_journals_go_and_old_images_make_room() {
    let dir = TempDir::new().unwrap();
    for round in 0..20 {
        fold_once(dir.path(), (0..40).map(|n| Change::PutNflog(entry(&format!("{n}"), 10_000 + round))).collect());
    }
    let names = fs::read_dir(dir.path().join("watchbell")).unwrap().map(|entry| entry.unwrap().file_name());
    let journals = names.filter(|name| name.to_string_lossy().starts_with("journal-")).count();
    assert!(journals <= 2, "{journals} journals");
    let [database] = &databases(dir.path())[..] else { panic!("an old database stays") };
    assert_eq!(fs::read_dir(database.join("blobs")).unwrap().count(), 0, "a blob is never synced");
    let image = 40 * 80_000;
    let size = fs::metadata(database.join("db")).unwrap().len();
    assert!(size < 2 * image, "{size} bytes for an image of {image}");
}

#[test]
fn a_large_image_is_made_anew_for_larger_journals_only() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start_folding(dir.path(), 50_000);
    let commit_bytes = |group: &str, bytes: u64| commit(&committer, vec![Change::PutNflog(entry(group, bytes / 8))]);
    commit_bytes("image", 80_000).unwrap();
    wait_until(|| {
        commit_bytes("small", 8).unwrap();
        committer.stats().folds == 1
    });
    let last = last_journal(dir.path());
    (0..8).for_each(|_| commit_bytes("changes", 20_000).unwrap());
    assert_eq!(last_journal(dir.path()), last);
    (0..2).for_each(|_| commit_bytes("changes", 20_000).unwrap());
    assert_eq!(last_journal(dir.path()), last + 1);
}

#[test]
fn journals_are_folded_only_when_half_of_them_is_out_of_date() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start_folding(dir.path(), 50_000);
    let grow_until_journal = |last: u64, writes: usize| {
        wait_until(|| {
            let group = committer.stats().bytes.to_string();
            (0..writes).for_each(|_| commit(&committer, vec![Change::PutNflog(entry(&group, 1_000))]).unwrap());
            last_journal(dir.path()) >= last
        });
        committer.stats().bytes
    };
    let first = grow_until_journal(2, 1);
    // Each is behind what began it by one commit.
    assert!(grow_until_journal(3, 1) >= 3 * first / 2, "what was not worth it is looked at again too soon");
    assert_eq!((committer.stats().folds, databases(dir.path()).len()), (0, 0));
    wait_until(|| {
        commit(&committer, vec![Change::PutNflog(entry("always the same", 1_000))]).unwrap();
        committer.stats().folds == 1
    });
    // Half of the journals is out of date, but nothing of the image.
    grow_until_journal(last_journal(dir.path()) + 2, 2);
    assert_eq!(committer.stats().folds, 1);
}

#[test]
fn a_journal_that_a_kill_left_half_made_is_made_anew() {
    let dir = TempDir::new().unwrap();
    fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    let last = last_journal(dir.path());
    for half in [&b""[..], b"WBJ2\0\0"] {
        fs::write(dir.path().join(format!("watchbell/journal-{}", last + 1)), half).unwrap();
        assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
    }
}

#[test]
fn a_database_that_a_kill_left_half_made_is_made_anew() {
    let dir = TempDir::new().unwrap();
    fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    let [database] = &databases(dir.path())[..] else { panic!("one was made") };
    let half_made = dir.path().join("watchbell/db.new");
    copy_directory(database, &half_made);
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one")]);
    fold_once(dir.path(), vec![Change::PutSilence(silence(2, "two"))]);
    assert!(!half_made.exists());
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "one"), silence(2, "two")]);
}

#[test]
fn a_database_that_a_kill_left_behind_is_removed() {
    let dir = TempDir::new().unwrap();
    fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    let [old] = &databases(dir.path())[..] else { panic!("one was made") };
    let copy = TempDir::new().unwrap();
    copy_directory(old, copy.path());
    fold_once(dir.path(), vec![Change::PutSilence(silence(1, "later"))]);
    copy_directory(copy.path(), old);
    assert_eq!(Store::open(dir.path()).unwrap().1.saved.silences, [silence(1, "later")]);
    assert!(!old.exists());
}

#[test]
fn a_folding_that_fails_is_tried_again_and_costs_nothing() {
    let dir = TempDir::new().unwrap();
    let in_the_way = dir.path().join("watchbell/db.new");
    let (committer, _) = start_folding(dir.path(), AT_ONCE);
    fs::write(&in_the_way, b"no directory").unwrap();
    for number in 0.. {
        commit(&committer, vec![Change::PutSilence(silence(number % 5, "kept"))]).unwrap();
        if number >= 5 && committer.stats().failed_folds >= 2 {
            break;
        }
    }
    fs::remove_file(&in_the_way).unwrap();
    wait_until(|| {
        commit(&committer, vec![Change::PutSilence(silence(9, "last"))]).unwrap();
        committer.stats().folds > 0
    });
    drop(committer);
    let saved = Store::open(dir.path()).unwrap().1.saved;
    let comments: Vec<_> = saved.silences.iter().map(|silence| silence.comment.to_string()).collect();
    assert_eq!(comments, ["kept", "kept", "kept", "kept", "kept", "last"]);
}

#[test]
fn a_missing_journal_is_damage() {
    let dir = TempDir::new().unwrap();
    fold_once(dir.path(), vec![Change::PutSilence(silence(1, "one"))]);
    let first = journals(dir.path()).min().unwrap();
    fs::remove_file(dir.path().join(format!("watchbell/journal-{first}"))).unwrap();
    let error = Store::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("the saved state is damaged"), "{error}");
}

/// Commits `changes` until they are folded.
pub(super) fn fold_once(path: &Path, changes: Vec<Change>) {
    let (committer, _) = start_folding(path, AT_ONCE);
    wait_until(|| {
        commit(&committer, changes.clone()).unwrap();
        committer.stats().folds > 0
    });
}

fn last_journal(path: &Path) -> u64 {
    journals(path).max().unwrap()
}

fn journals(path: &Path) -> impl Iterator<Item = u64> {
    let names = fs::read_dir(path.join("watchbell")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str().unwrap().strip_prefix("journal-")?.parse().ok())
}
