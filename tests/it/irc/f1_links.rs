//! Criteria 12 to 14: links die, people throw out and take names away; the router comes back.

use std::time::Duration;

use super::lab::bell::{Bell, CHANNEL, Config, NICK, alert};
use super::lab::network::{HOST, Kind, Network, Options};
use super::lab::observer::{Observer, PATIENCE};
use super::lab::proxy::Proxy;
use super::servers::everywhere;
use crate::harness::wait::eventually_within;

#[test]
fn f1_12_a_link_that_died_silently_is_noticed_and_replaced() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        let proxy = Proxy::before(network.plain);
        let bell = Config::at(&proxy.address.to_string())
            .server("ping_interval: 2s")
            // ngIRCd lets a newcomer wait for some seconds.
            .server("ping_timeout: 8s")
            .server("nick_fallbacks: [bell2]")
            .start();
        bell.wait_joined(CHANNEL);
        proxy.lose_connections();
        // Nothing is to be said: the keep-alive alone notices.
        eventually_within(PATIENCE, "it has called again", || (proxy.calls().len() >= 2).then_some(()));
        bell.fire("a", "after the loss");
        observer.hears(CHANNEL, "after the loss");
        // The proof comes after the message, and is not to be lost.
        eventually_within(PATIENCE, "the first is told", || (bell.told() >= 1.0).then_some(()));
        proxy.lose_connections();
        bell.fire("b", "in the loss");
        observer.hears(CHANNEL, "in the loss");
        eventually_within(PATIENCE, "both are told", || (bell.told() >= 2.0).then_some(()));
        observer.settle();
        assert_eq!(observer.heard(CHANNEL).len(), 2, "{kind:?}: {:?}", observer.texts(CHANNEL));
    });
}

#[test]
fn f1_12_two_routers_do_not_call_in_step() {
    let network = Network::start(Kind::Ngircd);
    let proxies = [(); 2].map(|()| Proxy::before(network.plain));
    proxies.iter().for_each(Proxy::close);
    let configs = proxies.each_ref().map(|proxy| Config::at(&proxy.address.to_string()));
    let _bells = configs.map(|config| config.start());
    let pauses = proxies.each_ref().map(|proxy| {
        let calls = eventually_within(PATIENCE, "it has called six times", || {
            Some(proxy.calls()).filter(|calls| calls.len() >= 6)
        });
        calls.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    });
    let apart = |(left, right): (&Duration, &Duration)| left.abs_diff(*right) > Duration::from_millis(20);
    assert!(pauses[0].iter().zip(&pauses[1]).filter(|pair| apart(*pair)).count() >= 2, "{pauses:?}");
}

#[test]
fn f1_13_it_comes_back_when_thrown_out() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let operator = Observer::connect(&network, "operator");
        operator.join(CHANNEL);
        operator.oper();
        let bell = Config::plain(&network).start();
        bell.wait_joined(CHANNEL);
        operator.sees(NICK, CHANNEL);
        let kick = format!("KICK {CHANNEL} {NICK} :out");
        let kill = format!("KILL {NICK} :out");
        let part = format!("SAPART {NICK} {CHANNEL}");
        let ways = [(kick, true), (kill, true), (part, kind == Kind::Inspircd)];
        for (number, (way, _)) in ways.iter().filter(|(_, possible)| *possible).enumerate() {
            let place = operator.now();
            operator.send(way);
            operator.wait_from(place, &format!("{NICK} is out after {way}"), |line| {
                matches!(line.command(), "KICK" | "QUIT" | "PART").then_some(())
            });
            operator.wait_from(place, &format!("{NICK} is back after {way}"), |line| {
                (line.command() == "JOIN" && line.nick() == NICK).then_some(())
            });
            bell.wait_joined(CHANNEL);
            bell.fire(&number.to_string(), &format!("back {number}"));
            operator.hears(CHANNEL, &format!("back {number}"));
        }
    });
}

#[test]
fn f1_13_being_sent_to_another_channel_is_not_being_in_this_one() {
    let network = Network::start(Kind::Inspircd);
    let operator = Observer::connect(&network, "operator");
    operator.join("#elsewhere");
    operator.join(CHANNEL);
    operator.mode(CHANNEL, "+lL 1 #elsewhere");
    let bell = Config::plain(&network).start();
    bell.fire("a", "for the full channel");
    bell.wait_failed(1.0);
    assert_eq!(bell.metric("watchbell_irc_channel_joined", &["channel=\"#alerts\""]), 0.0);
    operator.mode(CHANNEL, "-lL");
    operator.hears(CHANNEL, "for the full channel");
    bell.wait_joined(CHANNEL);
    assert!(operator.heard("#elsewhere").is_empty(), "{:?}", operator.texts("#elsewhere"));
}

#[test]
fn f1_13_a_split_network_is_survived() {
    let mut hub = Network::start(Kind::Inspircd);
    let options =
        Options { name: "leaf.test".to_owned(), uplink: Some((HOST.to_owned(), hub.link)), ..Options::default() };
    let leaf = Network::start_with(Kind::Inspircd, options);
    let (far, near) = (Observer::connect(&leaf, "far"), Observer::connect(&hub, "near"));
    far.join(CHANNEL);
    near.join(CHANNEL);
    far.oper();
    near.sees("far", CHANNEL);
    let addresses = format!("addresses: ['{}', '{}']", hub.plain, leaf.plain);
    let bell = Config::plain(&hub).server(&addresses).start();
    bell.wait_joined(CHANNEL);
    told_to_all(&bell, "before", &[&far, &near]);

    let place = far.now();
    far.send(&format!("SQUIT {HOST} :split"));
    far.wait_from(place, "the net is split", |line| (line.command() == "QUIT" && line.nick() == NICK).then_some(()));
    bell.fire("split", "<split>");
    near.hears(CHANNEL, "<split>");
    far.wait_from(place, "the net is one again", |line| {
        (line.command() == "JOIN" && line.nick() == NICK).then_some(())
    });
    told_to_all(&bell, "after", &[&far, &near]);
    eventually_within(PATIENCE, "all three are told", || (bell.told() >= 3.0).then_some(()));

    // Its server is gone for good: the other address serves.
    hub.kill();
    bell.fire("moved", "<moved>");
    far.hears(CHANNEL, "<moved>");
    let heard = far.texts(CHANNEL);
    for text in ["<before>", "<after>", "<moved>"] {
        assert_eq!(heard.iter().filter(|line| line.contains(text)).count(), 1, "{heard:?}");
    }
}

fn told_to_all(bell: &Bell, word: &str, observers: &[&Observer]) {
    let text = format!("<{word}>");
    bell.post(&[alert(word, &text)]);
    for observer in observers {
        observer.hears(CHANNEL, &text);
    }
}

#[test]
fn f1_14_a_taken_nick_is_regained() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let holder = Observer::connect(&network, NICK);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        let bell = Config::plain(&network).server("nick_fallbacks: [bell2]").start();
        bell.wait_joined(CHANNEL);
        observer.sees("bell2", CHANNEL);
        bell.fire("a", "under another name");
        assert_eq!(observer.hears(CHANNEL, "under another name").nick(), "bell2");
        holder.send("QUIT :gone");
        observer.wait_for("the nick is regained", |line| {
            (line.command() == "NICK" && line.nick() == "bell2" && line.param(0) == NICK).then_some(())
        });
        bell.fire("b", "under its own name");
        assert_eq!(observer.hears(CHANNEL, "under its own name").nick(), NICK, "{kind:?}");
        assert_eq!(bell.metric("watchbell_irc_connects_total", &[]), 1.0, "{kind:?}");
    });
}
