//! A TCP proxy in front of an IRC server that shows what the client said in the clear and can lose things: whole
//! connections without a word, or single lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::line::Line;

/// The proxy; it lives as long as the test.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<State>>,
}

struct State {
    target: SocketAddr,
    /// Whether newcomers are turned away.
    closed: bool,
    /// Lines of the client that never reach the server: those that contain one of these.
    swallowed: Vec<String>,
    said: Vec<Line>,
    connections: Vec<Connection>,
}

struct Connection {
    since: Instant,
    client: TcpStream,
    server: TcpStream,
    /// Whether everything is lost from now on, both ways.
    lost: bool,
}

impl Proxy {
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state =
            State { target, closed: false, swallowed: Vec::new(), said: Vec::new(), connections: Vec::new() };
        let shared = Arc::new(Mutex::new(state));
        let accepting = Arc::clone(&shared);
        thread::spawn(move || listener.incoming().flatten().for_each(|client| accept(client, &accepting)));
        Self { address, shared }
    }

    /// What clients have said, over all connections.
    pub(crate) fn said(&self) -> Vec<Line> {
        lock(&self.shared).said.clone()
    }

    /// The commands among it, as text.
    pub(crate) fn said_texts(&self) -> Vec<String> {
        self.said().iter().map(Line::text).collect()
    }

    /// When each connection was made.
    pub(crate) fn connections(&self) -> Vec<Instant> {
        lock(&self.shared).connections.iter().map(|connection| connection.since).collect()
    }

    /// From now on nothing gets through on the connections there are, and nobody is told: as with a firewall that has
    /// forgotten them. New ones work.
    pub(crate) fn lose_connections(&self) {
        lock(&self.shared).connections.iter_mut().for_each(|connection| connection.lost = true);
    }

    /// Lines of clients that contain this text do not reach the server; the client hears nothing of it.
    pub(crate) fn swallow(&self, text: &str) {
        lock(&self.shared).swallowed.push(text.to_owned());
    }

    /// All lines get through again.
    pub(crate) fn swallow_nothing(&self) {
        lock(&self.shared).swallowed.clear();
    }

    /// Closes all connections, and new ones as they come.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.shared);
        state.closed = true;
        for connection in &state.connections {
            drop(connection.client.shutdown(Shutdown::Both));
            drop(connection.server.shutdown(Shutdown::Both));
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
    if state.closed {
        return;
    }
    // A server that is down refuses, and so do we, by closing.
    let Ok(server) = TcpStream::connect(state.target) else { return };
    let clone = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let (from_client, to_server, from_server, to_client) = (clone(&client), clone(&server), clone(&server), clone(&client));
    let number = state.connections.len();
    state.connections.push(Connection { since: Instant::now(), client, server, lost: false });
    let (up, down) = (Arc::clone(shared), Arc::clone(shared));
    thread::spawn(move || carry_up(from_client, to_server, number, &up));
    thread::spawn(move || carry_down(from_server, to_client, number, &down));
}

/// Lines of the client to the server, but for those that get lost.
fn carry_up(client: TcpStream, mut server: TcpStream, number: usize, shared: &Mutex<State>) {
    let mut reader = BufReader::new(client);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let lost = {
            let mut state = lock(shared);
            state.said.push(Line::parse(line.strip_suffix(b"\n").unwrap_or(&line)));
            let text = String::from_utf8_lossy(&line);
            state.connections[number].lost || state.swallowed.iter().any(|part| text.contains(part))
        };
        if !lost && server.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    if !lock(shared).connections[number].lost {
        drop(server.shutdown(Shutdown::Write));
    }
}

fn carry_down(mut server: TcpStream, mut client: TcpStream, number: usize, shared: &Mutex<State>) {
    let mut buffer = [0; 4096];
    while let Ok(count) = server.read(&mut buffer)
        && count > 0
    {
        if !lock(shared).connections[number].lost && client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    if !lock(shared).connections[number].lost {
        drop(client.shutdown(Shutdown::Both));
    }
}
