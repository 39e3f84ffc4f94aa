//! The way in: whoever connects is heard for as long as it makes sense. What does not is refused and counted, and costs
//! little: a connection that has not said who it is gets a kilobyte and a few seconds, and there are few of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use watchbell_engine::peers::Claim;
use watchbell_engine::replica::Record;
use watchbell_engine::sighting::Sighting;

use super::connection::{Broken, Listener, Stream};
use super::frame::{Frame, Hello, Part};
use super::strangers::Strangers;
use super::{Event, Shared};
use crate::record::news::decode_news;
use crate::telemetry::MessageType;

/// Connections of nodes. Each node needs one.
const MAX_CONNECTIONS: usize = 128;

/// How long a connection may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// A connection that has brought nothing for so long is closed; those who live gossip all the time.
const SILENCE: Duration = Duration::from_secs(90);

/// Records a second that one connection may bring over some time; a sender that has more waits.
const RECORDS_A_SECOND: u32 = 20_000;

/// Records that may come at once before that rate counts.
const BURST: Duration = Duration::from_secs(5);

/// The pause after the system could not give us a connection, most often for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Hears everybody who connects.
pub(super) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let (strangers, nodes) = (Arc::new(Strangers::default()), Arc::new(AtomicUsize::new(0)));
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let call = |number| Call { shared: Arc::clone(&shared), from, number, nodes: Arc::clone(&nodes) };
                strangers.admit(&shared.metrics, from.ip(), |number| call(number).run(stream, Arc::clone(&strangers)));
            }
            Err(error) => {
                tracing::warn!(component = "cluster", err = %error, "Cannot accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

/// One connection.
struct Call {
    shared: Arc<Shared>,
    from: SocketAddr,
    number: u64,
    /// Connections of nodes.
    nodes: Arc<AtomicUsize>,
}

impl Call {
    async fn run(self, stream: TcpStream, strangers: Arc<Strangers>) {
        let introduced = timeout(INTRODUCTION, self.introduce(stream)).await.unwrap_or(Err(Broken::Late));
        strangers.leave(self.number);
        let ended = match introduced {
            Ok((listener, hello)) => self.hear(listener, hello).await,
            Err(error) => error,
        };
        let metrics = &self.shared.metrics.cluster;
        ended.reason().inspect(|reason| metrics.refused(reason));
        if ended.is_failure() {
            metrics.transport.read_errors.inc();
        }
        tracing::debug!(component = "cluster", from = %self.from, err = %ended, "A connection ended");
    }

    async fn introduce(&self, stream: TcpStream) -> Result<(Listener, Hello), Broken> {
        let security = self.shared.security();
        stream.set_nodelay(true)?;
        let dialled = stream.local_addr()?;
        let stream: Box<dyn Stream> = match &security.tls {
            Some(tls) => Box::new(tls.accept(stream).await?),
            None => Box::new(stream),
        };
        self.shared.metrics.cluster.transport.accepted.inc();
        match Listener::accept(stream, security.keys.as_ref()).await? {
            (listener, Frame::Hello(hello)) => {
                self.shared.me.check(&hello).map_err(Broken::Misled)?;
                if self.shared.me.is(&hello) {
                    self.shared.own().insert(dialled);
                    return Err(Broken::Myself);
                }
                if hello.node == self.shared.me.node {
                    self.shared.tell_of_twin(hello.address);
                    return Err(Broken::Twin);
                }
                Ok((listener, hello))
            }
            _ => Err(Broken::Foreign("it does not say who it is")),
        }
    }

    /// Hears a node until the connection ends; returns why.
    async fn hear(&self, listener: Listener, hello: Hello) -> Broken {
        if self.nodes.fetch_add(1, Relaxed) >= MAX_CONNECTIONS {
            self.nodes.fetch_sub(1, Relaxed);
            return Broken::Misled("there are too many connections");
        }
        self.shared.metrics.cluster.inbound.inc();
        let ended = self.hear_frames(listener, &hello).await;
        self.shared.metrics.cluster.inbound.dec();
        self.nodes.fetch_sub(1, Relaxed);
        ended
    }

    async fn hear_frames(&self, mut listener: Listener, hello: &Hello) -> Broken {
        let mut pace = Pace::new();
        loop {
            let (frame, length) = match timeout(SILENCE, listener.next()).await {
                Ok(Ok(heard)) => heard,
                Ok(Err(error)) => return error,
                Err(_) => return Broken::Late,
            };
            if !listener.is_opened_by(self.shared.security().keys.as_ref()) {
                return Broken::Forged;
            }
            self.take(frame, length, hello, &mut pace).await;
        }
    }

    async fn take(&self, frame: Frame, length: usize, hello: &Hello, pace: &mut Pace) {
        let (shared, metrics) = (&self.shared, &self.shared.metrics.cluster);
        metrics.received(kind(&frame), length);
        match frame {
            Frame::Gossip(message) => shared.take_gossip(hello, message),
            Frame::News(part, records) => {
                pace.keep(records.len(), shared).await;
                let records = self.read(records, hello);
                if part != Part::Push {
                    metrics.repaired.inc_by(records.len() as u64);
                }
                shared.tell(Event::News(records)).await;
                if part == Part::End {
                    shared.answered(hello.node);
                }
            }
            Frame::Digest(digest, round) => shared.tell(Event::Digest { from: hello.node, digest, round }).await,
            Frame::Wanted(shards) => shared.tell(Event::Wanted { from: hello.node, shards }).await,
            Frame::Leave => shared.has_left(hello.node, hello.life),
            Frame::Hello(_) => metrics.refused("malformed"),
            Frame::Unknown => metrics.refused("unknown"),
        }
    }

    /// The records that can be read and that this node may tell of: a claim is its maker's own.
    fn read(&self, records: Vec<Vec<u8>>, hello: &Hello) -> Vec<Record> {
        let metrics = &self.shared.metrics.cluster;
        let read = |bytes: Vec<u8>| match decode_news(&bytes) {
            Ok(Record::Claim(Claim { node, .. }) | Record::Sighting(Sighting { node, .. })) if node != hello.node => {
                metrics.refused("foreign_claim");
                None
            }
            Ok(record) => Some(record),
            Err(error) => {
                tracing::debug!(component = "cluster", from = %hello.name, err = %error, "A record cannot be read");
                metrics.undecodable.inc();
                None
            }
        };
        records.into_iter().filter_map(read).collect()
    }
}

fn kind(frame: &Frame) -> MessageType {
    match frame {
        Frame::News(Part::Push, _) => MessageType::Update,
        Frame::News(..) | Frame::Digest(..) | Frame::Wanted(_) => MessageType::FullState,
        Frame::Gossip(_) | Frame::Hello(_) | Frame::Leave | Frame::Unknown => MessageType::Gossip,
    }
}

/// Makes who brings records faster than is sensible wait.
struct Pace {
    /// When what was brought so far would have been brought at the greatest rate.
    paid_until: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { paid_until: Instant::now() }
    }

    async fn keep(&mut self, records: usize, shared: &Shared) {
        let cost = Duration::from_secs(1) / RECORDS_A_SECOND * u32::try_from(records).unwrap_or(u32::MAX);
        let now = Instant::now();
        self.paid_until = self.paid_until.max(now) + cost;
        if self.paid_until > now + BURST {
            shared.metrics.cluster.throttled.inc();
            sleep_until(self.paid_until - BURST).await;
        }
    }
}
