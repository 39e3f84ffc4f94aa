//! A router under test: Watchbell, or Debian's Alertmanager as the measure. Both take the same flags and files.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::address;
use super::http::{Client, Request, Response};
use super::process::{Process, read_log};
use super::wait::eventually_within;

/// How long a router may take to be ready: a node of a cluster waits for others up to a minute.
const START: Duration = Duration::from_secs(90);

/// Which program plays the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Watchbell,
    Alertmanager,
}

impl Program {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Watchbell => env!("CARGO_BIN_EXE_watchbell"),
            Self::Alertmanager => "/usr/bin/prometheus-alertmanager",
        }
    }

    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Watchbell => "(none: cargo builds it)",
            Self::Alertmanager => "prometheus-alertmanager",
        }
    }
}

/// A router with a directory of its own, which a stop, a kill and a restart leave as it is.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    /// The path that answers 200 once the router is ready.
    pub(crate) readiness: &'static str,
    /// Goes before the directory, as the log that it shows after a failure is there.
    process: Option<Process>,
    dir: TempDir,
    flags: Vec<String>,
    /// The network namespace it runs in, if not the test's own.
    pub(crate) space: Option<String>,
    /// The authorities it trusts instead of the machine's.
    pub(crate) trusted: Option<PathBuf>,
    /// The file that is run instead of the program itself.
    pub(crate) executable: Option<PathBuf>,
}

impl Server {
    /// A router with this configuration, ready to answer.
    pub(crate) fn start(program: Program, config: &str) -> Self {
        Self::start_with(program, config, &[])
    }

    /// As `start`, with further flags, which win over the harness's own.
    pub(crate) fn start_with(program: Program, config: &str, flags: &[&str]) -> Self {
        let mut server = Self::prepare(program, config, flags);
        server.launch();
        server
    }

    /// A router that has not been started yet.
    pub(crate) fn prepare(program: Program, config: &str, flags: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("watchbell-it-").tempdir().expect("a temporary directory can be had");
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (address, readiness) = (address::reserve(), "/-/ready");
        let server = Self {
            program,
            address,
            readiness,
            dir,
            flags,
            space: None,
            trusted: None,
            executable: None,
            process: None,
        };
        server.write_config(config);
        server
    }

    /// Starts the program on its address and directory and waits until it is ready.
    pub(crate) fn launch(&mut self) {
        assert!(self.process.is_none(), "the router runs already");
        self.begin();
        self.wait_until_ready();
    }

    /// Starts the program, if it does not run, and does not wait.
    pub(crate) fn begin(&mut self) {
        if self.process.is_none() {
            self.process = Some(Process::start(self.command(), &self.log_file(), self.program.package()));
        }
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let (client, readiness, program) = (self.client(), Request::new("GET", self.readiness), self.program);
        let process = self.process();
        eventually_within(START, "the router is ready", || {
            if let Some(status) = process.ended() {
                panic!("{program:?} ended at its start ({status}):\n{}", process.log());
            }
            client.send(&readiness).ok().filter(|response| response.status == 200)
        });
    }

    /// The command line that `launch` uses.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.bare_command();
        command.current_dir(self.dir()).env("TZ", "UTC");
        command.arg(format!("--config.file={}", self.config_file().display()));
        command.arg(format!("--storage.path={}", self.dir().join("data").display()));
        command.arg(format!("--web.listen-address={}", self.address));
        if !self.flags.iter().any(|flag| flag.starts_with("--cluster.listen-address")) {
            command.arg("--cluster.listen-address=");
        }
        command.args(&self.flags);
        command
    }

    fn bare_command(&self) -> Command {
        let executable = self.executable.clone().unwrap_or_else(|| self.program.path().into());
        let mut command = match &self.space {
            None => Command::new(executable),
            Some(space) => in_space(space, &executable),
        };
        if let Some(file) = &self.trusted {
            command.env("SSL_CERT_FILE", file);
        }
        command
    }

    /// Whether it has been started and neither stopped nor killed since.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Adds a flag for the next start.
    pub(crate) fn add_flag(&mut self, flag: String) {
        self.flags.push(flag);
    }

    pub(crate) fn client(&self) -> Client {
        Client { address: self.address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.dir().join("router.yml")
    }

    pub(crate) fn write_config(&self, config: &str) {
        fs::write(self.config_file(), config).expect("a configuration can be written");
    }

    /// Puts a new configuration in place and asks for it.
    pub(crate) fn reload(&self, config: &str) -> Response {
        self.write_config(config);
        self.client().must(&Request::new("POST", "/-/reload"))
    }

    /// Everything the router has printed, over all its starts.
    pub(crate) fn log(&self) -> String {
        read_log(&self.log_file())
    }

    /// The running process.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the router runs")
    }

    /// Asks it to end, as an init system does, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the router runs");
        process.signal(Signal::TERM);
        process.wait()
    }

    /// Takes it away without a word, as `kill -9` or a power cut does.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("the router runs").kill();
    }

    fn log_file(&self) -> PathBuf {
        self.dir().join("router.log")
    }
}

/// A command that runs a program in a network namespace.
pub(crate) fn in_space(space: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", space]).arg(program);
    command
}
