//! Criteria 17 and 20: told is what the server has confirmed; secrets stay; the session outlives a reload.

use super::lab::bell::{CHANNEL, Config, NICK};
use super::lab::network::{Kind, Network, Options};
use super::lab::observer::{Observer, PATIENCE};
use super::lab::proxy::{Proxy, Side};
use super::lab::services::{self, PASSWORD};
use super::servers::everywhere;
use crate::harness::wait::eventually_within;

#[test]
fn f1_17_what_the_server_did_not_get_is_not_told() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        let proxy = Proxy::before(network.plain);
        let config = Config::at(&proxy.address.to_string()).receiver("confirm_timeout: 2s");
        let config = config.server("nick_fallbacks: [bell2, bell3, bell4, bell5]");
        let mut bell = config.start();
        bell.wait_joined(CHANNEL);
        // Without an echo the proof is a PING after the message: that goes the same way.
        for lost in ["PRIVMSG", "PING"] {
            proxy.swallow(Side::Client, lost);
        }
        bell.fire("a", "lost at first");
        bell.wait_failed(1.0);
        assert_eq!(bell.told(), 0.0, "{kind:?}");
        // Nothing was written to the log: a new life tells it.
        bell.server.kill();
        proxy.swallow_nothing();
        // A proof that comes late must not make it say the same again.
        bell.server.write_config(&config.receiver("confirm_timeout: 60s").text("irc.tmpl"));
        bell.server.launch();
        bell.fire("a", "lost at first");
        observer.hears(CHANNEL, "lost at first");
        eventually_within(PATIENCE, "it is told", || (bell.told() >= 1.0).then_some(()));
        observer.settle();
        assert_eq!(observer.heard(CHANNEL).len(), 1, "{kind:?}: {:?}", observer.texts(CHANNEL));
    });
}

#[test]
fn f1_17_with_echoes_only_the_echo_counts() {
    let network = Network::start(Kind::Inspircd);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let proxy = Proxy::before(network.plain);
    let bell = Config::at(&proxy.address.to_string())
        .receiver("confirm_timeout: 3s")
        .server("nick_fallbacks: [bell2, bell3, bell4, bell5]")
        .start();
    bell.wait_joined(CHANNEL);
    proxy.swallow(Side::Server, "said but not echoed");
    bell.fire("a", "said but not echoed");
    observer.hears(CHANNEL, "said but not echoed");
    bell.wait_failed(1.0);
    assert_eq!(bell.told(), 0.0);
    proxy.swallow_nothing();
    eventually_within(PATIENCE, "it is told", || (bell.told() >= 1.0).then_some(()));
}

#[test]
fn f1_20_secrets_are_never_shown() {
    let mut network = Network::start_with(Kind::Inspircd, Options { record: true, ..Options::default() });
    network.start_services();
    services::register(&network, "router").send("QUIT");
    let owner = Observer::connect(&network, "owner");
    owner.join(CHANNEL);
    owner.mode(CHANNEL, "+k channel-secret");
    let bell = Config::plain(&network)
        .server("password: server-secret")
        .server("sasl: {mechanism: none}")
        .server(&format!("nickserv: {{account: router, password: '{PASSWORD}', wait: 60s}}"))
        .receiver("channel_key: channel-secret")
        .start();
    bell.wait_joined(CHANNEL);
    bell.fire("a", "said");
    owner.hears(CHANNEL, "said");
    // The test is worth something only if all three have been used.
    let record = network.record();
    let secrets = ["server-secret", PASSWORD, "channel-secret"];
    assert!(secrets.iter().all(|secret| record.contains(secret)), "{record}");
    let client = bell.server.client();
    let shown = ["/api/v2/status", "/metrics"].map(|path| client.get(path).ok().text()).join("\n") + &bell.server.log();
    assert!(bell.server.log().contains("JOIN #alerts"), "the log shows what is said");
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[test]
fn f1_20_a_reload_keeps_the_session() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        observer.join("#second");
        let config = Config::plain(&network);
        let mut bell = config.start();
        bell.wait_joined(CHANNEL);
        let config = config.receiver(&format!("to: ['{CHANNEL}', '#second']"));
        bell.reload(&config.clone().server("flood: {burst: 2, interval: 1500ms, max_inflight_bytes: 1024}"));
        bell.wait_joined("#second");
        bell.fire("a", "to both");
        observer.hears(CHANNEL, "to both");
        observer.hears("#second", "to both");
        bell.reload(&config.server("nick: other"));
        observer.wait_for("the nick is changed", |line| {
            (line.command() == "NICK" && line.nick() == NICK && line.param(0) == "other").then_some(())
        });
        assert_eq!(bell.metric("watchbell_irc_connects_total", &[]), 1.0, "{kind:?}");
        eventually_within(PATIENCE, "it is told", || (bell.told() >= 1.0).then_some(()));

        let place = observer.now();
        assert!(bell.server.stop().success());
        let quit = observer.wait_from(place, "it leaves", |line| {
            (line.command() == "QUIT" && line.nick() == "other").then(|| line.last_text())
        });
        assert!(quit.contains("restarting") || kind == Kind::Hybrid, "{kind:?}: {quit}");
        // What was told stays told.
        bell.server.launch();
        bell.wait_joined("#second");
        bell.fire("a", "to both");
        bell.fire("b", "and on");
        observer.hears("#second", "and on");
        observer.settle();
        let heard = observer.texts("#second");
        assert_eq!(heard.iter().filter(|line| line.contains("to both")).count(), 1, "{kind:?}: {heard:?}");
    });
}
