//! What people command.

use super::super::super::request::{IrcSubject, IrcWant};
use super::*;

const COMMANDS: &str = "peer_nicks: [zz, aa], commands: {enabled: true, accounts: [alice]}";

/// A session in `#c` that has said a message with the id 00112233, with a server that tells accounts.
fn with_commands() -> Play {
    let mut play = Play::joined(COMMANDS);
    play.hears(":s CAP al ACK :account-tag");
    let labels = Labels::from_iter([("alertname", "Disk")]);
    play.order("#c", &["x"], |order| (order.confirm, order.about) = (Confirm::Nothing, labels));
    play.says();
    play
}

fn silence(play: &mut Play) -> Option<(IrcSubject, Duration, String)> {
    match play.session.request()?.wants {
        IrcWant::Silence { subject, lasts, comment } => Some((subject, lasts, comment)),
        _ => None,
    }
}

#[test]
fn only_an_account_that_may_can_acknowledge() {
    let mut play = with_commands();
    play.hears("@account=mallory :alice!u@h PRIVMSG #c :!ack 00112233");
    play.hears(":alice!u@h PRIVMSG #c :!ack 00112233");
    assert_eq!(play.session.request(), None);
    assert!(play.says().iter().all(|line| line.starts_with("NOTICE alice :you are not allowed to")));
    play.hears("@account=Alice :al-phone!u@h PRIVMSG #c :!ack 00112233 30m on it");
    let group = IrcSubject::Group(Labels::from_iter([("alertname", "Disk")]));
    let comment = "ACK! acknowledged on IRC by Alice: on it".to_owned();
    assert_eq!(silence(&mut play), Some((group, 1800 * SECOND, comment)));
    play.hears("@account=alice :alice!u@h PRIVMSG #c :!silence a=b 5h why");
    assert_eq!(play.session.request(), None);
}

#[test]
fn one_bot_answers() {
    let mut play = with_commands();
    let ask = |play: &mut Play, text: &str| {
        play.hears(&format!("@account=alice :alice!u@h PRIVMSG #c :{text}"));
        play.session.request().is_some()
    };
    // `zz` comes after us, and has said another message.
    play.hears(":zz!u@h JOIN #c");
    play.hears(":zz!u@h PRIVMSG #c :y ⟨00aabbcc⟩");
    assert!(ask(&mut play, "!status") && ask(&mut play, "!ack 00112233") && !ask(&mut play, "!ack 00aabbcc"));
    // `aa` comes before us.
    play.hears(":aa!u@h JOIN #c");
    play.passes(60 * SECOND);
    assert!(!ask(&mut play, "!status") && ask(&mut play, "!ack 00112233"));
    play.hears(":aa!u@h QUIT :bye");
    assert!(ask(&mut play, "!status"));
}

#[test]
fn nobody_gives_more_commands_than_a_few_a_minute() {
    let mut play = with_commands();
    for _ in 0..7 {
        play.hears("@account=bob :bob!u@h PRIVMSG #c :!status");
    }
    assert_eq!(std::iter::from_fn(|| play.session.request()).count(), 5);
    play.passes(60 * SECOND);
    play.hears("@account=bob :bob!u@h PRIVMSG #c :!status");
    assert!(play.session.request().is_some());
}

#[test]
fn the_server_is_asked_for_an_account_that_it_does_not_tell() {
    let mut play = Play::joined(COMMANDS);
    play.hears(":alice!u@h PRIVMSG #c :!silence a=b 1h why");
    assert_eq!(play.says(), ["WHOIS alice"]);
    play.hears(":s 307 al alice :has identified for this nick");
    play.hears(":s 318 al alice :End");
    assert_eq!((play.session.request(), play.says().len()), (None, 1));
    play.passes(5 * SECOND);
    play.hears(":alice!u@h PRIVMSG #c :!silence a=b 1h why");
    play.hears(":s 330 al alice alice :is logged in as");
    play.hears(":s 318 al alice :End");
    assert!(silence(&mut play).is_some());
    play.hears(":s 005 al WHOX :are supported");
    play.passes(5 * SECOND);
    play.says();
    play.hears(":alice!u@h PRIVMSG #c :!silence a=b 1h why");
    assert_eq!(play.says(), ["WHO alice %tna,77"]);
    play.hears(":s 354 al 77 alice 0");
    assert_eq!(play.session.request(), None);
    play.hears(":alice!u@h PRIVMSG #c :!silence a=b 1h why");
    play.hears(":s 354 al 77 alice alice");
    assert!(silence(&mut play).is_some());
}

#[test]
fn a_nick_will_do_only_where_that_is_wanted_and_he_stands_out() {
    let settings = format!("{}, allow_weak_auth: true}}", COMMANDS.trim_end_matches('}'));
    let mut play = Play::joined(&settings);
    let ask = |play: &mut Play| {
        play.passes(5 * SECOND);
        play.hears(":alice!u@h PRIVMSG #c :!silence a=b 1h why");
        play.hears(":s 307 al alice :has identified for this nick");
        play.hears(":s 318 al alice :End");
        play.session.request().is_some()
    };
    assert!(!ask(&mut play));
    play.hears(":s 353 al = #c :al +alice");
    assert!(ask(&mut play));
    play.hears(":op!u@h MODE #c -v alice");
    assert!(!ask(&mut play));
}

#[test]
fn commands_are_off_by_default() {
    let mut play = Play::joined("");
    play.hears(":s CAP al ACK :account-tag");
    play.hears("@account=alice :alice!u@h PRIVMSG #c :!status");
    assert_eq!((play.session.request(), play.says().len()), (None, 0));
}

#[test]
fn an_answer_does_not_wait_behind_notifications() {
    let mut play = with_commands();
    play.passes(5 * SECOND);
    let _waiting: Vec<_> = (0..9).map(|n| play.order("#c", &["x"], |order| order.identity = n.to_string())).collect();
    assert_eq!(play.says().len(), 2);
    play.session.answer("#c", vec!["done".to_owned()], play.now);
    assert_eq!(play.says(), ["NOTICE #c done"]);
}
