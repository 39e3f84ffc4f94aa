//! The program's arguments: what it prints, what it refuses, and with which status it ends.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::http::Client;
use crate::harness::process::{Process, cannot_start};
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

/// The one flag that Debian added.
const DEBIANS_OWN: &str = "web.ui-path";

/// How far the head of a flag's explanation may be indented; the explanations are further in.
const FLAG_INDENT: usize = 6;

const MINIMAL: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

#[test]
fn an_unknown_flag_is_named() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let ended = run(program, &["--nope=1"]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("error: unknown long flag '--nope', try --help"), "{}", ended.stderr);
    }
}

#[test]
fn the_version_is_told() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let ended = run(program, &["--version"]);
        assert_eq!(ended.code, Some(0));
        let told = ended.stdout + &ended.stderr;
        assert!(told.lines().next().is_some_and(|line| line.contains(", version ")), "{told}");
    }
}

/// Every flag that Alertmanager explains, but Debian's own, is explained.
#[test]
fn help_explains_every_flag_of_alertmanager() {
    let measure = run(Program::Alertmanager, &["--help"]);
    let help = run(Program::Watchbell, &["--help"]);
    assert_eq!(help.code, Some(0));
    let flags = flags(&(measure.stdout + &measure.stderr));
    assert!(flags.len() > 25, "{flags:?}");
    let explained =
        |name: &str| [format!("--{name}"), format!("--[no-]{name}")].iter().any(|flag| help.stdout.contains(flag));
    let missing = flags.iter().filter(|name| !explained(name) && *name != DEBIANS_OWN);
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_port_that_was_chosen_is_logged() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let mut router = Anywhere::start(program, &["--log.format=logfmt"]);
        let line = router.line(|line| line.contains(r#"msg="Listening on""#));
        let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address");
        reaches(address);
    }
}

#[test]
fn logs_may_be_json() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let mut router = Anywhere::start(program, &["--log.format=json", "--log.level", "debug"]);
        let line = router.line(|line| line.contains("Listening on"));
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_eq!(line["msg"], "Listening on");
        reaches(line["address"].as_str().expect("an address"));
    }
}

#[test]
fn a_configuration_that_is_missing_is_named() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let ended = run(program, &["--config.file=/no/such.yml", "--cluster.listen-address="]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("/no/such.yml"), "{}", ended.stderr);
    }
}

/// Alertmanager names the line of some mistakes; Watchbell names line and column of all.
#[test]
fn a_mistake_in_the_configuration_is_placed() {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let file = dir.path().join("bad.yml");
    let cases = [
        ("route:\n  receiver: nobody\n  group_wiat: 1s\nreceivers: [{name: nobody}]\n", "bad.yml:3:3", "group_wiat"),
        ("route:\n  receiver: somebody\nreceivers:\n  - name: nobody\n", "bad.yml:2:13", "somebody"),
        ("route: {receiver: a, group_wait: soon}\nreceivers: [{name: a}]\n", "bad.yml:1:34", "soon"),
        ("route: {receiver: a\n", "bad.yml:", ""),
    ];
    for (config, place, word) in cases {
        fs::write(&file, config).expect("a file can be written");
        let ended =
            run(Program::Watchbell, &[&format!("--config.file={}", file.display()), "--cluster.listen-address="]);
        assert_eq!(ended.code, Some(1), "{config}");
        assert!(ended.stderr.contains(place) && ended.stderr.contains(word), "{config}\n{}", ended.stderr);
    }
}

#[test]
fn what_is_not_built_is_refused() {
    let cases = [
        ("--web.config.file=web.yml", "web.config.file"),
        ("--enable-feature=event-recorder", "event-recorder"),
        ("--enable-feature=no-such-thing", "unknown option 'no-such-thing' for --enable-feature"),
        ("--enable-feature=classic-mode,utf8-strict-mode", "cannot have both classic and UTF-8 modes enabled"),
        ("--data.retention=tomorrow", "data.retention"),
        ("--log.level=loud", "log.level"),
    ];
    for (flag, text) in cases {
        let ended = run(Program::Watchbell, &[flag]);
        assert_eq!(ended.code, Some(1), "{flag}");
        assert!(ended.stderr.contains(text), "{flag}: {}", ended.stderr);
    }
}

#[test]
fn receivers_that_are_not_built_are_refused() {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let file = dir.path().join("router.yml");
    let config = MINIMAL.replace("{name: nobody}", "{name: nobody, pagerduty_configs: [{routing_key: abc}]}");
    fs::write(&file, config).expect("a file can be written");
    let ended = run(Program::Watchbell, &[&format!("--config.file={}", file.display()), "--cluster.listen-address="]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("pagerduty_configs"), "{}", ended.stderr);
}

#[test]
fn everything_lives_under_a_prefix() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let mut router = Server::prepare(program, MINIMAL, &["--web.external-url=http://router.example/bell/"]);
        router.readiness = "/bell/-/ready";
        router.launch();
        let client = router.client();
        for path in ["/bell/api/v2/status", "/bell/metrics", "/bell/-/healthy"] {
            assert_eq!(client.get(path).status, 200, "{path}");
        }
        for path in ["/api/v2/status", "/metrics", "/-/healthy"] {
            assert_eq!(client.get(path).status, 404, "{path}");
        }
        let root = client.get("/");
        assert_eq!((root.status, root.header("Location").as_deref()), (302, Some("/bell")));
    }
}

#[test]
fn a_prefix_of_its_own_wins_over_the_external_url() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let flags = ["--web.external-url=http://router.example/bell", "--web.route-prefix=/"];
        let router = Server::start_with(program, MINIMAL, &flags);
        assert_eq!(router.client().get("/api/v2/status").status, 200);
    }
}

/// What a newcomer sees: no file, no flag, an alert, and its notification on the terminal.
#[test]
fn without_a_configuration_it_tells_the_terminal() {
    let mut router = Anywhere::start_with(Program::Watchbell, &[]);
    let line = router.line(|line| line.contains("Listening on"));
    let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address");
    // So old that its group is told at once.
    let alert = json!([{"labels": {"alertname": "SmokeOnDeck"}, "startsAt": "2026-01-01T00:00:00Z"}]);
    Client { address: address.parse().expect("an address") }.post("/api/v2/alerts", &alert).ok();
    let told = router.line(|line| line.contains("SmokeOnDeck") && !line.starts_with("time="));
    assert!(told.to_lowercase().contains("firing"), "{told}");
}

/// A router that listens wherever there is room.
struct Anywhere {
    process: Process,
    _dir: TempDir,
}

impl Anywhere {
    fn start(program: Program, flags: &[&str]) -> Self {
        Self::start_with(program, &[&["--config.file", "router.yml", "--storage.path", "data"], flags].concat())
    }

    /// As `start`, but with nothing but these flags and an address.
    fn start_with(program: Program, flags: &[&str]) -> Self {
        let dir = TempDir::new().expect("a temporary directory can be had");
        fs::write(dir.path().join("router.yml"), MINIMAL).expect("a file can be written");
        let mut command = Command::new(program.path());
        command
            .current_dir(dir.path())
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .args(flags);
        Self { process: Process::start(command, &dir.path().join("log"), program.package()), _dir: dir }
    }

    fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        eventually("the line is logged", || {
            let (ended, log) = (self.process.ended(), self.process.log());
            assert!(ended.is_none(), "it ended at its start:\n{log}");
            log.lines().find(|line| wanted(line)).map(str::to_owned)
        })
    }
}

fn reaches(address: &str) {
    let address: SocketAddr = address.parse().unwrap_or_else(|error| panic!("{address}: {error}"));
    assert_ne!(address.port(), 0);
    assert_eq!(Client { address }.get("/-/healthy").status, 200);
}

/// How a program ended that was not to go on.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(program: Program, arguments: &[&str]) -> Ended {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let mut command = Command::new(program.path());
    command.current_dir(dir.path()).args(arguments);
    let output =
        command.output().unwrap_or_else(|error| panic!("{}", cannot_start(&command, program.package(), &error)));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// The names of the long flags a help text explains, each at the head of its line or after its short form.
fn flags(help: &str) -> Vec<String> {
    let indented = |line: &&str| line.len() - line.trim_start().len() <= FLAG_INDENT;
    let heads = help.lines().filter(indented).filter_map(|line| line.trim_start().strip_prefix("--"));
    let part_of_name = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    heads.map(|rest| rest.chars().take_while(part_of_name).collect()).collect()
}
