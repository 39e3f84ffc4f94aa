//! A forwarder between nodes: it passes bytes on both ways, keeps what who connects says, and holds everything back for
//! as long as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Its threads end with the connections.
pub(super) struct Forwarder(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// In milliseconds.
    delay: AtomicU64,
    /// What each connection said.
    said: Mutex<Vec<Vec<u8>>>,
}

impl Forwarder {
    /// Who connects to `listen` speaks with `to`.
    pub(super) fn start(listen: SocketAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind(listen).expect("the address is free");
        let shared = Arc::<Shared>::default();
        let forwarder = Self(Arc::clone(&shared));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                shared.said.lock().expect("nobody fails while it is held").push(Vec::new());
                // Where nobody listens the connection ends.
                let _ = shared.join(number, &stream, to);
            }
        });
        forwarder
    }

    /// From now on bytes take so long on their way.
    pub(super) fn hold_back(&self, delay: Duration) {
        self.0.delay.store(delay.as_millis() as u64, Relaxed);
    }

    /// What the connection said on which most was said.
    pub(super) fn longest_speech(&self) -> Vec<u8> {
        let said = self.0.said.lock().expect("nobody fails while it is held");
        said.iter().max_by_key(|said| said.len()).expect("somebody has connected").clone()
    }
}

impl Shared {
    fn join(self: &Arc<Self>, number: usize, stream: &TcpStream, to: SocketAddr) -> std::io::Result<()> {
        let onward = TcpStream::connect(to)?;
        for socket in [stream, &onward] {
            socket.set_nodelay(true)?;
        }
        self.pass(onward.try_clone()?, stream.try_clone()?, |_, _| {});
        self.pass(stream.try_clone()?, onward, move |shared, said| {
            shared.said.lock().expect("nobody fails while it is held")[number].extend(said);
        });
        Ok(())
    }

    /// Reads in one thread and writes in another, so that what is held back does not hold back what comes after.
    fn pass(self: &Arc<Self>, mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&Self, &[u8]) + Send + 'static) {
        let (held, waiting) = mpsc::channel::<(Instant, Vec<u8>)>();
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                keep(&shared, &buffer[..length]);
                let due = Instant::now() + Duration::from_millis(shared.delay.load(Relaxed));
                if held.send((due, buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            for (due, bytes) in waiting {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if to.write_all(&bytes).is_err() {
                    break;
                }
            }
            // Both sides may be gone.
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
