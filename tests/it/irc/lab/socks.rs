//! Dante, a SOCKS5 proxy, on loopback.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{fs, iter};

use tempfile::TempDir;

use super::observer::PATIENCE;
use crate::harness::process::Process;
use crate::harness::wait::eventually_within;

/// A running proxy that says in its log what it is asked for.
pub(crate) struct Socks {
    pub(crate) address: SocketAddr,
    process: Process,
    _dir: TempDir,
}

impl Socks {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be had");
        let address = free_port();
        let path = dir.path().join("danted.conf");
        fs::write(&path, CONFIG.replace("{port}", &address.port().to_string()))
            .expect("a configuration can be written");
        let mut command = Command::new("/usr/sbin/danted");
        command.arg("-f").arg(&path);
        let mut process = Process::start(command, &dir.path().join("log"), "dante-server");
        eventually_within(PATIENCE, "the proxy listens", || {
            assert!(process.ended().is_none(), "danted ended at its start:\n{}", process.log());
            TcpStream::connect(address).ok()
        });
        Self { address, process, _dir: dir }
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// Dante takes the addresses of an interface only, so it cannot be given a loopback address of its own.
fn free_port() -> SocketAddr {
    // Below those that the system gives to whoever asks for any.
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let mut ports = iter::repeat_with(|| SocketAddr::from(([127, 0, 0, 1], NEXT.fetch_add(1, Ordering::Relaxed))));
    ports.find(|address| TcpListener::bind(address).is_ok()).expect("a port is free")
}

const CONFIG: &str = "
debug: 1
logoutput: stderr
internal: lo port = {port}
external: lo
clientmethod: none
socksmethod: none
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp }
";
