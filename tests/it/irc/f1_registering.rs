//! Criteria 1 to 4: nobody is spoken to who is not the server, logging in comes before joining, and a password goes to
//! the services or to nobody.

use std::path::Path;

use super::lab::bell::{CHANNEL, Config, NICK};
use super::lab::certificates::{Authority, Certificate};
use super::lab::network::{HOST, KINDS, Kind, Network, Options};
use super::lab::observer::{Observer, PATIENCE};
use super::lab::proxy::{Proxy, Side};
use super::lab::scram;
use super::lab::services::{self, PASSWORD};
use super::servers::everywhere;
use crate::harness::wait::eventually_within;

#[test]
fn f1_01_over_tls_it_is_in_the_channel_of_every_server() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        let bell = Config::tls(&network).start();
        bell.wait_joined(CHANNEL);
        bell.fire("a", "over TLS");
        observer.hears(CHANNEL, "over TLS");
        if kind == Kind::Inspircd {
            observer.demand(&format!("WHOIS {NICK}"), |line| line.command() == "671");
        }
    });
}

/// The server's own record shows who has said what.
#[test]
fn f1_01_a_server_with_the_wrong_certificate_hears_nothing() {
    let network = Network::start_with(Kind::Inspircd, Options { record: true, ..Options::default() });
    let stranger = tempfile::tempdir().expect("a temporary directory can be had");
    let authorities = [network.authority().file(), Authority::new(stranger.path()).file()];
    let calls = |nick: &str, authority: &Path, name: &str| {
        let tls = format!("tls_config: {{ca_file: '{}', server_name: {name}}}", authority.display());
        Config::tls(&network).server(&tls).server(&format!("nick: {nick}")).start()
    };
    let wrong = [calls("misled", &authorities[0], "irc.other"), calls("doubtful", &authorities[1], HOST)];
    for bell in &wrong {
        eventually_within(PATIENCE, "the certificate has been refused twice", || {
            (bell.server.log().matches("Disconnected").count() >= 2).then_some(())
        });
        assert!(bell.server.log().contains("certificate"), "{}", bell.server.log());
    }
    calls("content", &authorities[0], HOST).wait_joined(CHANNEL);
    let record = network.record();
    let spoken = |word: &str| record.lines().filter(|line| line.contains(word)).count();
    assert!(spoken("content") > 0 && spoken("misled") + spoken("doubtful") == 0, "{record}");
    // One client asked for capabilities: the content one.
    assert_eq!(record.lines().filter(|line| line.contains("CAP LS")).count(), 1, "{record}");
}

#[test]
fn f1_02_sasl_plain_succeeds_before_registration_ends() {
    let network = Network::with_services(Kind::Inspircd);
    services::register(&network, "router").send("QUIT");
    let proxy = Proxy::before(network.plain);
    let bell = Config::at(&proxy.address.to_string()).server(&sasl("plain", PASSWORD)).start();
    bell.wait_joined(CHANNEL);
    let talk: Vec<_> = proxy.talk().into_iter().map(|(_, line)| line).collect();
    let place = |what: &str| talk.iter().position(|line| line.command() == what || line.text() == what);
    assert!(place("903").expect("success") < place("CAP END").expect("an end of the negotiation"));
    assert_eq!(account(&network, NICK).as_deref(), Some("router"));
}

/// What is said under TLS is taken from the server's own record.
#[test]
fn f1_02_sasl_external_succeeds_before_registration_ends() {
    let options = Options { record: true, ..Options::default() };
    let mut network = Network::start_with(Kind::Inspircd, options);
    network.start_services();
    let certificate = network.authority().issue("client", "router");
    services::add_certificate(&services::register(&network, "router"), &certificate.fingerprint());
    let bell = with_certificate(&network, &certificate, "auto").start();
    bell.wait_joined(CHANNEL);
    assert_eq!(account(&network, NICK).as_deref(), Some("router"));
    let record = network.record();
    let place = |what: &str| record.find(what).unwrap_or_else(|| panic!("{what} is missing in {record}"));
    assert!(place("AUTHENTICATE EXTERNAL") < place(":SASL authentication successful"));
    assert!(place(":SASL authentication successful") < place("CAP END"));
}

#[test]
fn f1_02_sasl_scram_proves_the_password_without_saying_it() {
    let network = Network::start(Kind::Ngircd);
    let door = scram::before(network.plain);
    let proxy = Proxy::before(door);
    let config = Config::at(&proxy.address.to_string());
    let bell = config.clone().server(&sasl("scram-sha-256", PASSWORD)).start();
    bell.wait_joined(CHANNEL);
    assert!(proxy.talk().iter().any(|(_, line)| line.command() == "903"));
    let wrong = config.server(&sasl("scram-sha-256", "wrong")).start();
    wrong.wait_metric("watchbell_irc_sasl_failures_total", &["server=\"net\""], 1.0);
    assert_eq!(wrong.metric("watchbell_irc_channel_joined", &[]), 0.0);
}

#[test]
fn f1_02_without_the_required_login_there_is_no_session() {
    let network = Network::with_services(Kind::Inspircd);
    services::register(&network, "router").send("QUIT");
    let proxy = Proxy::before(network.plain);
    let bell = Config::at(&proxy.address.to_string()).server(&sasl("plain", "wrong")).start();
    bell.wait_metric("watchbell_irc_sasl_failures_total", &["server=\"net\""], 1.0);
    bell.fire("a", "not to be heard");
    bell.wait_failed(1.0);
    // It hung up and tries again, instead of going on as a stranger.
    eventually_within(PATIENCE, "it has called again", || (proxy.calls().len() >= 2).then_some(()));
    assert!(!proxy.said(Side::Client).iter().any(|line| line.starts_with("JOIN")));
    assert!((bell.told(), bell.metric("watchbell_irc_channel_joined", &[])) == (0.0, 0.0));
}

fn sasl(mechanism: &str, password: &str) -> String {
    format!("sasl: {{mechanism: {mechanism}, username: router, password: '{password}', required: true}}")
}

fn with_certificate(network: &Network, client: &Certificate, mechanism: &str) -> Config {
    let files = [network.authority().file(), client.cert.clone(), client.key.clone()];
    let [authority, cert, key] = files.map(|path| path.display().to_string());
    Config::tls(network)
        .server(&format!(
            "tls_config: {{ca_file: '{authority}', server_name: irc.test, cert_file: '{cert}', key_file: '{key}'}}"
        ))
        .server(&format!("sasl: {{mechanism: {mechanism}}}"))
}

/// The account that a nick is logged in to, as the server says.
fn account(network: &Network, nick: &str) -> Option<String> {
    let asker = Observer::connect(network, "asker");
    let place = asker.now();
    asker.demand(&format!("WHOIS {nick}"), |line| line.command() == "318");
    let lines = asker.lines();
    lines[place..].iter().find(|line| line.command() == "330").map(|line| line.param(2))
}

#[test]
fn f1_03_a_server_without_sasl_is_logged_in_to_before_the_channel_is_joined() {
    let network = Network::with_services(Kind::Ngircd);
    services::register(&network, NICK).send("QUIT");
    let owner = Observer::connect(&network, "owner");
    owner.join(CHANNEL);
    owner.mode(CHANNEL, "+R");
    let proxy = Proxy::before(network.plain);
    let nickserv = format!("nickserv: {{account: {NICK}, password: '{PASSWORD}', wait: 60s}}");
    let bell = Config::at(&proxy.address.to_string()).server(&nickserv).start();
    bell.wait_joined(CHANNEL);
    bell.fire("a", "let in");
    owner.hears(CHANNEL, "let in");
    let said = proxy.said(Side::Client);
    let place =
        |what: &str| said.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {said:?}"));
    assert!(place("IDENTIFY") < place(&format!("JOIN {CHANNEL}")));
}

/// The certificate alone logs in, without SASL, as on networks that know nothing else.
#[test]
fn f1_03_a_certificate_opens_a_channel_for_registered_users() {
    let network = Network::with_services(Kind::Inspircd);
    let owner = services::register(&network, "router");
    let certificate = network.authority().issue("client", "router");
    services::add_certificate(&owner, &certificate.fingerprint());
    owner.join(CHANNEL);
    owner.mode(CHANNEL, "+R");
    let bell = with_certificate(&network, &certificate, "none").start();
    bell.wait_joined(CHANNEL);
    bell.fire("a", "let in");
    owner.hears(CHANNEL, "let in");
}

#[test]
fn f1_03_somebody_who_calls_himself_nickserv_gets_no_password() {
    // ngIRCd and InspIRCd keep the nick for services by themselves.
    let network = Network::start(Kind::Hybrid);
    let thief = Observer::connect(&network, "NickServ");
    for service in ["NickServ@services.test", "NickServ"] {
        let proxy = Proxy::before(network.plain);
        let nickserv = format!("nickserv: {{service: '{service}', account: router, password: '{PASSWORD}', wait: 1s}}");
        let bell = Config::at(&proxy.address.to_string()).server(&nickserv).start();
        bell.wait_joined(CHANNEL);
        thief.settle();
        let heard = thief.lines();
        assert!(!heard.iter().any(|line| line.text().contains(PASSWORD)), "{service}");
        assert!(!proxy.said(Side::Client).iter().any(|line| line.contains(PASSWORD)), "{service}");
    }
}

#[test]
fn f1_04_only_what_the_server_has_is_asked_for() {
    for kind in KINDS {
        let network = Network::start(kind);
        let proxy = Proxy::before(network.plain);
        let bell = Config::at(&proxy.address.to_string()).start();
        bell.wait_joined(CHANNEL);
        let talk = proxy.talk();
        let listed: Vec<_> =
            talk.iter().filter(|(side, line)| *side == Side::Server && line.param(1) == "LS").collect();
        let listed: Vec<_> = listed.iter().flat_map(|(_, line)| names(&line.last_text())).collect();
        let asked = proxy.said(Side::Client).into_iter().filter(|line| line.starts_with("CAP REQ"));
        let asked: Vec<_> =
            asked.flat_map(|line| names(line.trim_start_matches("CAP REQ ").trim_start_matches(':'))).collect();
        assert!(asked.iter().all(|name| listed.contains(name)), "{kind:?}: {asked:?} of {listed:?}");
        assert!(kind != Kind::Inspircd || asked.contains(&"echo-message".to_owned()), "{asked:?}");
    }
}

/// Capabilities without their values.
fn names(list: &str) -> Vec<String> {
    list.split_whitespace().map(|name| name.split('=').next().unwrap_or_default().to_owned()).collect()
}

/// The server is made to seem to have what it will refuse.
#[test]
fn f1_04_one_refused_capability_does_not_cost_the_others() {
    let network = Network::start(Kind::Inspircd);
    let proxy = Proxy::before(network.plain);
    proxy.rewrite(" LS :", " LS :chghost setname ");
    let bell = Config::at(&proxy.address.to_string()).start();
    bell.wait_joined(CHANNEL);
    let talk = proxy.talk();
    let answered = |answer: &str| {
        let lines = talk.iter().filter(|(side, line)| *side == Side::Server && line.param(1) == answer);
        lines.flat_map(|(_, line)| names(&line.last_text())).collect::<Vec<_>>()
    };
    assert!(answered("ACK").contains(&"echo-message".to_owned()), "{:?}", answered("ACK"));
}

#[test]
fn f1_04_it_logs_in_when_sasl_appears_later() {
    let mut network = Network::with_services(Kind::Inspircd);
    services::register(&network, "router").send("QUIT");
    // Services write what they know from time to time, and when they end in order.
    network.rest_services();
    // InspIRCd goes on to offer what the services it has lost could do, unless it never knew them.
    network.kill();
    network.launch();
    let proxy = Proxy::before(network.plain);
    let sasl = format!("sasl: {{mechanism: plain, username: router, password: '{PASSWORD}'}}");
    let bell = Config::at(&proxy.address.to_string()).server(&sasl).start();
    bell.wait_joined(CHANNEL);
    assert_eq!(account(&network, NICK), None);
    network.start_services();
    eventually_within(PATIENCE, "it is logged in", || account(&network, NICK).filter(|account| account == "router"));
    assert_eq!(proxy.calls().len(), 1, "on the same connection");
}
