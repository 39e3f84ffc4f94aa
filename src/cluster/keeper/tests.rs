//! Membership that fails is started anew, and rests while nobody is there. The other nodes are real ones, on loopback
//! addresses.

use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use chitchat::transport::{Socket, Transport};
use chitchat::{ChitchatMessage, spawn_chitchat};
use tokio::sync::Notify;
use watchbell_engine::version::NodeId;

use super::*;
use crate::cli::Features;
use crate::cluster::gossip::Carriage;
use crate::cluster::{Cluster, Options, Security, listener};
use crate::telemetry::Metrics;

fn options(node: u64, peers: Vec<String>) -> Options {
    let second = Duration::from_secs(1);
    Options {
        node: NodeId(node),
        start: 1,
        name: format!("n{node}").into(),
        listen_address: "127.0.0.1:0".into(),
        advertise_address: String::new(),
        peers,
        gossip_interval: Duration::from_millis(50),
        tcp_timeout: 10 * second,
        resolve_timeout: 10 * second,
        settle_timeout: 60 * second,
        reconnect_interval: second,
        reconnect_timeout: 3600 * second,
        allow_public_address: false,
        label: "".into(),
        remembered: Vec::new(),
    }
}

/// A real node, and where it is; nobody wants to know what happens to it.
async fn other(node: u64) -> (Cluster, String) {
    let metrics = Metrics::new(&Features::default());
    let (cluster, mut events) =
        Cluster::start(options(node, Vec::new()), Security::default(), metrics).await.expect("it starts");
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let address = cluster.status().peers[0].1.to_string();
    (cluster, address)
}

/// A node of which this test keeps the parts.
struct Parts {
    shared: Arc<Shared>,
    inbox: Inbox,
}

async fn parts(peers: Vec<String>) -> Parts {
    let options = options(1, peers);
    let bound = address::bind(&options.listen_address).await.expect("an address is free");
    let at = bound.local_addr().expect("it has an address");
    let (gossip, inbox) = mpsc::channel(gossip::MAX_MESSAGES);
    let (events, mut told) = mpsc::channel(64);
    tokio::spawn(async move { while told.recv().await.is_some() {} });
    let (named, _) = address::resolve(&options.peers, options.resolve_timeout).await;
    let (security, metrics) = (Security::default(), Metrics::new(&Features::default()));
    let shared = Arc::new(Shared::new(options, security, metrics, at, named, events, gossip));
    tokio::spawn(listener::listen(bound, Arc::clone(&shared)));
    Parts { shared, inbox: Arc::new(Mutex::new(inbox)) }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), waiting).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

/// Carries messages until it is broken: at first by a panic, then by an error.
struct Fragile {
    carriage: Carriage,
    broken: Arc<Notify>,
    starts: usize,
}

struct FragileSocket(Box<dyn Socket>, Arc<Notify>, usize);

#[async_trait]
impl Transport for Fragile {
    async fn open(&self, listen_addr: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let socket = self.carriage.open(listen_addr).await?;
        Ok(Box::new(FragileSocket(socket, Arc::clone(&self.broken), self.starts)))
    }
}

#[async_trait]
impl Socket for FragileSocket {
    async fn send(&mut self, to: SocketAddr, message: ChitchatMessage) -> anyhow::Result<()> {
        self.0.send(to, message).await
    }

    async fn recv(&mut self) -> anyhow::Result<(SocketAddr, ChitchatMessage)> {
        tokio::select! {
            received = self.0.recv() => received,
            () = self.1.notified() => {
                assert!(self.2 > 0, "as if chitchat had come upon a mistake of its own");
                Err(anyhow::anyhow!("as if the socket were gone"))
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn membership_that_fails_is_started_anew() {
    let (other, address) = other(2).await;
    let Parts { shared, inbox } = parts(vec![address]).await;
    let (broken, starts) = (Arc::new(Notify::new()), AtomicUsize::new(0));
    let start = {
        let (shared, inbox, broken) = (Arc::clone(&shared), Arc::clone(&inbox), Arc::clone(&broken));
        move |life| {
            let carriage = Carriage { shared: Arc::clone(&shared), inbox: Arc::clone(&inbox) };
            let (config, starts) = (gossip::config(&shared, life), starts.fetch_add(1, Relaxed));
            let fragile = Fragile { carriage, broken: Arc::clone(&broken), starts };
            async move { spawn_chitchat(config, Vec::new(), &fragile).await }
        }
    };
    let supervised = Arc::clone(&shared);
    tokio::spawn(async move { supervise(&supervised, &inbox, start).await });
    let (restarts, met) =
        (&shared.metrics.cluster.restarts, || other.status().peers.len() == 2 && shared.members().has_others());
    until("they have met", met).await;
    for times in 1..=2 {
        let life = other.0.members().others()[0].number;
        broken.notify_one();
        until("the failure is counted", || restarts.get() == times).await;
        until("the other knows the new life", || {
            other.0.members().others().iter().any(|known| known.number > life) && met()
        })
        .await;
    }
    assert_eq!(restarts.get(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_alone_rests_until_somebody_comes() {
    let Parts { shared, inbox } = parts(Vec::new()).await;
    let starts = Arc::new(AtomicUsize::new(0));
    let start = {
        let (shared, inbox, starts) = (Arc::clone(&shared), Arc::clone(&inbox), Arc::clone(&starts));
        move |life| {
            starts.fetch_add(1, Relaxed);
            let (shared, inbox) = (Arc::clone(&shared), Arc::clone(&inbox));
            async move { gossip::start(&shared, &inbox, life).await }
        }
    };
    let supervised = Arc::clone(&shared);
    tokio::spawn(async move { supervise(&supervised, &inbox, start).await });
    until("it has settled", || shared.settled.load(Relaxed)).await;
    sleep(LOOK * 3).await;
    assert_eq!(starts.load(Relaxed), 0, "nobody is there");

    let metrics = Metrics::new(&Features::default());
    let named = vec![shared.me.address.to_string()];
    let (second, _events) = Cluster::start(options(2, named), Security::default(), metrics).await.expect("it starts");
    until("they have met", || second.status().peers.len() == 2 && shared.members().has_others()).await;
    assert_eq!((starts.load(Relaxed), shared.metrics.cluster.restarts.get()), (1, 0));
}
