//! The way out: one connection to each address that frames are sent to, made when it is needed and made again when it
//! breaks. What waits for a connection is bounded; what a broken connection had not carried is gone, and comparing digests
//! makes up for it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::{sleep, timeout};

use super::Shared;
use super::connection::{Broken, PREFIX, Speaker, Stream};
use super::frame::{Frame, Hello};
use crate::telemetry::MessageType;

/// Addresses that are spoken to at once. A cluster has ten nodes; the rest is for those that move.
const MAX_LINKS: usize = 64;

/// Bytes that may wait for one connection: a peer that does not read costs no more memory.
const MAX_QUEUED: usize = 16 << 20;

/// Frames that may wait for one connection.
const MAX_FRAMES: usize = 8192;

/// Bytes that are handed to the system at once.
const BATCH: usize = 64 << 10;

/// How long a connection may take to be made: three attempts of TCP, so that a lossy line is given a chance, and a line
/// that is whole again is soon tried again.
const CONNECT: Duration = Duration::from_secs(4);

/// The pause after a failed attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// A connection that nothing was sent on for so long is closed: its node is gone.
const IDLE: Duration = Duration::from_secs(60);

/// The connections to others, by address.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<BTreeMap<SocketAddr, Link>>);

/// A frame on its way: its kind, and its bytes, which all links share.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    kind: MessageType,
    bytes: Arc<[u8]>,
}

#[derive(Debug)]
struct Link {
    queue: mpsc::Sender<Parcel>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that wait.
    queued: AtomicUsize,
    /// The number of the connection that stands, or 0.
    connected: AtomicU64,
}

impl Parcel {
    pub(super) fn new(kind: MessageType, frame: &Frame) -> Self {
        Self { kind, bytes: frame.encode().into() }
    }
}

impl Links {
    /// Sends without waiting. Without a connection it makes one; when too much waits, the frame is dropped and counted.
    pub(super) fn send(&self, shared: &Arc<Shared>, to: SocketAddr, parcel: Parcel) {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.get(&to).is_none_or(|link| link.queue.is_closed()) {
            links.retain(|_, link| !link.queue.is_closed());
            if links.len() >= MAX_LINKS {
                shared.metrics.cluster.dropped.inc();
                return;
            }
            links.insert(to, Link::start(to, Arc::clone(shared)));
        }
        links[&to].push(parcel, shared);
    }

    /// The number of the connection to `to`, if one stands. Each connection has another.
    pub(super) fn connection(&self, to: SocketAddr) -> Option<u64> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = links.get(&to).map(|link| link.state.connected.load(Relaxed));
        number.filter(|number| *number > 0)
    }
}

impl Link {
    fn start(to: SocketAddr, shared: Arc<Shared>) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_FRAMES);
        let state = Arc::new(State::default());
        tokio::spawn(Carrier { to, shared, waiting, state: Arc::clone(&state) }.run());
        Self { queue, state }
    }

    fn push(&self, parcel: Parcel, shared: &Shared) {
        let length = parcel.bytes.len();
        let metrics = &shared.metrics.cluster;
        if self.state.queued.load(Relaxed) + length > MAX_QUEUED || self.queue.try_send(parcel).is_err() {
            metrics.dropped.inc();
            return;
        }
        self.state.queued.fetch_add(length, Relaxed);
        metrics.queued.inc();
        metrics.queued_bytes.inc_by(length as i64);
    }
}

/// The task behind a link.
struct Carrier {
    to: SocketAddr,
    shared: Arc<Shared>,
    waiting: mpsc::Receiver<Parcel>,
    state: Arc<State>,
}

impl Carrier {
    async fn run(mut self) {
        while let Ok(Some(first)) = timeout(IDLE, self.waiting.recv()).await {
            self.taken(&first);
            match self.connect().await {
                Ok(speaker) => self.speak(speaker, first).await,
                Err(error) => self.failed(&error).await,
            }
            // What waited meanwhile is old news.
            while let Ok(old) = self.waiting.try_recv() {
                self.taken(&old);
            }
        }
        self.waiting.close();
        while let Some(old) = self.waiting.recv().await {
            self.taken(&old);
        }
    }

    fn taken(&self, parcel: &Parcel) {
        let length = parcel.bytes.len();
        self.state.queued.fetch_sub(length, Relaxed);
        self.shared.metrics.cluster.queued.dec();
        self.shared.metrics.cluster.queued_bytes.dec_by(length as i64);
    }

    async fn failed(&self, error: &Broken) {
        tracing::debug!(component = "cluster", to = %self.to, err = %error, "Cannot reach a peer");
        self.shared.metrics.cluster.reconnections_failed.inc();
        self.shared.metrics.cluster.transport.open_errors.inc();
        if let Broken::Io(error) = error
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            self.shared.refused(self.to);
        }
        sleep(PAUSE).await;
    }

    async fn connect(&self) -> Result<Speaker, Broken> {
        timeout(CONNECT.min(self.shared.options.tcp_timeout), self.greet()).await.map_err(|_| Broken::Late)?
    }

    async fn greet(&self) -> Result<Speaker, Broken> {
        let stream = TcpStream::connect(self.to).await?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_user_timeout(Some(self.shared.options.tcp_timeout))?;
        let security = self.shared.security();
        let stream: Box<dyn Stream> = match &security.tls {
            Some(tls) => Box::new(tls.connect(stream, self.to).await?),
            None => Box::new(stream),
        };
        let mut speaker = Speaker::open(stream, security.keys.as_ref()).await?;
        speaker.add(&Frame::Hello(self.hello()).encode());
        Ok(speaker)
    }

    fn hello(&self) -> Hello {
        Hello { expects: self.shared.expected_at(self.to), ..self.shared.me.hello() }
    }

    /// Carries frames until the connection ends.
    async fn speak(&mut self, mut speaker: Speaker, first: Parcel) {
        let metrics = &self.shared.metrics.cluster;
        self.state.connected.store(self.shared.next_number(), Relaxed);
        metrics.outbound.inc();
        metrics.transport.opened.inc();
        self.add(&mut speaker, &first);
        self.carry(&mut speaker).await;
        self.state.connected.store(0, Relaxed);
        self.shared.metrics.cluster.outbound.dec();
        speaker.close().await;
    }

    async fn carry(&mut self, speaker: &mut Speaker) {
        let mut security = self.shared.security.clone();
        security.mark_unchanged();
        loop {
            match timeout(self.shared.options.tcp_timeout, speaker.flush()).await {
                Ok(Ok(())) => {}
                _ => {
                    self.shared.metrics.cluster.transport.write_errors.inc();
                    return;
                }
            }
            let next = tokio::select! {
                next = timeout(IDLE, self.waiting.recv()) => next,
                () = speaker.closed() => return,
                _ = security.changed() => return,
            };
            let Ok(Some(next)) = next else { return };
            self.taken(&next);
            self.add(speaker, &next);
            self.gather(speaker);
        }
    }

    /// Adds what else waits, so that many small frames are one write.
    fn gather(&mut self, speaker: &mut Speaker) {
        while speaker.ready() < BATCH {
            match self.waiting.try_recv() {
                Ok(next) => {
                    self.taken(&next);
                    self.add(speaker, &next);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn add(&self, speaker: &mut Speaker, parcel: &Parcel) {
        speaker.add(&parcel.bytes);
        self.shared.metrics.cluster.sent(parcel.kind, parcel.bytes.len() + PREFIX);
    }
}
