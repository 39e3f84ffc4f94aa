//! Criterion 19: people acknowledge and silence from the channel, if services say who they are.

use serde_json::Value;

use super::lab::bell::{Bell, CHANNEL, Config, NICK};
use super::lab::network::{Kind, Network};
use super::lab::observer::{Observer, PATIENCE};
use super::lab::services;
use crate::harness::wait::eventually_within;

/// A network with accounts, a router that takes commands of alice and bob, and alice in the channel.
fn scene() -> (Network, Bell, Observer) {
    let network = Network::with_services(Kind::Inspircd);
    let alice = services::register(&network, "alice");
    alice.join(CHANNEL);
    let bell = Config::plain(&network).server("commands: {enabled: true, accounts: [alice, bob]}").start();
    bell.wait_joined(CHANNEL);
    (network, bell, alice)
}

/// Fires an alert and returns the id that the channel is shown.
fn shown_id(bell: &Bell, group: &str, reader: &Observer) -> String {
    let text = format!("<{group} is broken>");
    bell.fire(group, &text);
    let line = reader.hears(CHANNEL, &text).last_text();
    let id = line.rsplit_once('⟨').and_then(|(_, rest)| rest.split_once('⟩'));
    id.unwrap_or_else(|| panic!("no id in {line:?}")).0.to_owned()
}

/// Silences that are in force.
fn silences(bell: &Bell) -> Vec<Value> {
    let all = bell.server.client().get("/api/v2/silences").ok().json();
    let all = all.as_array().expect("a list").iter();
    all.filter(|silence| silence["status"]["state"] == "active").cloned().collect()
}

/// Says it in the channel and waits for the router's answer, in the channel or in private.
fn command(speaker: &Observer, text: &str) -> String {
    let place = speaker.now();
    speaker.say(CHANNEL, text);
    speaker.wait_from(place, &format!("{text} is answered"), |line| {
        (line.command() == "NOTICE" && line.nick() == NICK).then(|| line.last_text())
    })
}

fn hours(silence: &Value) -> f64 {
    let time = |key: &str| silence[key].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    time("endsAt").duration_since(time("startsAt")).as_secs_f64() / 3600.0
}

#[test]
fn f1_19_an_acknowledgement_silences_the_group_and_nothing_else() {
    let (_network, bell, alice) = scene();
    let id = shown_id(&bell, "harbour", &alice);
    command(&alice, &format!("!ack {id} 30m looking at it"));
    let made = eventually_within(PATIENCE, "a silence is there", || silences(&bell).pop());
    let comment = made["comment"].as_str().unwrap_or_default();
    assert!(comment.starts_with("ACK!") && comment.contains("looking at it"), "{made}");
    assert_eq!(made["createdBy"], "irc:net/alice");
    let matchers = made["matchers"].as_array().expect("a list");
    assert!(matchers.len() == 1 && matchers[0]["name"] == "group" && matchers[0]["value"] == "harbour", "{made}");
    assert!((0.4..0.6).contains(&hours(&made)), "{made}");

    let id = made["id"].as_str().expect("an id");
    command(&alice, &format!("!unsilence {id}"));
    eventually_within(PATIENCE, "the silence is gone", || silences(&bell).is_empty().then_some(()));
}

#[test]
fn f1_19_only_accounts_count_and_only_at_that_moment() {
    let (network, bell, alice) = scene();
    let id = shown_id(&bell, "harbour", &alice);
    let ack = format!("!ack {id}");
    let mallory = services::register(&network, "mallory");
    mallory.join(CHANNEL);
    command(&mallory, &ack);
    assert!(silences(&bell).is_empty(), "another account");

    alice.demand("NICK al", |line| line.command() == "NICK");
    let impostor = Observer::connect(&network, "alice");
    impostor.join(CHANNEL);
    command(&impostor, &ack);
    assert!(silences(&bell).is_empty(), "the right nick without the account");

    // She may, with whatever nick, until she logs out.
    command(&alice, "!status");
    alice.send("PRIVMSG NickServ :LOGOUT");
    alice.wait_for("she is logged out", |line| (line.command() == "901").then_some(()));
    command(&alice, &ack);
    assert!(silences(&bell).is_empty(), "logged out since");

    alice.send(&format!("PRIVMSG NickServ :IDENTIFY alice {}", services::PASSWORD));
    alice.wait_for("she is logged in", |line| line.last_text().contains("You are now identified").then_some(()));
    command(&alice, &ack);
    assert_eq!(silences(&bell).len(), 1, "logged in again");
}

#[test]
fn f1_19_there_is_a_limit_to_commands_and_to_silences() {
    let (network, bell, alice) = scene();
    let bob = services::register(&network, "bob");
    bob.join(CHANNEL);
    command(&bob, "!silence group=harbour 5h too long");
    assert!(silences(&bell).iter().all(|silence| hours(silence) <= 4.01), "{:#?}", silences(&bell));
    for silence in silences(&bell) {
        bell.server.client().delete(&format!("/api/v2/silence/{}", silence["id"].as_str().expect("an id"))).ok();
    }
    for _ in 0..4 {
        command(&bob, "!status");
    }
    bob.say(CHANNEL, "!silence group=harbour 1h the sixth");
    // What alice asks afterwards has been answered: so what he asked has been decided.
    bob.settle();
    alice.settle();
    command(&alice, "!status");
    assert!(silences(&bell).is_empty(), "{:#?}", silences(&bell));
    command(&alice, "!silence group=harbour 1h her first");
    assert_eq!(silences(&bell).len(), 1);
    let line = command(&alice, "!silence alertname=~.+ 1h everything");
    assert_eq!(silences(&bell).len(), 1, "{line}");
}

#[test]
fn f1_19_nobody_commands_unless_it_is_switched_on() {
    let network = Network::with_services(Kind::Inspircd);
    let alice = services::register(&network, "alice");
    alice.join(CHANNEL);
    let bell = Config::plain(&network).start();
    bell.wait_joined(CHANNEL);
    let id = shown_id(&bell, "harbour", &alice);
    alice.say(CHANNEL, &format!("!ack {id}"));
    alice.settle();
    shown_id(&bell, "barrier", &alice);
    assert!(silences(&bell).is_empty());
    assert!(!alice.lines().iter().any(|line| line.command() == "NOTICE" && line.nick() == NICK));
}
