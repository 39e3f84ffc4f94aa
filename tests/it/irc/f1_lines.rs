//! Criteria 5 to 8: what arrives is what was to be said, whatever it is, and nobody is flooded.

use serde_json::{Value, json};

use super::lab::bell::{Bell, CHANNEL, Config, NICK, alert};
use super::lab::line::Line;
use super::lab::network::{Kind, Network, Options};
use super::lab::observer::{Observer, PATIENCE};
use super::servers::everywhere;
use crate::harness::wait::eventually_within;

/// The longest host that a server shows.
const LONG_HOST: &str = "a-host-that-has-a-name-as-long-as-any-that-servers-like-to-show";

/// Bytes that a line has at most, with its end.
const LONGEST_LINE: usize = 512;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % sides
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }

    /// Text of about so many bytes, in letters of one to four bytes, words of any length.
    fn text(&mut self, bytes: usize) -> String {
        let letters: Vec<char> = "abcXYZ019.,:;-+#@!ß€ñжλ漢字あ😀🚨𝔘".chars().collect();
        let mut text = String::from("<");
        while text.len() < bytes {
            let gap = self.roll(9) == 0 && !text.ends_with(' ');
            text.push(if gap { ' ' } else { self.pick(&letters) });
        }
        text + ">"
    }
}

#[test]
fn f1_05_every_character_arrives_whatever_the_sizes() {
    everywhere(|kind| {
        let mut dice = Dice(kind as u64 + 1);
        let (nick, host) = ("n".repeat(1 + dice.roll(30)), &LONG_HOST[..63 - dice.roll(4)]);
        let options = Options { host: Some(host.to_owned()), nick_length: Some(30), ..Options::default() };
        let network = Network::start_with(kind, options);
        let observer = Observer::connect(&network, "observer");
        let bell = Config::plain(&network)
            .server(&format!("nick: {nick}"))
            .receiver("to: ['{{ .CommonLabels.channel }}']")
            .receiver("max_lines: 20")
            .receiver("message_id: false")
            .start();
        if kind == Kind::Inspircd {
            observer.oper();
            bell.wait_metric("watchbell_irc_connected", &[], 1.0);
            eventually_within(PATIENCE, "the host is changed", || {
                observer.send(&format!("CHGHOST {nick} {host}"));
                observer.ask(&format!("WHO {nick}"), |line| line.command() == "352" && line.text().contains(host))
            });
        }
        for (size, length) in [(1, 50), (1 + dice.roll(1000), 2 + dice.roll(48)), (3000, 2 + dice.roll(48))] {
            let channel = format!("#{}", "c".repeat(length - 1));
            let text = dice.text(size);
            observer.join(&channel);
            let mut alert = alert(&channel, &text);
            alert["labels"]["channel"] = channel.clone().into();
            bell.post(&[alert]);
            let text = text.replace(' ', "");
            let heard = whole(&observer, &channel, text.len());
            assert_eq!(heard, text, "{kind:?} nick {} channel {length}", nick.len());
        }
        assert_eq!(bell.metric("watchbell_irc_connects_total", &[]), 1.0, "{kind:?}");
        assert!(observer.lines().iter().any(|line| line.prefix().ends_with(&format!("@{host}"))), "{kind:?}");
    });
}

/// What was said in the channel up to so many bytes, put together; fails if a line is too long or no text. Without
/// spaces, as ngIRCd drops those at the end of a line, and lines are cut there.
fn whole(observer: &Observer, channel: &str, bytes: usize) -> String {
    eventually_within(PATIENCE, &format!("{bytes} bytes are said in {channel}"), || {
        let lines = observer.heard(channel);
        let pieces = lines.iter().map(|line| {
            assert!(line.raw.len() < LONGEST_LINE, "a line of {} bytes", line.raw.len() + 1);
            str::from_utf8(line.last()).expect("no character is cut").replace(' ', "")
        });
        let text = pieces.collect::<String>();
        (text.len() >= bytes).then_some(text)
    })
}

/// What an enemy who controls a label would try, and what looks like it.
const HOSTILE: [&str; 12] = [
    "\r\nJOIN #pwned",
    "\nPRIVMSG #pwned :from a label",
    "\rPRIVMSG #pwned :by a bare return",
    "cut\0here",
    "\u{1}DCC SEND evil 2130706433 9 9\u{1}",
    "\u{1}ACTION dances\u{1}",
    "\u{1b}[2Jgone",
    "\u{3}04red\u{f}",
    "\u{2}bold\u{2}\u{1d}\u{1f}\u{16}\u{11}\u{1e}",
    "\u{85}\u{9b}2J",
    "\r\nQUIT :bye\r\n",
    "\u{2028}NOTICE #pwned :x",
];

#[test]
fn f1_06_no_label_can_speak_irc() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        observer.join("#pwned");
        let message = "message: '{{ range .Alerts }}{{ .Labels.evil }}/{{ .Annotations.text }} {{ end }}end-{{ .CommonLabels.group }}'";
        let bell = Config::plain(&network).receiver(message).receiver("max_lines: 20").start();
        bell.wait_joined(CHANNEL);
        let mut dice = Dice(kind as u64 + 6);
        for group in 0..10 {
            let alerts: Vec<_> = (0..12).map(|number| hostile(&mut dice, &format!("g{group}"), number)).collect();
            bell.post(&alerts);
        }
        for group in 0..10 {
            observer.hears(CHANNEL, &format!("end-g{group}"));
        }
        let said: Vec<_> = observer.lines().into_iter().filter(|line| line.nick() == NICK).collect();
        for line in &said {
            assert!(is_harmless(line), "{kind:?}: {:?}", line.text());
        }
        assert!(observer.heard("#pwned").is_empty());
        assert_eq!(bell.metric("watchbell_irc_connects_total", &[]), 1.0, "{kind:?}");
    });
}

/// An alert whose label and annotation try something, alone or mixed with other characters.
fn hostile(dice: &mut Dice, group: &str, number: usize) -> Value {
    let [left, right] = [dice.pick(&HOSTILE), dice.pick(&HOSTILE)];
    let control = char::from(u8::try_from(dice.roll(32)).expect("a control character is small"));
    let evil = format!("{left}{control}é{right}");
    json!({"labels": {"alertname": "Test", "group": group, "number": number.to_string(), "evil": evil},
           "annotations": {"text": format!("{control}{right}")}})
}

/// Whether a line of the router's is an arrival or plain text for the channel.
fn is_harmless(line: &Line) -> bool {
    let speaks = line.command() == "PRIVMSG" && line.param(0) == CHANNEL;
    let arrives = line.command() == "JOIN" && line.last_text() == CHANNEL;
    (speaks || arrives) && !line.last_text().chars().any(char::is_control)
}

#[test]
fn f1_07_a_storm_in_one_notification_is_a_few_lines_and_a_count() {
    let network = Network::start(Kind::Inspircd);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let config = Config::plain(&network).receiver("mode: alert").receiver("max_lines: 4").route("group_wait: 3s");
    let bell = config.start_with(&["--web.external-url=http://router.example"]);
    bell.wait_joined(CHANNEL);
    for (group, count) in [("few", 157), ("many", 669)] {
        let place = observer.heard(CHANNEL).len();
        bell.post(&storm(group, count));
        let more = observer.hears(CHANNEL, &format!("and {} more", count - 4)).last_text();
        assert!(more.contains("http://router.example"), "{more}");
        observer.settle();
        let lines = observer.texts(CHANNEL).split_off(place);
        assert!(lines.len() == 5 && lines[4] == more, "{lines:#?}");
    }
}

/// The default message names them all in one line, as far as a line goes.
#[test]
fn f1_07_a_group_is_one_line_by_default() {
    let network = Network::start(Kind::Inspircd);
    let observer = Observer::connect(&network, "observer");
    observer.join(CHANNEL);
    let config = Config::plain(&network).default_message().route("group_wait: 3s");
    let bell = config.start_with(&["--web.external-url=http://router.example"]);
    bell.wait_joined(CHANNEL);
    bell.post(&storm("many", 669));
    let line = observer.hears(CHANNEL, "FIRING:669").last_text();
    assert!(line.contains("http://router.example"), "{line}");
    observer.settle();
    assert!(observer.heard(CHANNEL).len() <= 5, "{:#?}", observer.texts(CHANNEL));
}

fn storm(group: &str, count: usize) -> Vec<Value> {
    let numbered = |number: usize| {
        let mut alert = alert(group, &format!("alert {number}"));
        alert["labels"]["instance"] = format!("host-{number:03}").into();
        alert
    };
    (0..count).map(numbered).collect()
}

#[test]
fn f1_08_a_hundred_groups_at_once_lose_nothing_on_any_server() {
    everywhere(|kind| {
        let network = Network::start(kind);
        let observer = Observer::connect(&network, "observer");
        observer.join(CHANNEL);
        let bell = Config::plain(&network).start();
        bell.wait_joined(CHANNEL);
        let groups: Vec<_> = (0..100).map(|number| (format!("g{number}"), format!("<text {number}>"))).collect();
        let alerts: Vec<_> = groups.iter().map(|(group, text)| alert(group, text)).collect();
        bell.post(&alerts);
        wait_told(&bell, 100.0);
        observer.settle();
        let heard = observer.texts(CHANNEL);
        for (_, text) in &groups {
            let times = heard.iter().filter(|line| line.contains(text)).count();
            assert_eq!(times, 1, "{kind:?}: {text} in {heard:#?}");
        }
        assert_eq!(bell.metric("watchbell_irc_connects_total", &[]), 1.0, "{kind:?}: it was thrown out");
        assert_eq!(bell.failed(), 0.0, "{kind:?}");
    });
}

/// At one line a second this takes a while; on ircd-hybrid twice as long, as it takes a second for each command, and the
/// proof that a line arrived is another.
fn wait_told(bell: &Bell, count: f64) {
    eventually_within(4 * PATIENCE, &format!("{count} notifications are told"), || {
        (bell.told() >= count).then_some(())
    });
}
