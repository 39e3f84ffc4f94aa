//! The stand-in as a server: each request is taken apart, treated as the test wants, answered, and kept.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::{runtime, time};

use super::answer::Answer;
use super::call::Call;
use super::operations::perform;
use super::route::Operation;
use super::treatment::{End, Treatment};
use super::world::World;

/// How long former states are kept for reads that lag.
const MEMORY: Duration = Duration::from_secs(10);

/// The server. It ends when it is dropped.
pub(crate) struct Gitlab {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped to end the server.
    _running: oneshot::Sender<()>,
}

/// A request that came, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) call: Call,
    pub(crate) fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pending,
    Answered(u16),
    Cut,
}

struct Shared(Mutex<State>);

struct State {
    world: World,
    /// Former states and since when each held, the newest last; empty unless reads shall lag.
    history: VecDeque<(Timestamp, World)>,
    remembers: bool,
    treat: Box<dyn FnMut(&Call) -> Treatment + Send>,
    journal: Vec<Entry>,
}

impl Gitlab {
    /// A server with a thread of its own.
    pub(crate) fn start(prepare: impl FnOnce(&mut World)) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), prepare)
    }

    /// The same, at an address that others than this machine's programs may reach.
    pub(crate) fn start_at(address: IpAddr, prepare: impl FnOnce(&mut World)) -> Self {
        let (gitlab, listener, end) = Self::bind(address, prepare);
        let shared = Arc::clone(&gitlab.shared);
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
            runtime.block_on(listen(shared, listener, end));
        });
        gitlab
    }

    /// A server in the runtime of the caller, whose clock it shares.
    pub(crate) fn start_here(prepare: impl FnOnce(&mut World)) -> Self {
        let (gitlab, listener, end) = Self::bind(Ipv4Addr::LOCALHOST.into(), prepare);
        tokio::spawn(listen(Arc::clone(&gitlab.shared), listener, end));
        gitlab
    }

    fn bind(address: IpAddr, prepare: impl FnOnce(&mut World)) -> (Self, std::net::TcpListener, oneshot::Receiver<()>) {
        let listener = std::net::TcpListener::bind((address, 0)).expect("a port is free");
        listener.set_nonblocking(true).expect("a listener can be set so");
        let address = listener.local_addr().expect("a listener has an address");
        let mut world = World::new(format!("http://{address}"));
        prepare(&mut world);
        let (sender, end) = oneshot::channel();
        let shared = Arc::new(Shared(Mutex::new(State::new(world))));
        (Self { address, shared, _running: sender }, listener, end)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the API is, for `api_url`.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}/api/v4/", self.address)
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.shared.lock().world)
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut state = self.shared.lock();
        let changed = change(&mut state.world);
        state.keep();
        changed
    }

    /// From now on requests are treated so.
    pub(crate) fn treat(&self, treat: impl FnMut(&Call) -> Treatment + Send + 'static) {
        self.shared.lock().treat = Box::new(treat);
    }

    /// From now on former states are kept, so that reads can lag.
    pub(crate) fn remember(&self) {
        let mut state = self.shared.lock();
        state.remembers = true;
        state.keep();
    }

    /// Forgets everything, but not what time it is, and begins anew.
    pub(crate) fn restart(&self, prepare: impl FnOnce(&mut World)) {
        let mut state = self.shared.lock();
        let mut world = state.world.emptied();
        prepare(&mut world);
        *state = State::new(world);
    }

    /// Every request so far, in the order in which they came.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.shared.lock().journal.clone()
    }
}

async fn listen(shared: Arc<Shared>, listener: std::net::TcpListener, mut end: oneshot::Receiver<()>) {
    let listener = TcpListener::from_std(listener).expect("the listener is set for it");
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut end => return,
        };
        let Ok((stream, _)) = stream else { continue };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        // What a client does to its connection is its own affair.
        tokio::spawn(async move { drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await) });
    }
}

/// An error ends the connection without an answer.
async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let call = read(request).await?;
    let (number, treatment) = shared.begin(&call);
    pause(treatment.before).await;
    if let Some(gate) = &treatment.gate {
        gate.wait().await;
    }
    let answer = match treatment.instead {
        Some(answer) => answer,
        None => {
            let reserved = shared.reserve(&call, treatment.commit);
            pause(treatment.commit).await;
            shared.perform(&call, treatment.lag, reserved)
        }
    };
    pause(treatment.after).await;
    match treatment.end {
        End::Answer => Ok(shared.end(number, answer)),
        End::Fail => Ok(shared.end(number, Answer::message(500, "500 Internal Server Error"))),
        End::Cut => {
            shared.lock().journal[number].fate = Fate::Cut;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

async fn read(request: Request<Incoming>) -> io::Result<Call> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.map_err(io::Error::other)?;
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = head.headers.iter().map(header).collect();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    Ok(Call::new(head.method.as_str(), &path, headers, &body))
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        time::sleep(time).await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, call: &Call) -> (usize, Treatment) {
        let mut state = self.lock();
        state.journal.push(Entry { call: call.clone(), fate: Fate::Pending });
        (state.journal.len() - 1, (state.treat)(call))
    }

    fn end(&self, number: usize, answer: Answer) -> Response<Body> {
        let mut state = self.lock();
        state.journal[number].fate = Fate::Answered(answer.status);
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&state.world.now());
        answer.header("date", date.expect("the time has four digits for its year")).response()
    }

    /// The number of an issue that will be made after `delay`.
    fn reserve(&self, call: &Call, delay: Duration) -> Option<u64> {
        let mut state = self.lock();
        let project = state.world.find_project(&call.target.project)?.id;
        let slow = call.operation == Operation::CreateIssue && !delay.is_zero();
        slow.then(|| state.world.next_iid(project))
    }

    fn perform(&self, call: &Call, lag: Duration, reserved: Option<u64>) -> Answer {
        let mut state = self.lock();
        if call.reads() && !lag.is_zero() {
            return perform(&mut state.former(lag), call, None);
        }
        let mut next = state.world.clone();
        let answer = perform(&mut next, call, reserved);
        if answer.status < 400 {
            state.world = next;
            if !call.reads() {
                state.keep();
            }
        } else {
            // What failed has changed nothing, but it counts.
            state.world.limits = next.limits;
        }
        answer
    }
}

impl State {
    fn new(world: World) -> Self {
        Self {
            world,
            history: VecDeque::new(),
            remembers: false,
            treat: Box::new(|_| Treatment::default()),
            journal: Vec::new(),
        }
    }

    fn keep(&mut self) {
        if self.remembers {
            let now = self.world.now();
            self.history.push_back((now, self.world.clone()));
            while self.history.get(1).is_some_and(|(time, _)| *time + MEMORY < now) {
                self.history.pop_front();
            }
        }
    }

    /// The state of some time ago.
    fn former(&self, ago: Duration) -> World {
        let then = self.world.now() - ago;
        let known = self.history.iter().rev().find(|(time, _)| *time <= then).or(self.history.front());
        known.map_or(&self.world, |(_, world)| world).clone()
    }
}
