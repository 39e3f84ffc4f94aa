//! Criteria 15, 16 and 19 with two nodes: both are in the channel, one speaks, whatever is cut.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::lab::bell::{Bell, CHANNEL, Config, alert};
use super::lab::network::{Kind, Network};
use super::lab::observer::{Observer, PATIENCE};
use super::lab::proxy::Proxy;
use super::lab::services;
use crate::harness::address;
use crate::harness::wait::{eventually_within, seen_within, wait_for_an_hour_of};

const NICKS: [&str; 2] = ["bell", "bell2"];

/// How long the second waits for the first.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// Two nodes, each with a proxy of its own before the server.
struct Pair {
    bells: [Bell; 2],
    proxies: [Proxy; 2],
    observer: Observer,
    _key: TempDir,
}

impl Pair {
    /// `met`: whether they know of each other, or only meet on IRC.
    fn start(network: &Network, observer: Observer, met: bool, change: impl Fn(Config) -> Config) -> Self {
        let (dir, key) = key();
        let proxies = [(); 2].map(|()| Proxy::before(network.plain));
        let cluster = [(); 2].map(|()| address::reserve());
        let node = |index: usize| {
            let config = Config::at(&proxies[index].address.to_string()).server(&format!("nick: {}", NICKS[index]));
            let config = change(config.server(&format!("peer_nicks: {NICKS:?}")));
            let peer = (met && index == 1).then_some(cluster[0]);
            config.start_with(&flags(NICKS[index], cluster[index], peer, &key).each_ref().map(String::as_str))
        };
        let bells = [node(0), node(1)];
        for (bell, nick) in bells.iter().zip(NICKS) {
            bell.wait_joined(CHANNEL);
            observer.sees(nick, CHANNEL);
            bell.wait_metric("alertmanager_cluster_members", &[], if met { 2.0 } else { 1.0 });
        }
        wait_for_an_hour_of(PATIENCE);
        Self { bells, proxies, observer, _key: dir }
    }

    /// Tells both nodes, as a sender does.
    fn fire(&self, groups: &[(String, String)]) {
        let alerts: Vec<_> = groups.iter().map(|(group, text)| alert(group, text)).collect();
        self.bells.iter().for_each(|bell| bell.post(&alerts));
    }

    /// How often each message id has been shown in the channel.
    fn ids(&self) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for line in self.observer.texts(CHANNEL) {
            if let Some((_, id)) = line.strip_suffix('⟩').and_then(|line| line.rsplit_once('⟨')) {
                *ids.entry(id.to_owned()).or_default() += 1;
            }
        }
        ids
    }

    /// Waits until every text has been said, and for a while in which the other node could repeat it.
    fn wait_said(&self, groups: &[(String, String)]) {
        // A line a second is what the server takes.
        eventually_within(6 * PATIENCE, "everything is said", || {
            let heard = self.observer.texts(CHANNEL);
            groups.iter().all(|(_, text)| heard.iter().any(|line| line.contains(text))).then_some(())
        });
        let repeated = seen_within(2 * PEER_TIMEOUT, || self.ids().into_iter().find(|(_, times)| *times > 1));
        assert_eq!(repeated, None, "{:#?}", self.observer.texts(CHANNEL));
    }
}

fn key() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let path = dir.path().join("key");
    fs::write(&path, "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=\n").expect("a key can be written");
    (dir, path)
}

fn flags(name: &str, listen: SocketAddr, peer: Option<SocketAddr>, key: &Path) -> [String; 5] {
    [
        format!("--cluster.listen-address={listen}"),
        format!("--cluster.peer-name={name}"),
        format!("--cluster.peer-timeout={}s", PEER_TIMEOUT.as_secs()),
        format!("--cluster.key-file={}", key.display()),
        format!("--cluster.peer={}", peer.map(|peer| peer.to_string()).unwrap_or_default()),
    ]
}

fn groups(count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("g{number}"), format!("<text {number}>"))).collect()
}

fn watched(kind: Kind) -> (Network, Observer) {
    let network = Network::start(kind);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    (network, observer)
}

#[test]
fn f1_15_two_nodes_say_each_thing_once() {
    let (network, observer) = watched(Kind::Inspircd);
    let pair = Pair::start(&network, observer, true, |config| config);
    let groups = groups(200);
    pair.fire(&groups);
    pair.wait_said(&groups);
    assert_eq!(pair.ids().len(), groups.len(), "{:#?}", pair.observer.texts(CHANNEL));
}

#[test]
fn f1_15_when_the_speaker_loses_irc_the_other_speaks() {
    let (network, observer) = watched(Kind::Hybrid);
    let pair = Pair::start(&network, observer, true, |config| config);
    let before = [("before".to_owned(), "<before>".to_owned())];
    pair.fire(&before);
    let speaker = pair.observer.hears(CHANNEL, "<before>").nick();
    let index = NICKS.iter().position(|nick| *nick == speaker).expect("one of them speaks");
    pair.proxies[index].close();
    let after = [("after".to_owned(), "<after>".to_owned())];
    pair.fire(&after);
    assert_eq!(pair.observer.hears(CHANNEL, "<after>").nick(), NICKS[1 - index]);
    // The speaker returns and has nothing to add.
    pair.proxies[index].open();
    pair.observer.sees(NICKS[index], CHANNEL);
    pair.wait_said(&after);
}

#[test]
fn f1_16_nodes_that_meet_only_on_irc_say_each_thing_once() {
    let (network, observer) = watched(Kind::Inspircd);
    let pair = Pair::start(&network, observer, false, |config| config);
    let groups = groups(30);
    pair.fire(&groups);
    pair.wait_said(&groups);
    assert_eq!(pair.ids().len(), groups.len(), "{:#?}", pair.observer.texts(CHANNEL));
}

#[test]
fn f1_16_a_forged_id_suppresses_nothing() {
    let (network, observer) = watched(Kind::Inspircd);
    let forger = Observer::connect(&network, "forger");
    forger.join(CHANNEL);
    let pair = Pair::start(&network, observer, false, |config| config);
    let first = groups(1);
    pair.fire(&first);
    pair.wait_said(&first);
    // He repeats what he has seen for what comes next, and guesses.
    let seen = pair.ids().into_keys().next().expect("the first has an id");
    for id in [seen.as_str(), "00000000", "deadbeef"] {
        forger.say(CHANNEL, &format!("<text 1> ⟨{id}⟩"));
    }
    forger.settle();
    pair.fire(&[("g1".to_owned(), "<text 1>".to_owned())]);
    pair.observer.wait_for("the next is said all the same", |line| {
        (line.nick().starts_with("bell") && line.last_text().contains("<text 1>")).then_some(())
    });
}

#[test]
fn f1_19_two_routers_make_one_silence() {
    let network = Network::with_services(Kind::Inspircd);
    let alice = services::register(&network, "alice");
    alice.join(CHANNEL);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let pair =
        Pair::start(&network, observer, true, |config| config.server("commands: {enabled: true, accounts: [alice]}"));
    let place = alice.now();
    alice.say(CHANNEL, "!silence group=harbour 1h by one of two");
    alice.wait_from(place, "one of them answers", |line| {
        (line.command() == "NOTICE" && NICKS.contains(&line.nick().as_str())).then_some(())
    });
    for bell in &pair.bells {
        let silences = || {
            let all = bell.server.client().get("/api/v2/silences").ok().json();
            all.as_array().map(Vec::len).filter(|count| *count > 0)
        };
        assert_eq!(eventually_within(PATIENCE, "both know the silence", silences), 1);
        assert_eq!(seen_within(Duration::from_secs(3), || silences().filter(|count| *count > 1)), None);
    }
    let answers = alice.lines()[place..]
        .iter()
        .filter(|line| line.command() == "NOTICE" && line.nick().starts_with("bell"))
        .count();
    assert_eq!(answers, 1, "both have answered");
}
