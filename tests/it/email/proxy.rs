//! A wire between a sender and a real mail server that fails in ways in which a server does not fail when asked to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::harness::address;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server takes the mail, and the sender is cut off before it hears so.
    CutAfterDot,
    /// From `DATA` on nothing comes through any more, in either direction.
    StallInData,
    /// Somebody on the way adds these lines, in the clear, to the server's answer to `STARTTLS`.
    Inject(&'static str),
}

/// The wire.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// A wire to `server` on which the first `faulty` connections suffer `fault` and later ones nothing.
    pub(super) fn start(server: SocketAddr, fault: Fault, faulty: usize) -> Self {
        let address = address::reserve();
        let listener = TcpListener::bind(address).expect("the address is free");
        let connections = Arc::<AtomicUsize>::default();
        let counting = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = counting.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(server) else { continue };
                connect(&client, &server, (number < faulty).then_some(fault));
            }
        });
        Self { address, connections }
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// What both directions know of the conversation.
#[derive(Default)]
struct Progress {
    /// The sender has said `STARTTLS`, and it has not been answered.
    starting_tls: AtomicBool,
    /// The server has said that the mail may come.
    in_data: AtomicBool,
    /// The mail has come to its end.
    ended: AtomicBool,
}

fn connect(client: &TcpStream, server: &TcpStream, fault: Option<Fault>) {
    let progress = Arc::new(Progress::default());
    let copy = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
    let (from_client, to_server, seen) = (copy(client), copy(server), Arc::clone(&progress));
    thread::spawn(move || carry_there(from_client, to_server, fault, &seen));
    let (from_server, to_client) = (copy(server), copy(client));
    thread::spawn(move || carry_back(from_server, to_client, fault, &progress));
}

/// From the sender to the server.
fn carry_there(mut client: TcpStream, mut server: TcpStream, fault: Option<Fault>, progress: &Progress) {
    let mut tail = Vec::new();
    while let Some(bytes) = read(&mut client) {
        if fault == Some(Fault::StallInData) && progress.in_data.load(Ordering::SeqCst) {
            continue;
        }
        tail.extend_from_slice(&bytes);
        tail.drain(..tail.len().saturating_sub(16));
        if tail.ends_with(b"\r\n.\r\n") {
            progress.ended.store(true, Ordering::SeqCst);
        }
        if tail.ends_with(b"STARTTLS\r\n") {
            progress.starting_tls.store(true, Ordering::SeqCst);
        }
        if server.write_all(&bytes).is_err() {
            break;
        }
    }
    // Fails only if the other side has ended already.
    let _ = server.shutdown(Shutdown::Both);
}

/// From the server to the sender.
fn carry_back(mut server: TcpStream, mut client: TcpStream, fault: Option<Fault>, progress: &Progress) {
    while let Some(mut bytes) = read(&mut server) {
        match fault {
            Some(Fault::CutAfterDot) if progress.ended.load(Ordering::SeqCst) => break,
            Some(Fault::Inject(lines)) if progress.starting_tls.swap(false, Ordering::SeqCst) => {
                bytes.extend_from_slice(lines.as_bytes());
            }
            _ => {}
        }
        if bytes.starts_with(b"354") {
            progress.in_data.store(true, Ordering::SeqCst);
        }
        if client.write_all(&bytes).is_err() {
            break;
        }
    }
    // Fails only if the other side has ended already.
    let _ = client.shutdown(Shutdown::Both);
}

/// What has come; `None` at the end.
fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
    Some(buffer[..count].to_vec())
}
