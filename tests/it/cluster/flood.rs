//! Floods: ten thousand calls a second of somebody without a key, and ten thousand frames a second of somebody who needs
//! none. Nothing ends, nothing changes, all is counted, and meanwhile a page goes out, a silence gets round, and another
//! node joins.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::audience::{Audience, CONFIG};
use super::keys::Keys;
use super::nodes::{Cluster, LONG, alerts, metric, refused, same_silences, sees, shown, silence, silences};
use crate::harness::address;
use crate::harness::random::Random;
use crate::harness::wait::eventually_within;

/// Calls or frames a second, and how many there are at least and at most.
const RATE: u32 = 10_000;
const FEWEST: u32 = 20_000;
const MOST: u32 = 300_000;

const CALLERS: u32 = 4;

const GROUPS: usize = 20;

/// The opening of a connection, but for how frames are sealed and its 32 random bytes.
const OPENING: [u8; 4] = *b"WBC\x01";
const OPENING_LENGTH: usize = 37;

/// Bytes that look random, the same ones in each run.
struct Noise(Random);

impl Noise {
    fn new(seed: u32) -> Self {
        Self(Random::new(u64::from(seed) * 0x9E37_79B9))
    }

    fn below(&mut self, end: usize) -> usize {
        (self.0.next() % end as u64) as usize
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = 1 + self.below(longest);
        (0..length).map(|_| self.0.next() as u8).collect()
    }

    fn opening(&mut self, sealed: bool) -> Vec<u8> {
        let random = (0..32).map(|_| self.0.next() as u8);
        OPENING.into_iter().chain([u8::from(sealed)]).chain(random).collect()
    }

    /// What somebody without a key may say: noise, noise after an opening, a frame that is cut, one that claims to be
    /// longer than it is, and what was recorded of a node, in whole or cut.
    fn call(&mut self, recorded: &[u8]) -> Vec<u8> {
        let (opening, noise) = (self.opening(true), self.bytes(300));
        let length = |more: usize| ((noise.len() + more) as u32).to_le_bytes().to_vec();
        match self.below(7) {
            0 => noise,
            1 => opening,
            2 => [opening, noise].concat(),
            3 => [opening, length(20), noise].concat(),
            4 => [opening, length(0), noise].concat(),
            5 => recorded[..self.below(recorded.len())].to_vec(),
            _ => [opening, recorded[OPENING_LENGTH..].to_vec()].concat(),
        }
    }

    /// A frame that is in order and says nothing of sense: gossip, records, something of a later version, a digest, or
    /// one that was recorded.
    fn frame(&mut self, recorded: &[Vec<u8>]) -> Vec<u8> {
        let noise = self.bytes(100);
        match self.below(5) {
            0 => [b"g".to_vec(), noise].concat(),
            1 => [b"n\x00\x01".to_vec(), vec![noise.len() as u8], noise].concat(),
            2 => [b"z".to_vec(), noise].concat(),
            3 => [b"d\x01".to_vec(), (0..8 + 8 + 256 * 12).map(|_| self.0.next() as u8).collect()].concat(),
            _ => recorded[self.below(recorded.len())].clone(),
        }
    }
}

/// Callers that go on until they are told that it is enough, but neither too short nor too long.
struct Flood {
    callers: Vec<JoinHandle<u32>>,
    enough: Arc<AtomicBool>,
    began: Instant,
}

impl Flood {
    /// Each of `callers` has its own noise and may say something again and again.
    fn start<C: FnMut() + Send>(callers: u32, make: impl Fn(Noise) -> C + Clone + Send + 'static) -> Self {
        let (enough, began) = (Arc::new(AtomicBool::new(false)), Instant::now());
        let caller = |number: u32| {
            let (enough, make) = (Arc::clone(&enough), make.clone());
            thread::spawn(move || {
                let (mut call, mut calls) = (make(Noise::new(number)), 0);
                while calls < FEWEST / callers || (calls < MOST / callers && !enough.load(Relaxed)) {
                    call();
                    calls += 1;
                    let due = began + Duration::from_secs(1) * calls * callers / RATE;
                    // A sleep for each call would be too long for most.
                    let early = due.saturating_duration_since(Instant::now());
                    if early > Duration::from_millis(5) {
                        thread::sleep(early);
                    }
                }
                calls
            })
        };
        Self { callers: (1..=callers).map(caller).collect(), enough: Arc::clone(&enough), began }
    }

    /// Ends it; returns how many calls there were, all in all and in a second.
    fn end(self) -> (u32, u32) {
        self.enough.store(true, Relaxed);
        let calls = self.callers.into_iter().map(|caller| caller.join().expect("a caller does not fail")).sum();
        (calls, (f64::from(calls) / self.began.elapsed().as_secs_f64()) as u32)
    }
}

/// Connects from another address than the nodes have.
fn connect_from_elsewhere(to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let [.., high, low] = std::process::id().to_be_bytes();
    socket.bind(&SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, high, low, 254)), 0).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

/// What a cluster is for happens: whoever fires is told once, and what one node is told all know.
fn goes_on(cluster: &Cluster, audience: &Audience) {
    let running: Vec<_> = cluster.nodes.iter().filter(|node| node.runs()).collect();
    let before = silences(running[0]).len();
    for number in 0..GROUPS {
        silence(running[number % running.len()], &format!("S{before}-{number}"));
    }
    same_silences(&running, before + GROUPS);
    let told = audience.told().len();
    cluster.post(&alerts(&format!("A{before}-"), GROUPS));
    audience.each_is_told_once(told + GROUPS);
}

/// Two nodes that run and a third that does not yet, each found where a forwarder listens, and what one of them said.
fn two_of_three(audience: &Audience, keys: Option<&Keys>) -> (Cluster, Vec<u8>) {
    let (mut cluster, forwarders) = Cluster::prepare_behind_forwarders(3, &audience.config(CONFIG), &[]);
    if let Some(keys) = keys {
        keys.close(&mut cluster, "a");
    }
    cluster.nodes[..2].iter_mut().for_each(|node| node.begin());
    cluster.nodes[..2].iter_mut().for_each(|node| node.wait_until_ready());
    cluster.nodes[..2].iter().for_each(|node| sees(node, &["n1", "n2"]));
    goes_on(&cluster, audience);
    let recorded = forwarders[0].longest_speech();
    assert!(recorded.len() > 4000, "{}", recorded.len());
    (cluster, recorded)
}

/// What a flood must leave as it was.
struct Before {
    memory: u64,
    processor_time: u64,
}

impl Before {
    fn of(cluster: &mut Cluster) -> Self {
        let process = cluster.nodes[0].process();
        Self { memory: process.memory_kib(), processor_time: process.processor_time() }
    }

    fn compare(self, cluster: &mut Cluster, flood: Flood) -> u32 {
        let process = cluster.nodes[0].process();
        let (used, now) = (process.processor_time() - self.processor_time, process.memory_kib());
        let (calls, a_second) = flood.end();
        println!("{calls}, {a_second} a second; the node used {used} hundredths of a second");
        assert!(now < self.memory + 64 * 1024, "{} KiB became {now} KiB", self.memory);
        for node in &cluster.nodes {
            assert_eq!(shown(node).names, ["n1", "n2", "n3"]);
            assert_eq!(metric(node, "watchbell_cluster_membership_restarts_total"), 0.0);
            assert_eq!(metric(node, "alertmanager_cluster_peers_left_total"), 0.0, "nobody was missed");
        }
        calls
    }
}

#[test]
fn of_calls_without_a_key() {
    let (keys, audience) = (Keys::new(), Audience::at(address::reserve()));
    let (mut cluster, recorded) = two_of_three(&audience, Some(&keys));
    let (before, to) = (Before::of(&mut cluster), cluster.listens(0));
    let flood = Flood::start(CALLERS, move |mut noise| {
        let (recorded, mut open) = (recorded.clone(), Vec::new());
        move || {
            let Ok(mut stream) = connect_from_elsewhere(to) else { return };
            // It may be closed before all of it is written.
            let _ = stream.write_all(&noise.call(&recorded));
            open.push(stream);
            // Some are held open, so that they take the place of others.
            if open.len() > 100 {
                open.clear();
            }
        }
    });
    cluster.launch();
    goes_on(&cluster, &audience);
    let calls = f64::from(before.compare(&mut cluster, flood));
    let reasons = ["foreign", "forged", "too_many_strangers"].map(|reason| refused(&cluster.nodes[0], reason));
    assert!(reasons.iter().all(|count| *count > 0.0), "{reasons:?}");
    assert!(reasons.iter().sum::<f64>() > calls / 10.0, "{reasons:?} of {calls}");
}

/// The frames of what was recorded of an open connection, after the one that says who speaks.
fn frames(recorded: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut frames) = (&recorded[OPENING_LENGTH..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let Some((frame, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        frames.push(frame.to_vec());
        rest = after;
    }
    frames.split_off(1)
}

fn hello(node: u64) -> Vec<u8> {
    let text = |text: &str| [vec![text.len() as u8], text.as_bytes().to_vec()].concat();
    let who = [b"h".to_vec(), node.to_le_bytes().to_vec(), vec![1]].concat();
    [who, text("127.0.0.1:9"), text("stranger"), text(""), vec![0]].concat()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// In an open cluster everybody is heard; but nothing that is said may end a node, or make it take up memory.
#[test]
fn of_frames_in_an_open_cluster() {
    let audience = Audience::at(address::reserve());
    let (mut cluster, recorded) = two_of_three(&audience, None);
    let (before, to, frames) = (Before::of(&mut cluster), cluster.listens(0), frames(&recorded));
    assert!(frames.len() > 20, "{}", frames.len());
    let flood = Flood::start(1, move |mut noise| {
        let mut stream = TcpStream::connect(to).expect("the port is open");
        stream.write_all(&[noise.opening(false), framed(&hello(77))].concat()).expect("it is heard");
        let frames = frames.clone();
        move || stream.write_all(&framed(&noise.frame(&frames))).expect("it goes on being heard")
    });
    cluster.launch();
    goes_on(&cluster, &audience);
    let calls = f64::from(before.compare(&mut cluster, flood));
    eventually_within(LONG, "what makes no sense is counted", || {
        let first = &cluster.nodes[0];
        let unread = metric(first, "watchbell_cluster_undecodable_records_total");
        let counted = [unread, refused(first, "malformed_gossip") + refused(first, "too_much_gossip")];
        let unknown = refused(first, "unknown");
        counted.into_iter().chain([unknown]).all(|count| count > calls / 10.0).then_some(())
    });
}

/// A frame that cannot be read ends its connection, and nothing else.
#[test]
fn of_frames_that_cannot_be_read() {
    let audience = Audience::at(address::reserve());
    let (mut cluster, _) = two_of_three(&audience, None);
    let (before, to) = (Before::of(&mut cluster), cluster.listens(0));
    let flood = Flood::start(CALLERS, move |mut noise| {
        move || {
            let Ok(mut stream) = connect_from_elsewhere(to) else { return };
            let mut said = noise.bytes(200);
            said[0] = b"gndwlhz"[noise.below(7)];
            let call = [noise.opening(false), framed(&hello(noise.0.next())), framed(&said)].concat();
            let _ = stream.write_all(&call);
        }
    });
    cluster.launch();
    goes_on(&cluster, &audience);
    let calls = f64::from(before.compare(&mut cluster, flood));
    let malformed = refused(&cluster.nodes[0], "malformed");
    assert!(malformed > calls / 20.0, "{malformed} of {calls}");
}
