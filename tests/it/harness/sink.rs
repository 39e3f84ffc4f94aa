//! A webhook receiver that keeps everything it is sent, in order, and answers as it is told.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{read_headers, read_line};
use super::wait::eventually;

/// What the sink has taken, the router has surely noted after this time. What ends it before that may repeat it.
pub(crate) const NOTED: Duration = Duration::from_secs(2);

/// How the sink treats a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Answers at once with this status.
    Status(u16),
    /// Takes its time, then answers 200.
    After(Duration),
    /// Answers nothing until it is told otherwise (or ends), then 200.
    Hang,
}

/// One request received.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The path without the leading slash: the name of the receiver in the tests' configurations.
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) arrived: Instant,
    /// When the answer had been written, and its status.
    pub(crate) answered: Option<(Instant, u16)>,
}

impl Delivery {
    /// A member of the body that is text.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_default()
    }

    /// Whether the sender was told that all is well.
    pub(crate) fn accepted(&self) -> bool {
        self.answered.is_some_and(|(_, status)| status == 200)
    }
}

/// The receiver. Requests still held back are let go when it is dropped.
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    deliveries: Vec<Delivery>,
    answers: HashMap<String, Answer>,
    ended: bool,
}

impl Sink {
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A receiver at an address that was announced before.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept_from(&listener));
        Self { address, shared }
    }

    /// The URL under which the receiver called `path` is reached.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// From now on requests to `path` are answered so; those hanging there are let go unless they shall hang on.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.shared.lock().answers.insert(path.into(), answer);
        self.shared.changed.notify_all();
    }

    /// Everything received so far.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.shared.lock().deliveries.clone()
    }

    /// What was received at `path` so far.
    pub(crate) fn at(&self, path: &str) -> Vec<Delivery> {
        self.all().into_iter().filter(|delivery| delivery.path == path).collect()
    }

    /// How many requests have been received in all.
    pub(crate) fn count(&self) -> usize {
        self.shared.lock().deliveries.len()
    }

    /// Waits until `path` has received at least `count` requests, and returns them.
    pub(crate) fn wait_for(&self, path: &str, count: usize) -> Vec<Delivery> {
        eventually(&format!("{path} has been told {count} times"), || {
            let told = self.at(path);
            (told.len() >= count).then_some(told)
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        // Wakes the accepting thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept_from(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.lock().ended {
                return;
            }
            let Ok(stream) = stream else { continue };
            let serving = Arc::clone(&self);
            // A sender that breaks off mid-request is the sender's affair: there is nothing to record.
            thread::spawn(move || drop(serving.serve(&stream)));
        }
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let (path, body) = read_request(stream)?;
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        let delivery = Delivery { path: path.clone(), body, arrived: Instant::now(), answered: None };
        let number = {
            let mut state = self.lock();
            state.deliveries.push(delivery);
            state.deliveries.len() - 1
        };
        let status = self.decide(&path);
        write!(&*stream, "HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        self.lock().deliveries[number].answered = Some((Instant::now(), status));
        Ok(())
    }

    /// The status to answer with, once it is time to answer.
    fn decide(&self, path: &str) -> u16 {
        let mut state = self.lock();
        loop {
            match state.answers.get(path).copied().unwrap_or(Answer::Status(200)) {
                Answer::Status(status) => return status,
                _ if state.ended => return 200,
                Answer::After(delay) => {
                    drop(state);
                    thread::sleep(delay);
                    return 200;
                }
                Answer::Hang => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

fn read_request(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let first = read_line(&mut reader)?;
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let headers = read_headers(&mut reader)?;
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok((path, body))
}
