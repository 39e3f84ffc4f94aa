//! Who does not belong to a cluster with a key changes nothing in it, ends nothing, and is counted.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::nodes::{Cluster, metric, same_silences, sees, shown, silence, silences};
use crate::harness::address;
use crate::harness::http::Request;
use crate::harness::server::{Program, Server};
use crate::harness::wait::{eventually, seen_within};

const CONFIG: &str = "
route:
  receiver: nobody
receivers:
  - name: nobody
";

/// The opening of a connection whose frames are sealed, but for its 32 random bytes.
const OPENING: [u8; 5] = *b"WBC\x01\x01";

/// A file with these keys, each named by a letter.
fn write_keys(file: &Path, letters: &str) {
    let lines: String = letters.bytes().map(|letter| STANDARD.encode([letter; 32]) + "\n").collect();
    fs::write(file, lines).expect("a key file can be written");
}

/// Two nodes with the keys in a file each, which they share with `keys`.
fn closed_cluster(keys: &TempDir, letters: &str) -> Cluster {
    let mut cluster = Cluster::prepare(2, CONFIG, &[]);
    for (index, node) in cluster.nodes.iter_mut().enumerate() {
        let file = key_file(keys, index);
        write_keys(&file, letters);
        node.add_flag(format!("--cluster.key-file={}", file.display()));
    }
    cluster.launch();
    cluster
}

fn key_file(keys: &TempDir, index: usize) -> std::path::PathBuf {
    keys.path().join(format!("keys{index}"))
}

fn temporary() -> TempDir {
    TempDir::new().expect("a temporary directory can be had")
}

fn refused(node: &Server, reason: &str) -> f64 {
    metric(node, &format!("watchbell_cluster_refused_total{{reason=\"{reason}\"}}"))
}

/// Where peers find a node.
fn peer_address(node: &Server, name: &str) -> SocketAddr {
    let cluster = node.client().get("/api/v2/status").ok().json()["cluster"].clone();
    let peers = cluster["peers"].as_array().expect("peers are a list");
    let peer = peers.iter().find(|peer| peer["name"] == name).expect("the node is there");
    peer["address"].as_str().and_then(|text| text.parse().ok()).expect("an address")
}

/// A node that tries to join at `peer`, with these flags.
fn stranger(peer: SocketAddr, flags: &[&str]) -> Server {
    let mut node = Server::prepare(Program::Watchbell, CONFIG, flags);
    node.add_flag(format!("--cluster.listen-address={}", address::reserve()));
    node.add_flag(format!("--cluster.peer={peer}"));
    node.add_flag("--cluster.reconnect-interval=1s".to_owned());
    node.begin();
    node.wait_until_ready();
    node
}

#[test]
fn who_has_no_key_or_another_does_not_get_in_whatever_it_is_called() {
    let keys = temporary();
    let cluster = closed_cluster(&keys, "a");
    let (first, inside) = (&cluster.nodes[0], silence(&cluster.nodes[0], "inside"));
    assert_eq!((metric(first, "watchbell_cluster_open"), refused(first, "foreign")), (0.0, 0.0));
    let address = peer_address(first, "n1");
    let other = keys.path().join("other");
    write_keys(&other, "b");
    let other = format!("--cluster.key-file={}", other.display());
    for (flags, reason) in
        [(vec!["--cluster.peer-name=n2"], "foreign"), (vec!["--cluster.peer-name=n2", &other], "forged")]
    {
        let outside = stranger(address, &flags);
        silence(&outside, "outside");
        eventually("the stranger is counted", || (refused(first, reason) >= 3.0).then_some(()));
        assert_eq!(shown(&outside).names, ["n2"]);
        assert_eq!(silences(&outside).len(), 1);
        assert_eq!(metric(&outside, "alertmanager_cluster_failed_peers"), 1.0);
    }
    for node in &cluster.nodes {
        assert_eq!(shown(node).names, ["n1", "n2"]);
        assert_eq!(silences(node).len(), 1, "only {inside}");
    }
}

#[test]
fn another_label_is_another_cluster() {
    let cluster = Cluster::start(2, CONFIG, &["--cluster.label=east"]);
    let outside = stranger(peer_address(&cluster.nodes[0], "n1"), &["--cluster.label=west", "--cluster.peer-name=n3"]);
    eventually("the stranger is counted", || (refused(&cluster.nodes[0], "misled") >= 2.0).then_some(()));
    assert_eq!(shown(&outside).names, ["n3"]);
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1", "n2"]);
    assert_eq!(metric(&cluster.nodes[0], "watchbell_cluster_open"), 1.0);
    assert!(cluster.nodes[0].log().contains("The cluster is open"));
}

#[test]
fn the_key_is_changed_without_a_gap_and_the_old_one_is_of_no_use() {
    let keys = temporary();
    let cluster = closed_cluster(&keys, "a");
    let mut made = 0;
    for letters in ["ab", "ba", "b"] {
        for (index, node) in cluster.nodes.iter().enumerate() {
            write_keys(&key_file(&keys, index), letters);
            node.client().must(&Request::new("POST", "/-/reload")).ok();
            silence(&cluster.nodes[0], "from the first");
            silence(&cluster.nodes[1], "from the second");
            made += 2;
            same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], made);
        }
    }
    for node in &cluster.nodes {
        assert_eq!(shown(node).names, ["n1", "n2"]);
        assert_eq!(metric(node, "alertmanager_cluster_peers_left_total"), 0.0, "nobody was missed meanwhile");
    }
    let old = keys.path().join("old");
    write_keys(&old, "a");
    let outside = stranger(peer_address(&cluster.nodes[0], "n1"), &[&format!("--cluster.key-file={}", old.display())]);
    eventually("the old key is counted", || (refused(&cluster.nodes[0], "forged") >= 1.0).then_some(()));
    assert_eq!((silences(&outside).len(), shown(&cluster.nodes[0]).names.len()), (0, 2));

    write_keys(&key_file(&keys, 0), "");
    let answer = cluster.nodes[0].client().must(&Request::new("POST", "/-/reload"));
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("there is no key in it"), "{}", answer.text());
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1", "n2"], "the keys of before still hold");
}

/// What each connection said.
type Recorded = Arc<Mutex<Vec<Vec<u8>>>>;

/// Passes bytes on both ways and keeps what who connects says.
fn record(listener: TcpListener, to: SocketAddr) -> Recorded {
    let recorded = Recorded::default();
    let kept = Arc::clone(&recorded);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(onward) = TcpStream::connect(to) else { continue };
            let Ok([answering, answered]) = ends(&onward, &stream) else { continue };
            thread::spawn(move || pass(answering, answered, |_| {}));
            let (kept, index) = (Arc::clone(&kept), add(&kept, None, &[]));
            thread::spawn(move || {
                pass(stream, onward, |said| {
                    add(&kept, Some(index), said);
                })
            });
        }
    });
    recorded
}

fn ends(onward: &TcpStream, stream: &TcpStream) -> std::io::Result<[TcpStream; 2]> {
    Ok([onward.try_clone()?, stream.try_clone()?])
}

/// Adds to what a connection said, or to a new one; returns its index.
fn add(recorded: &Recorded, index: Option<usize>, said: &[u8]) -> usize {
    let mut recorded = recorded.lock().expect("nobody fails while it is held");
    let index = index.unwrap_or(recorded.len());
    if index == recorded.len() {
        recorded.push(Vec::new());
    }
    recorded[index].extend(said);
    index
}

fn pass(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        keep(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

#[test]
fn what_was_recorded_of_a_connection_says_nothing_in_another() {
    let keys = temporary();
    let between = address::reserve();
    let mut cluster = Cluster::prepare(2, CONFIG, &[]);
    for (index, node) in cluster.nodes.iter_mut().enumerate() {
        let file = key_file(&keys, index);
        write_keys(&file, "a");
        node.add_flag(format!("--cluster.key-file={}", file.display()));
    }
    // The second finds the first where the recorder is.
    cluster.nodes[0].add_flag(format!("--cluster.advertise-address={between}"));
    let listening = cluster.listens(0);
    let recorded = record(TcpListener::bind(between).expect("the address is free"), listening);
    cluster.launch();
    let id = silence(&cluster.nodes[1], "recorded");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 1);
    cluster.nodes[1].client().delete(&format!("/api/v2/silence/{id}")).ok();
    eventually("the end has come", || (silences(&cluster.nodes[0])[0][1] == "expired").then_some(()));
    cluster.nodes[1].kill();
    sees(&cluster.nodes[0], &["n1"]);

    let recorded = recorded.lock().unwrap().clone();
    let longest = recorded.into_iter().max_by_key(Vec::len).expect("something was recorded");
    assert!(longest.len() > 4000, "{}", longest.len());
    for round in 1..=5 {
        let mut replay = TcpStream::connect(listening).expect("the port is open");
        // It may be closed before all of it is written.
        let _ = replay.write_all(&longest);
        eventually("the recording is counted", || {
            (refused(&cluster.nodes[0], "forged") >= f64::from(round)).then_some(())
        });
    }
    assert_eq!(shown(&cluster.nodes[0]).names, ["n1"]);
    assert_eq!(silences(&cluster.nodes[0])[0][1], "expired");
}

/// Bytes at random, the same ones in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// What a stranger may say: noise, noise after an opening, a frame that is cut, one that claims to be huge.
    fn said(&mut self) -> Vec<u8> {
        let opening = [OPENING.to_vec(), self.bytes(32)].concat();
        let length = (self.next() % 300) as u32;
        let noise = self.bytes(length as usize);
        match self.next() % 5 {
            0 => noise,
            1 => opening,
            2 => [opening, noise].concat(),
            3 => [opening, (length + 20).to_le_bytes().to_vec(), noise].concat(),
            _ => [opening, length.to_le_bytes().to_vec(), noise].concat(),
        }
    }
}

/// As many as come in some seconds at ten thousand a second.
const CALLS: u64 = 20_000;

#[test]
fn noise_ends_nothing_and_keeps_nobody_from_anything() {
    let keys = temporary();
    let mut cluster = closed_cluster(&keys, "a");
    let address = peer_address(&cluster.nodes[0], "n1");
    let before = cluster.nodes[0].process().memory_kib();
    let callers: Vec<_> = (1..=4)
        .map(|seed| {
            thread::spawn(move || {
                let mut noise = Noise(seed * 0x9E37_79B9);
                let mut open = Vec::new();
                for _ in 0..CALLS / 4 {
                    let Ok(mut stream) = TcpStream::connect(address) else { continue };
                    let _ = stream.write_all(&noise.said());
                    open.push(stream);
                    // Some are held open, so that they take the place of others.
                    if open.len() > 100 {
                        open.clear();
                    }
                }
            })
        })
        .collect();
    for number in 0..20 {
        silence(&cluster.nodes[number % 2], &format!("A{number}"));
    }
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 20);
    callers.into_iter().for_each(|caller| caller.join().expect("a caller does not fail"));
    silence(&cluster.nodes[1], "after");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 21);
    let first = &cluster.nodes[0];
    let reasons = ["foreign", "forged", "too_many_strangers"].map(|reason| refused(first, reason));
    assert!(reasons.iter().all(|count| *count > 0.0), "{reasons:?}");
    assert!(reasons.iter().sum::<f64>() > CALLS as f64 / 10.0, "{reasons:?}");
    assert_eq!(metric(first, "watchbell_cluster_membership_restarts_total"), 0.0);
    assert_eq!(shown(first).names, ["n1", "n2"]);
    let after = cluster.nodes[0].process().memory_kib();
    assert!(after < before + 64 * 1024, "{before} KiB became {after} KiB");
    let missed = seen_within(Duration::from_secs(1), || (shown(&cluster.nodes[1]).names.len() < 2).then_some(()));
    assert_eq!(missed, None);
}

/// In an open cluster everybody is heard; but nothing that is said may end a node, or make it take up memory.
#[test]
fn noise_in_an_open_cluster_ends_nothing_either() {
    let mut cluster = Cluster::start(2, CONFIG, &[]);
    let address = peer_address(&cluster.nodes[0], "n1");
    let hello = |node: u64| {
        let mut hello = vec![b'h'];
        hello.extend(node.to_le_bytes());
        hello.push(1);
        for text in ["127.0.0.1:9", "stranger", ""] {
            hello.push(text.len() as u8);
            hello.extend(text.as_bytes());
        }
        hello.push(0);
        hello
    };
    let frame = |bytes: Vec<u8>| [(bytes.len() as u32).to_le_bytes().to_vec(), bytes].concat();
    let mut noise = Noise(0x5EED);
    for round in 0..2_000 {
        let mut stream = TcpStream::connect(address).expect("the port is open");
        let opening = [b"WBC\x01\x00".to_vec(), noise.bytes(32)].concat();
        let length = 1 + (noise.next() % 200) as usize;
        let mut said = noise.bytes(length);
        said[0] = b"gndwlhz"[round % 7];
        // Each frame that cannot be read ends its connection.
        let _ = stream.write_all(&[opening, frame(hello(noise.next())), frame(said)].concat());
    }
    eventually("what cannot be read is counted", || {
        let counted = ["malformed", "malformed_gossip"].map(|reason| refused(&cluster.nodes[0], reason));
        counted.iter().all(|count| *count > 100.0).then_some(())
    });
    silence(&cluster.nodes[0], "after");
    same_silences(&[&cluster.nodes[0], &cluster.nodes[1]], 1);
    assert_eq!(metric(&cluster.nodes[0], "watchbell_cluster_membership_restarts_total"), 0.0);
    assert_eq!(cluster.nodes[0].process().ended(), None);
}
