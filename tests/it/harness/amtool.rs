//! Debian's amtool, run against a router or a file.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::cannot_start;
use super::server::Server;

/// What a run of amtool gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The printed text of a run that must have gone well.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "amtool failed: {}", self.stderr);
        self.stdout
    }

    /// The complaint of a run that must have failed.
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, 1, "amtool should have failed and printed: {}", self.stdout);
        self.stderr
    }
}

/// Runs amtool against a running router.
pub(crate) fn amtool(server: &Server, arguments: &[&str]) -> Outcome {
    let url = format!("--alertmanager.url={}", server.url());
    let all: Vec<_> = [url.as_str(), "--no-version-check"].into_iter().chain(arguments.iter().copied()).collect();
    amtool_alone(&all)
}

/// Runs amtool with nothing but these arguments, and with no configuration of the user's.
pub(crate) fn amtool_alone(arguments: &[&str]) -> Outcome {
    let home = TempDir::new().expect("a temporary directory can be had");
    let mut command = Command::new("/usr/bin/amtool");
    command.args(arguments).env("HOME", home.path()).stdin(Stdio::null());
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{}", cannot_start(&command, "prometheus-alertmanager", &error)));
    Outcome {
        code: output.status.code().expect("amtool is not killed by a signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
