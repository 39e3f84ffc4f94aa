//! Kills: a process of this very test program writes, says what the system has, and dies at a random moment, also before
//! the disk has it.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::*;

/// Tells the child where to write, and what number to begin with.
const DIRECTORY: &str = "WATCHBELL_TEST_DIRECTORY";
const FIRST: &str = "WATCHBELL_TEST_FIRST";

/// Records that are written over and over.
const KEYS: u64 = 50;

/// Bytes of journals above which the children fold them: so few that kills fall into that as well.
const OFTEN: u64 = 1 << 18;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = TempDir::new().unwrap();
    let mut random = Random(0xC0FFEE);
    let mut acknowledged = BTreeMap::new();
    let mut next = 0;
    for round in 1..=40 {
        let mut child = Writer::spawn(dir.path(), next);
        // Most fall into a folding; some children live to see its end.
        let enough = random.below(if round % 8 == 0 { 3_000 } else { 150 }) as usize;
        for (seen, number) in child.acknowledgements().enumerate() {
            acknowledged.insert(number % KEYS, number);
            // The last one lives until something was folded, also where the disk is slow.
            if seen + 1 >= enough && (round < 40 || !databases(dir.path()).is_empty()) {
                break;
            }
        }
        child.process.kill().unwrap();
        for number in child.acknowledgements() {
            acknowledged.insert(number % KEYS, number);
        }
        child.process.wait().unwrap();
        next = acknowledged.values().max().map_or(0, |last| last + 1000);
        check(dir.path(), &acknowledged, round);
    }
    assert!(next > 40_000, "{next}: hardly anything was written");
    assert_eq!(databases(dir.path()).len(), 1, "nothing was ever folded");
}

#[test]
fn a_kill_during_the_start_leaves_a_directory_that_opens() {
    let dir = TempDir::new().unwrap();
    let (committer, _) = start(dir.path());
    commit(&committer, (0..2_000).flat_map(numbered).collect()).unwrap();
    drop(committer);
    let acknowledged = (0..2_000).map(|number| (number % KEYS, number)).collect();
    let mut random = Random(0xBEEF);
    let (mut longest, mut during) = (100_000, 0);
    for round in 0..40 {
        let mut child = Writer::spawn(dir.path(), 2_000);
        thread::sleep(Duration::from_micros(random.below(longest)));
        child.process.kill().unwrap();
        child.process.wait().unwrap();
        check(dir.path(), &acknowledged, round);
        let was_open = child.acknowledgements().next().is_some();
        // Aims at the moment when opening ends, wherever that lies on this machine.
        (longest, during) = if was_open { (longest * 4 / 5, during) } else { (longest * 5 / 4, during + 1) };
    }
    assert!((1..40).contains(&during), "{during} of 40 kills came before the end of opening");
}

/// Whether every key holds what was acknowledged last or something later, and all kinds of a commit are there or none.
fn check(path: &Path, acknowledged: &BTreeMap<u64, u64>, round: u64) {
    let (_store, opened) = Store::open(path).unwrap();
    assert_eq!(opened.damaged, []);
    let silences: BTreeMap<u64, u64> =
        opened.saved.silences.iter().map(|s| (s.id.0 as u64, s.comment.parse().unwrap())).collect();
    let nflog: BTreeMap<u64, u64> =
        opened.saved.nflog.iter().map(|e| (e.key.group_key.parse().unwrap(), e.timestamp.as_secs() as u64)).collect();
    assert_eq!(silences, nflog, "round {round}: a commit was torn");
    for (key, number) in acknowledged {
        assert!(silences.get(key) >= Some(number), "round {round}: {key} was {number}, is {:?}", silences.get(key));
    }
}

/// What the child writes as its `number`th submission: two kinds under one key, some of many pieces.
fn numbered(number: u64) -> [Change; 2] {
    let key = number % KEYS;
    let hashes = if number.is_multiple_of(10) { 100 * (number % 70) } else { 3 };
    let mut entry = Arc::unwrap_or_clone(entry(&key.to_string(), hashes));
    entry.timestamp = Timestamp::from_secs(number as i64);
    [Change::PutSilence(silence(key.into(), &number.to_string())), Change::PutNflog(Arc::new(entry))]
}

/// The child: writes until it is killed.
#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn child_that_writes() {
    let first = env::var(FIRST).unwrap().parse().unwrap();
    let (committer, _) = start_folding(Path::new(&env::var(DIRECTORY).unwrap()), OFTEN);
    let (done, finished) = mpsc::channel();
    for number in first.. {
        if number >= first + 32 {
            finished.recv().unwrap();
        }
        let done = done.clone();
        let written = move || {
            // One write, so that a kill cannot tear the number.
            io::stderr().write_all(format!("acknowledged {number}\n").as_bytes()).unwrap();
            done.send(()).unwrap();
        };
        let then = Then { written: Box::new(written), synced: Some(Box::new(|outcome| outcome.unwrap())) };
        committer.submit_durable(numbered(number).to_vec(), then);
    }
}

#[test]
fn a_full_disk_is_reported_and_caught_up_with() {
    let dir = TempDir::new().unwrap();
    let mut child = Writer::spawn_limited(dir.path());
    assert_eq!(child.line(), "full");
    let limits = ["--fsize=unlimited:unlimited", "--pid", &child.process.id().to_string()];
    assert!(Command::new("prlimit").args(limits).status().unwrap().success());
    child.process.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    let last: u64 = child.line().strip_prefix("healed ").unwrap().parse().unwrap();
    assert!(child.process.wait().unwrap().success());

    let (_store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.damaged.len(), opened.saved.silences.len() as u64), (0, last + 1));
}

/// The child: writes until the disk refuses, and again when there is room. What was refused must be there as well.
#[test]
#[ignore = "run by the test above, in a process of its own"]
fn child_that_fills_the_disk() {
    let (committer, _) = start(Path::new(&env::var(DIRECTORY).unwrap()));
    let attempt =
        |number: u64| commit(&committer, vec![Change::PutSilence(silence(number.into(), &"x".repeat(9_000)))]);
    // One refusal is not enough: opening anew finds a little room in what sled had set apart.
    let refused = |number: &u64| matches!(attempt(*number), Err(CommitError::Disk(_)));
    let last = (0..).filter(refused).nth(9).unwrap();
    assert!(committer.stats().unsaved > 0);
    io::stderr().write_all(b"full\n").unwrap();
    io::stdin().read_line(&mut String::new()).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while let Err(error) = attempt(last + 1) {
        assert!(Instant::now() < deadline, "{error}");
    }
    assert_eq!((committer.stats().failed_commits >= 10, committer.stats().unsaved), (true, 0));
    io::stderr().write_all(format!("healed {}\n", last + 1).as_bytes()).unwrap();
}

struct Writer {
    process: Child,
    lines: BufReader<ChildStderr>,
}

impl Writer {
    fn spawn(directory: &Path, first: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(test("child_that_writes")).env(FIRST, first.to_string());
        Self::run(command, directory)
    }

    /// A child that may write files of a few megabytes only, and gets an error beyond.
    fn spawn_limited(directory: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap "" XFSZ; ulimit -S -f 4096; exec "$0" "$@""#]);
        command.arg(env::current_exe().unwrap()).args(test("child_that_fills_the_disk"));
        Self::run(command, directory)
    }

    fn run(mut command: Command, directory: &Path) -> Self {
        command.env(DIRECTORY, directory).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap());
        Self { process, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The numbers of the submissions that were acknowledged, until the child ends.
    fn acknowledgements(&mut self) -> impl Iterator<Item = u64> {
        let lines = self.lines.by_ref().lines().map_while(Result::ok);
        lines.map(|line| match line.strip_prefix("acknowledged ") {
            Some(number) => number.parse().unwrap(),
            None => panic!("the child says {line}"),
        })
    }
}

/// The arguments that run one ignored test of this program.
fn test(name: &str) -> [String; 4] {
    let name = format!("store::tests::crash::{name}");
    ["--ignored".into(), "--exact".into(), "--nocapture".into(), name]
}

/// A small generator with a fixed seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
