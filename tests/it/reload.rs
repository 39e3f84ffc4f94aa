//! Reloads and ends: by signal and by request, with good configurations and bad ones.

use rustix::process::Signal;

use crate::harness::http::Request;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually;

const ONE: &str = "route: {receiver: one}\nreceivers: [{name: one}]\n";
const TWO: &str = "route: {receiver: two}\nreceivers: [{name: two}]\n";
const BAD: &str = "route: {receiver: three}\nreceivers: [{name: two}]\n";

#[test]
fn a_signal_reloads() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let mut router = listening_to_signals(program);
        router.write_config(TWO);
        router.process().signal(Signal::HUP);
        eventually("the new receiver is there", || (receivers(&router) == ["two"]).then_some(()));
    }
}

#[test]
fn a_request_reloads() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let router = Server::start(program, ONE);
        let answer = router.reload(TWO).ok();
        assert_eq!(answer.text(), "");
        assert_eq!(receivers(&router), ["two"]);
    }
}

#[test]
fn a_bad_reload_keeps_what_runs_and_says_why() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let mut router = Server::start(program, ONE);
        let hash = metric(&router, "alertmanager_config_hash");
        let answer = router.reload(BAD);
        assert_eq!(answer.status, 500);
        let text = answer.text();
        assert!(text.starts_with("failed to reload config: ") && text.contains("three"), "{text}");
        assert_eq!(receivers(&router), ["one"]);
        assert_eq!(metric(&router, "alertmanager_config_last_reload_successful"), "0");
        assert!(router.log().contains("Loading configuration file failed"));

        router.process().signal(Signal::HUP);
        let failures = || router.log().matches("Loading configuration file failed").count();
        eventually("the second failure is logged", || (failures() >= 2).then_some(()));
        assert_eq!(receivers(&router), ["one"]);

        router.reload(TWO).ok();
        assert_eq!(metric(&router, "alertmanager_config_last_reload_successful"), "1");
        assert_ne!(metric(&router, "alertmanager_config_hash"), hash);
    }
}

#[test]
fn a_reload_is_asked_for_by_post_only() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        let router = Server::start(program, ONE);
        assert_eq!(router.client().must(&Request::new("GET", "/-/reload")).status, 405);
    }
}

#[test]
fn a_signal_ends_it_well() {
    for program in [Program::Alertmanager, Program::Watchbell] {
        for signal in [Signal::TERM, Signal::INT] {
            let mut router = listening_to_signals(program);
            router.process().signal(signal);
            let status = router.process().wait();
            assert_eq!(status.code(), Some(0), "{program:?} {signal:?}");
        }
    }
}

#[test]
fn a_lasting_connection_does_not_hold_up_the_end() {
    let mut router = Server::start(Program::Watchbell, ONE);
    let _held = router.client().connect().expect("the router listens");
    assert!(router.stop().success());
}

/// A router that hears signals. Alertmanager is ready before it does, but answers a reload only afterwards;
/// Watchbell must hear them as soon as it is ready.
fn listening_to_signals(program: Program) -> Server {
    let router = Server::start(program, ONE);
    if program == Program::Alertmanager {
        router.reload(ONE).ok();
    }
    router
}

fn receivers(router: &Server) -> Vec<String> {
    let receivers = router.client().get("/api/v2/receivers").ok().json();
    let names = receivers.as_array().expect("a list").iter().map(|receiver| receiver["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

/// The value of a metric without labels.
fn metric(router: &Server, name: &str) -> String {
    let metrics = router.client().get("/metrics").ok().text();
    let line = metrics.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name}")).split(' ').nth(1).expect("a value").to_owned()
}
