//! The limit of open files under which the program is started: what it may raise it raises, what it may not it names.

use std::fs;
use std::io::{BufReader, Write};
use std::process::Command;

use rustix::process::{Resource, getrlimit};
use tempfile::TempDir;

use crate::harness::http::read_response;
use crate::harness::server::{Program, Server};

const CONFIG: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

/// More connections than the limit lets be open at first.
const CONNECTIONS: usize = 200;

#[test]
fn more_connections_may_be_open_than_the_soft_limit_allows() {
    let (server, _dir) = start_under("ulimit -Sn 64");
    let connections = (0..CONNECTIONS).map(|number| {
        let mut stream = server.client().connect().expect("the router takes connections");
        stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").expect("the router takes bytes");
        let answer = read_response(&mut BufReader::new(&stream), false);
        assert_eq!(answer.map(|answer| answer.status).ok(), Some(200), "connection {number}:\n{}", server.log());
        stream
    });
    assert_eq!(connections.collect::<Vec<_>>().len(), CONNECTIONS);
    let highest = getrlimit(Resource::Nofile).maximum.expect("Linux knows no endless limit of open files");
    assert_eq!(limit_of(&server), highest as f64);
}

#[test]
fn a_low_hard_limit_is_named() {
    let (server, _dir) = start_under("ulimit -n 64");
    assert_eq!(limit_of(&server), 64.0);
    assert!(server.log().contains("Few files may be open at once"), "{}", server.log());
}

/// A router that a shell starts after this command. The directory holds the shell's script.
fn start_under(limit: &str) -> (Server, TempDir) {
    let dir = TempDir::new().expect("a temporary directory can be had");
    let script = dir.path().join("start");
    let text = format!("#!/bin/sh\n{limit} && exec {} \"$@\"\n", Program::Watchbell.path());
    let plain = dir.path().join("text");
    fs::write(&plain, text).expect("a script can be written");
    // Written by another process: what a child of another test still holds open for writing cannot be run.
    let made = Command::new("install").arg("-m755").args([&plain, &script]).status();
    assert!(made.expect("install is there").success());
    let mut server = Server::prepare(Program::Watchbell, CONFIG, &[]);
    server.executable = Some(script);
    server.launch();
    (server, dir)
}

/// The limit that holds for the router, as its metrics tell it.
fn limit_of(server: &Server) -> f64 {
    let metrics = server.client().get("/metrics").ok().text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("process_max_fds "));
    line.expect("the metric is there").parse().expect("it is a number")
}
