//! The servers themselves, without the router: what they refuse, cut, drop and keep quiet about is why the receiver is
//! as it is. If a newer server behaves differently, these tests say so.

use std::thread;

use super::lab::network::{KINDS, Kind, Network};
use super::lab::observer::Observer;
use super::lab::services::{self, PASSWORD};

/// Runs the same on all three servers at once.
pub(super) fn everywhere(test: impl Fn(Kind) + Sync) {
    thread::scope(|scope| {
        for kind in KINDS {
            let (test, name) = (&test, format!("{kind:?}"));
            thread::Builder::new().name(name).spawn_scoped(scope, move || test(kind)).expect("a thread starts");
        }
    });
}

#[test]
fn a_refused_message_is_answered_and_a_refused_notice_only_by_inspircd() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let [operator, speaker] = ["operator", "speaker"].map(|nick| Observer::connect(&network, nick));
        operator.join("#quiet");
        operator.mode("#quiet", "+m");
        speaker.join("#quiet");
        let refused = |command: &str| {
            let place = speaker.now();
            speaker.send(&format!("{command} #quiet :hello"));
            speaker.settle();
            speaker.lines()[place..].iter().any(|line| line.command() == "404")
        };
        assert!(refused("PRIVMSG"), "{kind:?}");
        assert_eq!(refused("NOTICE"), kind == Kind::Inspircd, "{kind:?}");
        operator.settle();
        assert!(operator.heard("#quiet").is_empty());
    });
}

#[test]
fn lines_are_cut_to_512_bytes_and_ngircd_hangs_up_on_long_ones() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let [listener, speaker] = ["listener", "speaker"].map(|nick| Observer::connect(&network, nick));
        listener.join("#long");
        speaker.join("#long");
        // A whole line of 512 bytes is more than fits once the server has put the sender before it.
        speaker.say("#long", &"é".repeat((512 - "PRIVMSG #long :\r\n".len()) / 2));
        let line = listener.hears("#long", "é");
        assert_eq!(line.raw.len() + 1, 512, "{kind:?}");
        speaker.say("#long", &"x".repeat(800));
        if kind == Kind::Ngircd {
            speaker.wait_for("it is thrown out", |line| (line.command() == "ERROR").then_some(()));
        } else {
            speaker.settle();
            listener.hears("#long", "xxx");
        }
    });
}

#[test]
fn hybrid_drops_a_burst_of_notices_without_a_word() {
    let network = Network::start(Kind::Hybrid);
    let [listener, speaker] = ["listener", "speaker"].map(|nick| Observer::connect(&network, nick));
    listener.join("#burst");
    speaker.join("#burst");
    let burst: String = (0..30).map(|number| format!("NOTICE #burst :{number}\r\n")).collect();
    speaker.send_bytes(burst.as_bytes());
    speaker.settle();
    listener.settle();
    let heard = listener.heard("#burst").len();
    assert!((1..30).contains(&heard), "{heard}");
    assert!(!speaker.lines().iter().any(|line| line.command() == "404"), "it was told");
}

#[test]
fn accounts_work_with_services() {
    for kind in [Kind::Ngircd, Kind::Inspircd] {
        let network = Network::with_services(kind);
        let owner = services::register(&network, "someone");
        owner.send("QUIT");
        let other = Observer::connect(&network, "other");
        other.send(&format!("PRIVMSG NickServ :IDENTIFY someone {PASSWORD}"));
        other.wait_for("it is logged in", |line| line.last_text().contains("You are now identified").then_some(()));
        let account = other.demand("WHOIS other", |line| line.command() == "330");
        assert_eq!(account.param(2), "someone");
    }
}
