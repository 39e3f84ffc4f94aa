//! A TCP proxy in front of an IRC server that keeps what both sides said in the clear and can lose things: whole
//! connections without a word, or single lines.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::line::Line;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// The proxy; it lives as long as the test.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<State>>,
}

struct State {
    target: SocketAddr,
    /// Whether newcomers are turned away.
    closed: bool,
    /// What does not get through: lines of that side that contain the text.
    swallowed: Vec<(Side, String)>,
    /// What is changed on its way to the client.
    rewritten: Vec<(String, String)>,
    said: Vec<(Side, Line)>,
    /// When somebody called, whether he was let in or not.
    calls: Vec<Instant>,
    connections: Vec<Connection>,
}

struct Connection {
    ends: [TcpStream; 2],
    /// Whether everything is lost from now on, both ways.
    lost: bool,
}

impl Proxy {
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Mutex::new(State {
            target,
            closed: false,
            swallowed: Vec::new(),
            rewritten: Vec::new(),
            said: Vec::new(),
            calls: Vec::new(),
            connections: Vec::new(),
        }));
        let accepting = Arc::clone(&shared);
        thread::spawn(move || listener.incoming().flatten().for_each(|client| accept(client, &accepting)));
        Self { address, shared }
    }

    /// What a side has said, over all connections.
    pub(crate) fn said(&self, side: Side) -> Vec<String> {
        self.talk().iter().filter(|(by, _)| *by == side).map(|(_, line)| line.text()).collect()
    }

    /// What both sides have said, in order.
    pub(crate) fn talk(&self) -> Vec<(Side, Line)> {
        lock(&self.shared).said.clone()
    }

    /// When each call came.
    pub(crate) fn calls(&self) -> Vec<Instant> {
        lock(&self.shared).calls.clone()
    }

    /// From now on nothing gets through on the connections there are, and nobody is told: as with a firewall that has
    /// forgotten them. New ones work.
    pub(crate) fn lose_connections(&self) {
        lock(&self.shared).connections.iter_mut().for_each(|connection| connection.lost = true);
    }

    /// Lines of this side that contain the text get lost; nobody is told.
    pub(crate) fn swallow(&self, side: Side, text: &str) {
        lock(&self.shared).swallowed.push((side, text.to_owned()));
    }

    /// All lines get through again.
    pub(crate) fn swallow_nothing(&self) {
        lock(&self.shared).swallowed.clear();
    }

    /// The server's `text` reaches the client as `instead`.
    pub(crate) fn rewrite(&self, text: &str, instead: &str) {
        lock(&self.shared).rewritten.push((text.to_owned(), instead.to_owned()));
    }

    /// Closes all connections, and new ones as they come.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.shared);
        state.closed = true;
        for end in state.connections.iter().flat_map(|connection| &connection.ends) {
            drop(end.shutdown(Shutdown::Both));
        }
    }

    /// New connections are taken again.
    pub(crate) fn open(&self) {
        lock(&self.shared).closed = false;
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(client: TcpStream, shared: &Arc<Mutex<State>>) {
    let mut state = lock(shared);
    state.calls.push(Instant::now());
    if state.closed {
        return;
    }
    // A server that is down refuses, and so do we, by closing.
    let Ok(server) = TcpStream::connect(state.target) else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let number = state.connections.len();
    for (side, from, to) in [(Side::Client, &client, &server), (Side::Server, &server, &client)] {
        let [from, to] = [from, to].map(|stream| stream.try_clone().expect("a socket can be cloned"));
        let shared = Arc::clone(shared);
        thread::spawn(move || carry(side, from, to, number, &shared));
    }
    state.connections.push(Connection { ends: [client, server], lost: false });
}

/// Takes lines from one side to the other, but for those that get lost.
fn carry(side: Side, from: TcpStream, mut to: TcpStream, number: usize, shared: &Mutex<State>) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let passes = lock(shared).passes(side, &mut line, number);
        if passes && to.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    if !lock(shared).connections[number].lost {
        drop(to.shutdown(Shutdown::Write));
    }
}

impl State {
    /// Notes the line, changes it if it is to be changed, and says whether it gets through.
    fn passes(&mut self, side: Side, line: &mut Vec<u8>, number: usize) -> bool {
        self.said.push((side, Line::parse(line.strip_suffix(b"\n").unwrap_or(line))));
        let text = String::from_utf8_lossy(line).into_owned();
        for (what, instead) in self.rewritten.iter().filter(|(what, _)| side == Side::Server && text.contains(what)) {
            *line = text.replace(what, instead).into_bytes();
        }
        let swallowed = self.swallowed.iter().any(|(whose, part)| *whose == side && text.contains(part));
        !swallowed && !self.connections[number].lost
    }
}
