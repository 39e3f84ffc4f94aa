//! Servers that hang, and many mails at once: neither holds up anybody else, and nothing is left open.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use super::postfix::{Postfix, in_hex};
use super::proxy::{Fault, Proxy};
use super::{PATIENCE, alert, config, metric, post};
use crate::harness::address;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

#[test]
fn f2_18_a_server_that_hangs_is_given_up_in_time_and_holds_up_nobody() {
    let postfix = Postfix::start();
    // Connections are made by the kernel, and nobody ever says a word.
    let silent = TcpListener::bind(address::reserve()).expect("the address is free");
    let silent_address = silent.local_addr().expect("a listener has an address");
    let stalling = Proxy::start(postfix.address(), Fault::StallInData, 1);
    let email = format!(
        "{{to: silent@example.org, smarthost: '{silent_address}'}}, \
         {{to: stalled@example.org, smarthost: '{}'}}, {{to: good@example.org}}",
        stalling.address
    );
    // Time enough that the good one has heard before the others are given up.
    let config = config(postfix.address(), &email).replace("group_interval: 1s", "group_interval: 25s");
    let router = Server::start(Program::Watchbell, &config);
    post(&router, &["One", "Two", "Three"].map(|name| alert(name, &[])));
    postfix.wait_logged("to=<good@example.org>, relay=virtual, delay", 3);
    let late = r#"alertmanager_notifications_failed_total{integration="email",reason="contextDeadlineExceeded"}"#;
    assert_eq!(metric(&router, late), 0.0, "the good one had to wait for the others");
    eventually_within(PATIENCE, "those that hang are given up", || (metric(&router, late) >= 4.0).then_some(()));
    // The wire works again: what was given up is told by the next flush.
    let stalled = || postfix.mails().iter().filter(|mail| mail.recipient() == "stalled@example.org").count();
    eventually_within(PATIENCE, "all three have come", || (stalled() == 3).then_some(()));
}

#[test]
fn f2_20_a_thousand_mails_need_few_connections_and_leave_none() {
    const MAILS: usize = 1000;
    let postfix = Postfix::start_with("transport_maps = static:discard:\n", &[""]);
    // Who is not told within a group interval is given up, and the connection with it.
    let config = config(postfix.address(), "{to: ops@example.org}").replace("[alertname]", "['...']");
    let router = Server::start(Program::Watchbell, &config.replace("group_interval: 1s", "group_interval: 2m"));
    let alerts: Vec<_> = (0..MAILS).map(|number| alert("Fire", &[("number", &number.to_string())])).collect();
    post(&router, &alerts);
    postfix.wait_logged("relay=none, delay", MAILS);
    let connections = postfix.logged("]: connect from").len();
    assert!(connections <= 10, "{connections} connections");
    let open = open_to(postfix.address());
    assert!(open <= 10, "{open} connections are open");
    router.reload(&super::config(postfix.address(), "")).ok();
    eventually_within(PATIENCE, "all connections are closed", || (open_to(postfix.address()) == 0).then_some(()));
    eventually_within(PATIENCE, "none is counted", || {
        (metric(&router, "watchbell_email_connections") == 0.0).then_some(())
    });
}

const ESTABLISHED: &str = "01";

/// How many connections to `address` are open, as the kernel has it.
fn open_to(address: SocketAddr) -> usize {
    let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel lists sockets");
    let is_open = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(2..4) == Some(&[in_hex(address).as_str(), ESTABLISHED])
    };
    sockets.lines().filter(is_open).count()
}
