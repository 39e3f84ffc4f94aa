//! Criteria 9 to 11 and 18: what a channel or a person does not get is a failure and is tried again; what is possible is
//! done.

use super::lab::bell::{Bell, CHANNEL, Config, NICK, alert};
use super::lab::network::{Kind, Network};
use super::lab::observer::{Observer, PATIENCE};
use super::servers::everywhere;
use crate::harness::wait::eventually_within;

/// Each channel, the modes set before the router comes, and those set once it is in.
const REFUSING: [(&str, &str, &str); 7] = [
    ("#moderated", "", "+m"),
    ("#banned", "", "+b *!*@*"),
    ("#colourless", "", "+c"),
    ("#locked", "+k key", ""),
    ("#invited", "+i", ""),
    ("#registered", "+R", ""),
    ("#full", "+l 1", ""),
];

/// A channel that throws the router out and keeps it out.
const THROWN: &str = "#thrown";

#[test]
fn f1_09_what_a_channel_refuses_has_failed() {
    everywhere(|kind| refuses(kind, "privmsg"));
}

#[test]
fn f1_09_what_a_channel_refuses_has_failed_as_a_notice_too() {
    everywhere(|kind| refuses(kind, "notice"));
}

fn refuses(kind: Kind, message_type: &str) {
    let network = Network::start(kind);
    let operator = Observer::connect(&network, "operator");
    let channels: Vec<_> = REFUSING.iter().filter(|(name, ..)| knows(kind, name)).collect();
    for (channel, before, _) in &channels {
        operator.join(channel);
        if !before.is_empty() {
            operator.mode(channel, before);
        }
    }
    operator.join(THROWN);
    let open: Vec<_> = channels.iter().filter(|(_, before, _)| before.is_empty()).map(|(name, ..)| *name).collect();
    let bell = to_any_channel(&network)
        .server(&format!("autojoin: {:?}", open.iter().chain([&THROWN]).collect::<Vec<_>>()))
        .receiver(&format!("message_type: {message_type}"))
        .receiver("formatting: always")
        .receiver("message: '\u{3}04{{ .CommonLabels.group }}'".replace('\u{3}', "{{ \"\\x03\" }}").as_str())
        .start();
    for channel in open.iter().chain([&THROWN]) {
        operator.sees(NICK, channel);
    }
    for (channel, _, after) in channels.iter().filter(|(_, _, after)| !after.is_empty()) {
        operator.mode(channel, after);
    }
    operator.mode(THROWN, "+b bell!*@*");
    operator.demand(&format!("KICK {THROWN} {NICK} :out"), |line| line.command() == "KICK");

    let all: Vec<_> = channels.iter().map(|(name, ..)| *name).chain([THROWN]).collect();
    bell.post(&all.iter().map(|channel| to(channel)).collect::<Vec<_>>());
    for channel in &all {
        eventually_within(PATIENCE, &format!("{kind:?} {message_type}: {channel} has failed"), || {
            failure(&bell, channel)
        });
    }
    operator.settle();
    let heard: Vec<_> = all.iter().flat_map(|channel| operator.texts(channel)).collect();
    assert!(heard.is_empty(), "{kind:?} {message_type}: {heard:?}");
    assert_eq!(bell.told(), 0.0, "{kind:?} {message_type}");
    let refused =
        bell.metric("alertmanager_notifications_failed_total", &["integration=\"irc\"", "reason=\"clientError\""]);
    let attempts = bell.failed();
    assert!(attempts >= 8.0 || kind == Kind::Ngircd, "{kind:?}: {attempts} attempts, {refused} given up");
}

/// ngIRCd has no mode against colours.
fn knows(kind: Kind, channel: &str) -> bool {
    kind != Kind::Ngircd || channel != "#colourless"
}

/// Whether the router's log says that it failed to tell this channel.
fn failure(bell: &Bell, channel: &str) -> Option<String> {
    let log = bell.server.log();
    let named = |line: &&str| line.contains("otify") && line.contains("fail") && line.contains(channel);
    log.lines().find(named).map(str::to_owned)
}

/// Each notification goes where its label `channel` says.
fn to_any_channel(network: &Network) -> Config {
    Config::plain(network).receiver("to: ['{{ .CommonLabels.channel }}']")
}

fn to(channel: &str) -> serde_json::Value {
    let mut alert = alert(channel, &format!("for {channel}"));
    alert["labels"]["channel"] = channel.into();
    alert
}

#[test]
fn f1_10_after_a_refusal_the_rest_is_told_and_nothing_twice() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let operator = Observer::connect(&network, "operator");
        operator.join(CHANNEL);
        let message = "message: '{{ range .Alerts }}{{ .Annotations.text }}{{ \"\\n\" }}{{ end }}'";
        // So slow that the channel is closed before all is said.
        let slow = "flood: {burst: 1, interval: 2s, max_inflight_bytes: 1024}";
        let config = Config::plain(&network).server(slow).receiver(message).receiver("max_lines: 20");
        let bell = config.route("group_wait: 2s").start();
        bell.wait_joined(CHANNEL);
        let texts: Vec<_> = (0..9).map(|number| format!("<line {number}>")).collect();
        let numbered = |(number, text): (usize, &String)| {
            let mut alert = alert("lines", text);
            alert["labels"]["number"] = number.into();
            alert["labels"]["number"] = number.to_string().into();
            alert
        };
        bell.post(&texts.iter().enumerate().map(numbered).collect::<Vec<_>>());
        eventually_within(PATIENCE, "half of it is said", || (operator.heard(CHANNEL).len() >= 5).then_some(()));
        operator.mode(CHANNEL, "+m");
        bell.wait_failed(1.0);
        operator.settle();
        let before = operator.heard(CHANNEL).len();
        operator.mode(CHANNEL, "-m");
        eventually_within(PATIENCE, "all is told", || (bell.told() >= 1.0).then_some(()));
        operator.settle();
        let heard = operator.texts(CHANNEL);
        assert!(before < heard.len(), "{kind:?}: {before} of {}", heard.len());
        let order: Vec<_> = heard.iter().map(|line| texts.iter().position(|text| line.contains(text))).collect();
        assert_eq!(order, (0..9).map(Some).collect::<Vec<_>>(), "{kind:?}: {heard:#?}");
    });
}

#[test]
fn f1_11_colours_are_left_out_where_they_are_refused() {
    for kind in [Kind::Inspircd, Kind::Hybrid] {
        let network = Network::start(kind);
        let operator = Observer::connect(&network, "operator");
        for (channel, mode) in [("#early", "+c"), ("#late", ""), ("#colourful", "")] {
            operator.join(channel);
            if !mode.is_empty() {
                operator.mode(channel, mode);
            }
        }
        let bell =
            to_any_channel(&network).default_message().server("autojoin: ['#early', '#late', '#colourful']").start();
        operator.sees(NICK, "#late");
        operator.mode("#late", "+c");
        bell.post(&["#early", "#late", "#colourful"].map(to));
        for (channel, plain) in [("#early", true), ("#late", true), ("#colourful", false)] {
            let line = operator.hears(channel, "FIRING").last_text();
            assert_eq!(!line.contains(|letter: char| letter.is_control()), plain, "{kind:?} {channel}: {line:?}");
        }
        eventually_within(PATIENCE, "all three are told", || (bell.told() >= 3.0).then_some(()));
    }
}

#[test]
fn f1_18_a_person_is_told_and_one_who_is_absent_is_not() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let [present, away] = ["present", "away"].map(|nick| Observer::connect(&network, nick));
        away.demand("AWAY :asleep", |line| line.command() == "306");
        let bell = to_any_channel(&network).start();
        bell.post(&["present", "away", "nobody"].map(to));
        present.hears("present", "for present");
        away.hears("away", "for away");
        eventually_within(PATIENCE, "two are told", || (bell.told() >= 2.0).then_some(()));
        eventually_within(PATIENCE, "the third has failed", || failure(&bell, "nobody"));
        // He comes, and is told.
        let third = Observer::connect(&network, "nobody");
        third.hears("nobody", "for nobody");
        eventually_within(PATIENCE, "all three are told", || (bell.told() >= 3.0).then_some(()));
        for (person, nick) in [(&present, "present"), (&away, "away"), (&third, "nobody")] {
            person.settle();
            assert_eq!(person.texts(nick).iter().filter(|text| text.contains("for ")).count(), 1, "{kind:?} {nick}");
        }
    });
}
