//! Where Watchbell is listened to besides addresses of the network: sockets that systemd passes, and vsock.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::address;
use crate::harness::http::Client;
use crate::harness::process::Process;
use crate::harness::server::Program;
use crate::harness::wait::eventually;

const CONFIG: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

/// A vsock port that nothing else here listens on.
const VSOCK_PORT: u32 = 19_093;

#[test]
fn sockets_passed_by_systemd_are_served() {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let (tcp, unix) = (address::reserve(), dir.path().join("socket"));
    let mut command = Command::new("/usr/bin/systemd-socket-activate");
    command.arg(format!("--listen={tcp}")).arg(format!("--listen={}", unix.display()));
    command.arg(Program::Watchbell.path()).args(["--config.file=router.yml", "--web.systemd-socket"]);
    let activator = start(command, dir.path(), "systemd");
    eventually("systemd listens", || unix.exists().then_some(()));
    assert!(!activator.log().contains("Starting Watchbell"), "{}", activator.log());
    assert_eq!(Client { address: tcp }.get("/-/healthy").status, 200);
    let mut stream = UnixStream::connect(&unix).expect("the socket can be connected to");
    stream.write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n").expect("a request can be written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is text");
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    let log = activator.log();
    assert!(log.contains(&format!("address={tcp}")) && log.contains(&format!("address={}", unix.display())), "{log}");
}

#[test]
fn without_a_socket_from_systemd_it_does_not_start() {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let mut command = Command::new(Program::Watchbell.path());
    command.args(["--config.file=router.yml", "--web.systemd-socket"]);
    let mut process = start(command, dir.path(), Program::Watchbell.package());
    assert_eq!(process.wait().code(), Some(1));
    assert!(process.log().contains("no socket was passed by systemd"), "{}", process.log());
}

/// The kernel gives the port to the first and refuses it to the second. A connection would need another machine, or a
/// kernel that connects vsock to itself.
#[test]
fn a_vsock_port_is_listened_on() {
    let dirs = [(); 2].map(|()| TempDir::new().expect("a temporary directory can be had"));
    let [mut first, mut second] = dirs.each_ref().map(|dir| {
        let mut command = Command::new(Program::Watchbell.path());
        command.args(["--config.file=router.yml", &format!("--web.listen-address=vsock://:{VSOCK_PORT}")]);
        let mut process = start(command, dir.path(), Program::Watchbell.package());
        let listens = format!("msg=\"Listening on\" address=vsock://:{VSOCK_PORT}");
        eventually("it listens or ends", || {
            process.ended().map(drop).or(process.log().contains(&listens).then_some(()))
        });
        process
    });
    assert!(first.ended().is_none(), "{}", first.log());
    assert_eq!(second.wait().code(), Some(1));
    let refused = format!("listen on \\\"vsock://:{VSOCK_PORT}\\\": Address already in use");
    assert!(second.log().contains(&refused), "{}", second.log());
}

fn start(mut command: Command, dir: &Path, package: &str) -> Process {
    fs::write(dir.join("router.yml"), CONFIG).expect("a file can be written");
    command.current_dir(dir).arg("--cluster.listen-address=");
    Process::start(command, &dir.join("log"), package)
}
