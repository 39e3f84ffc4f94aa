//! A real IRC server of the test's own on loopback, with the limits its package ships. Only what keeps a test from
//! having many clients on one machine (connections from one address, looking up names) is lifted.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use super::certificates::{Authority, Certificate};
use super::observer::Observer;
use super::services;
use super::{hybrid, inspircd, ngircd};
use crate::harness::address;
use crate::harness::process::{Process, read_log};
use crate::harness::wait::eventually_within;

/// The name and the password of the operator on every server.
pub(crate) const OPER: &str = "oper operpass";

/// The name in the certificates of all servers.
pub(crate) const HOST: &str = "irc.test";

/// What servers and services tell each other.
pub(super) const LINK_PASSWORD: &str = "linkpass";

/// Debian's user and group that own nothing.
const NOBODY: u32 = 65534;

/// How long a server may take to come up, on a machine that is busy with many.
const UP: Duration = Duration::from_secs(90);

/// Which program plays the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ngircd,
    Inspircd,
    Hybrid,
}

/// All of them, for what must hold everywhere.
pub(crate) const KINDS: [Kind; 3] = [Kind::Ngircd, Kind::Inspircd, Kind::Hybrid];

/// What differs from the ordinary server.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The server's own name.
    pub(crate) name: String,
    /// The host shown for every client (not on InspIRCd, where an operator can change it).
    pub(crate) host: Option<String>,
    /// The longest nick (ngIRCd's own limit is 9).
    pub(crate) nick_length: Option<usize>,
    /// Whether the server keeps a record of all that is said (InspIRCd).
    pub(crate) record: bool,
    /// Where it listens in the clear, if not at an address that nobody else has; for TLS a thousand ports above.
    pub(crate) plain: Option<SocketAddr>,
    /// The name in its certificate.
    pub(crate) certified: String,
    /// The server to link with, for InspIRCd.
    pub(crate) uplink: Option<(String, SocketAddr)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: HOST.to_owned(),
            host: None,
            nick_length: None,
            record: false,
            plain: None,
            certified: HOST.to_owned(),
            uplink: None,
        }
    }
}

/// A running server, and its services if it has some.
pub(crate) struct Network {
    pub(crate) kind: Kind,
    pub(crate) options: Options,
    /// Where clients speak in the clear.
    pub(crate) plain: SocketAddr,
    /// Where they speak TLS.
    pub(crate) tls: SocketAddr,
    /// Where other servers link.
    pub(crate) link: SocketAddr,
    services: Option<Process>,
    server: Option<Process>,
    authority: Authority,
    dir: TempDir,
}

impl Network {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_with(kind, Options::default())
    }

    pub(crate) fn start_with(kind: Kind, options: Options) -> Self {
        let dir =
            tempfile::Builder::new().prefix("watchbell-irc-").tempdir().expect("a temporary directory can be had");
        let plain = options.plain.unwrap_or_else(address::reserve);
        let [tls, mut link] = [1000, 2000].map(|offset| SocketAddr::new(plain.ip(), plain.port() + offset));
        if kind == Kind::Ngircd {
            link = plain;
        }
        let authority = Authority::new(dir.path());
        let mut network = Self { kind, options, plain, tls, link, services: None, server: None, authority, dir };
        network.launch();
        network
    }

    /// The server with accounts: services linked to it.
    pub(crate) fn with_services(kind: Kind) -> Self {
        let mut network = Self::start(kind);
        network.start_services();
        network
    }

    /// Links services; they are there when this returns.
    pub(crate) fn start_services(&mut self) {
        let process = services::start(self);
        self.services = Some(process);
        let watcher = Observer::connect(self, "linkwait");
        eventually_within(UP, "services are linked", || {
            watcher.ask("PRIVMSG NickServ :INFO nobody-at-all", |line| line.nick() == "NickServ")
        });
    }

    /// Ends the services in order, so that they keep what they know.
    pub(crate) fn rest_services(&mut self) {
        let mut services = self.services.take().expect("services run");
        services.signal(Signal::TERM);
        services.wait();
    }

    /// What all clients and the server have said, if it keeps a record.
    pub(crate) fn record(&self) -> String {
        read_log(&self.dir().join("record.log"))
    }

    /// Starts the server, for the first time or again.
    pub(crate) fn launch(&mut self) {
        let command = match self.kind {
            Kind::Ngircd => ngircd::command(self),
            Kind::Inspircd => inspircd::command(self),
            Kind::Hybrid => hybrid::command(self),
        };
        let mut process = self.run(command, "server");
        eventually_within(UP, "the IRC server listens", || {
            assert!(process.ended().is_none(), "{:?} ended at its start:\n{}", self.kind, process.log());
            TcpStream::connect(self.tls).ok()
        });
        self.server = Some(process);
    }

    /// Takes the server away without a word.
    pub(crate) fn kill(&mut self) {
        self.server.take().expect("the server runs").kill();
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The server's own certificate.
    pub(super) fn certificate(&self) -> Certificate {
        self.authority.issue("server", &self.options.certified)
    }

    /// Writes a file that the server may read.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        fs::write(&path, text).expect("a configuration can be written");
        path
    }

    /// Runs a program of this network in its directory. None of them wants to be root.
    pub(super) fn run(&self, mut command: Command, name: &str) -> Process {
        command.current_dir(self.dir());
        if geteuid().is_root() {
            give_away(self.dir());
            // ngIRCd becomes nobody by itself: it lies where nobody else may be allowed to look.
            if command.get_program().to_string_lossy() != ngircd::program().to_string_lossy() {
                command.uid(NOBODY).gid(NOBODY);
            }
        }
        Process::start(command, &self.dir().join(format!("{name}.log")), "see tests/run")
    }
}

/// Everything in the directory, and itself, belongs to nobody.
fn give_away(dir: &Path) {
    let entries = fs::read_dir(dir).expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    for path in paths.chain([dir.to_owned()]) {
        chown(&path, Some(NOBODY), Some(NOBODY)).expect("root can give files away");
    }
}
