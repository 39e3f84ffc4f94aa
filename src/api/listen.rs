//! Where we are listened to: addresses of the network, of the host of a virtual machine (vsock), or sockets that the
//! service manager passes. It must not know what is served there.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use listenfd::ListenFd;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// How `--web.listen-address` spells a vsock port.
const VSOCK_SCHEME: &str = "vsock://:";

/// A vsock address with this context id means this machine, whatever its id is (`VMADDR_CID_ANY`, vsock(7)).
const ANY_CONTEXT: u32 = u32::MAX;

/// Connections that may wait to be accepted on a vsock port; the other kinds have the same from their library.
const BACKLOG: i32 = 1024;

/// A socket that takes connections.
pub enum Listener {
    /// Of a network.
    Tcp(TcpListener),
    /// Of this machine; only the service manager passes these.
    Unix(UnixListener),
    /// Between a virtual machine and its host.
    Vsock {
        /// The listening socket. The runtime has no type for it and watches it as it would a stream.
        socket: UnixStream,
        /// Its port.
        port: u32,
    },
}

/// A connection, by what it can be told.
pub(super) enum Stream {
    Tcp(TcpStream),
    /// Also a vsock connection: once accepted, both are plain streams of bytes.
    Local(UnixStream),
}

/// Listens on every address: `host:port`, with an empty host for all of the machine's addresses, or `vsock://:port`.
///
/// # Errors
/// Names the address that cannot be listened on.
pub async fn bind(addresses: &[String]) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = match address.strip_prefix(VSOCK_SCHEME) {
            Some(port) => bind_vsock(port),
            None => bind_tcp(address).await.map(Listener::Tcp),
        };
        let named = |error: io::Error| io::Error::new(error.kind(), format!("listen on {address:?}: {error}"));
        listeners.push(listener.map_err(named)?);
    }
    Ok(listeners)
}

/// The sockets that the service manager passes (sd_listen_fds(3)).
///
/// # Errors
/// There is none, or one is of a kind that cannot be served.
pub fn passed() -> io::Result<Vec<Listener>> {
    let mut passed = ListenFd::from_env();
    let listeners = (0..passed.len()).map(|index| take(&mut passed, index)).collect::<io::Result<Vec<_>>>()?;
    if listeners.is_empty() {
        return Err(io::Error::other("no socket was passed by systemd: start the service by its socket unit"));
    }
    Ok(listeners)
}

async fn bind_tcp(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else { return TcpListener::bind(address).await };
    match TcpListener::bind(format!("[::]:{port}")).await {
        // A machine without IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(format!("0.0.0.0:{port}")).await,
        bound => bound,
    }
}

fn bind_vsock(port: &str) -> io::Result<Listener> {
    let port = port.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let socket = Socket::new(Domain::VSOCK, Type::STREAM, None)?;
    socket.bind(&SockAddr::vsock(ANY_CONTEXT, port))?;
    socket.listen(BACKLOG)?;
    Ok(Listener::Vsock { socket: watched(socket)?, port })
}

fn take(passed: &mut ListenFd, index: usize) -> io::Result<Listener> {
    if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
        listener.set_nonblocking(true)?;
        return Ok(Listener::Tcp(TcpListener::from_std(listener)?));
    }
    let wrong = |error| io::Error::other(format!("socket {index} passed by systemd takes no stream: {error}"));
    let listener = passed.take_unix_listener(index).map_err(wrong)?.expect("no socket is taken twice");
    listener.set_nonblocking(true)?;
    Ok(Listener::Unix(UnixListener::from_std(listener)?))
}

impl Listener {
    /// Where it listens, if that is an address of the network.
    pub fn network_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) | Self::Vsock { .. } => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => Ok(Stream::Tcp(listener.accept().await?.0)),
            Self::Unix(listener) => Ok(Stream::Local(listener.accept().await?.0)),
            Self::Vsock { socket, .. } => Ok(Stream::Local(accept_vsock(socket).await?)),
        }
    }
}

async fn accept_vsock(listener: &UnixStream) -> io::Result<UnixStream> {
    loop {
        listener.readable().await?;
        match listener.try_io(Interest::READABLE, || SockRef::from(listener).accept()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            accepted => return watched(accepted?.0),
        }
    }
}

/// `socket` under the eyes of the runtime.
fn watched(socket: Socket) -> io::Result<UnixStream> {
    socket.set_nonblocking(true)?;
    UnixStream::from_std(OwnedFd::from(socket).into())
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_err(|_| fmt::Error)?.fmt(f),
            Self::Unix(listener) => {
                let address = listener.local_addr().map_err(|_| fmt::Error)?;
                write!(f, "{}", address.as_pathname().unwrap_or("unix socket".as_ref()).display())
            }
            Self::Vsock { port, .. } => write!(f, "{VSOCK_SCHEME}{port}"),
        }
    }
}
