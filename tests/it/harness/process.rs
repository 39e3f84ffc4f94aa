//! A child process whose stderr is kept in a file and which does not outlive its owner.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use super::wait::eventually;

/// Lines of a process's log that are shown when its test fails.
const LOG_TAIL: usize = 60;

/// A running (or ended) program.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output appended to `log`. `package` is the Debian package that has the program.
    pub(crate) fn start(mut command: Command, log: &Path, package: &str) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("the log file can be opened");
        let copy = file.try_clone().expect("a file handle can be cloned");
        command.stdin(Stdio::null()).stdout(copy).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}", cannot_start(&command, package, &error)));
        Self { child, log: log.to_owned() }
    }

    /// Everything the program has printed so far, over all its starts with the same log.
    pub(crate) fn log(&self) -> String {
        read_log(&self.log)
    }

    /// The exit status, if the program has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child's status can be asked for")
    }

    /// Sends a signal to the running program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a running child can be signalled");
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("the program has ended", || self.ended())
    }

    /// `kill -9`, and waits until the kernel has taken the process away.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child can be waited for");
    }

    /// How much memory the running program holds, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a running process has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has a size");
        line.trim().trim_end_matches(" kB").parse().expect("the size is a number")
    }

    /// How often each of its threads has slept and woken up so far.
    pub(crate) fn wake_ups(&self) -> BTreeMap<OsString, u64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running process has threads");
        let woken = |thread: fs::DirEntry| {
            let status = fs::read_to_string(thread.path().join("status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            Some((thread.file_name(), line.trim().parse().ok()?))
        };
        // A thread may end while it is looked at.
        threads.flatten().filter_map(woken).collect()
    }

    /// The processor time it has used so far, in hundredths of a second.
    pub(crate) fn processor_time(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a running process has times");
        let (_, fields) = stat.rsplit_once(')').expect("its name is in parentheses");
        fields.split_ascii_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LOG_TAIL)..];
            eprintln!("--- the end of {}\n{}\n---", self.log.display(), tail.join("\n"));
        }
    }
}

/// The text of a log file; empty when it cannot be read.
pub(crate) fn read_log(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Why a program did not start, with the way out if it is not installed.
pub(crate) fn cannot_start(command: &Command, package: &str, error: &io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        format!("{program} is missing: it is in the Debian package {package} (tests/run installs it)")
    } else {
        format!("{program} does not start: {error}")
    }
}
