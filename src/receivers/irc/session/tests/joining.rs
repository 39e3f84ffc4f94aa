//! Getting in: capabilities, logins, nicks, channels; and staying in.

use super::*;

#[test]
fn only_what_is_offered_is_asked_for_and_a_refusal_costs_one() {
    let mut play = Play::begin("");
    assert_eq!(play.says(), ["CAP LS 302", "NICK al", "USER alerts 0 * :Alert router"]);
    play.hears(":s CAP * LS * :batch cap-notify");
    assert!(play.says().is_empty());
    play.hears(":s CAP * LS :echo-message draft/x=y");
    assert_eq!(play.says(), ["CAP REQ :batch echo-message"]);
    play.hears(":s CAP * NAK :batch echo-message");
    assert_eq!(play.says(), ["CAP REQ batch", "CAP REQ echo-message"]);
    play.hears(":s CAP * NAK :batch");
    play.hears(":s CAP * ACK :echo-message ");
    assert_eq!(play.says(), ["CAP END"]);
    assert!(play.session.capabilities.has("echo-message") && !play.session.capabilities.has("batch"));
    play.hears(":s CAP al DEL :echo-message");
    assert!(!play.session.capabilities.has("echo-message"));
}

#[test]
fn sasl_plain_comes_before_the_welcome() {
    let mut play = Play::begin("sasl: {username: bot, password: hunter2}");
    play.hears(":s CAP * LS :sasl=EXTERNAL,PLAIN");
    play.hears(":s CAP * ACK :sasl");
    play.hears("AUTHENTICATE +");
    let said = play.says();
    assert_eq!(said[3..], ["CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE Ym90AGJvdABodW50ZXIy"]);
    play.hears(":s 900 * * bot :You are now logged in");
    play.hears(":s 903 * :ok");
    assert_eq!(play.says(), ["CAP END"]);
}

#[test]
fn without_a_required_login_there_is_no_session() {
    let settings = "sasl: {mechanism: plain, required: true}";
    for last in [":s CAP * LS :batch", ":s CAP * LS :sasl=EXTERNAL"] {
        let mut play = Play::begin(settings);
        play.hears(last);
        assert!(play.session.end().is_some_and(|end| end.hopeless), "{last}");
    }
    let mut play = Play::begin(settings);
    play.hears(":s CAP * LS :sasl");
    play.hears(":s CAP * ACK :sasl");
    play.hears(":s 904 * :SASL authentication failed");
    assert!(play.session.end().is_some_and(|end| end.why.contains("904")));
    assert_eq!(play.shared.figures().sasl_failures, 1);
    assert!(!play.says().contains(&"CAP END".to_owned()));
}

#[test]
fn services_that_come_back_are_logged_in_to() {
    let mut play = Play::begin("nickserv: {enabled: 'false'}");
    play.hears(":s CAP * LS :");
    play.welcome();
    play.says();
    play.hears(":s CAP al NEW :sasl=PLAIN");
    assert_eq!(play.says(), ["CAP REQ sasl"]);
    play.hears(":s CAP al ACK :sasl");
    assert_eq!(play.says(), ["AUTHENTICATE PLAIN"]);
}

#[test]
fn a_password_goes_only_to_whom_the_server_vouches_for() {
    let whois = |service: &str, lines: &[&str]| {
        let mut play = Play::begin(&format!("nickserv: {{service: '{service}', account: bot}}"));
        play.hears(":s CAP * LS :");
        play.welcome();
        assert!(play.says().contains(&"WHOIS NickServ".to_owned()));
        lines.iter().for_each(|line| play.hears(line));
        play.says().join("\n")
    };
    let there = ":s 312 al NickServ services.net :Services";
    let end = ":s 318 al NickServ :End";
    assert_eq!(
        whois("NickServ", &[there, ":s 313 al NickServ :is a Network Service", end]),
        "PRIVMSG NickServ :IDENTIFY bot hunter2"
    );
    assert_eq!(whois("NickServ", &[there, end]), "");
    assert_eq!(whois("NickServ", &[":s 401 al NickServ :No such nick", end]), "");
    assert_eq!(whois("NickServ@services.net", &[there, end]), "PRIVMSG NickServ@services.net :IDENTIFY bot hunter2");
    assert_eq!(whois("NickServ@other.net", &[there, ":s 313 al NickServ :is an oper", end]), "");
}

#[test]
fn channels_are_joined_when_services_know_us_or_time_is_up() {
    let begin = || {
        let mut play = Play::begin("autojoin: ['#c']");
        play.hears(":s CAP * LS :");
        play.welcome();
        assert!(!play.says().contains(&"JOIN #c".to_owned()));
        play
    };
    let mut play = begin();
    play.hears(":NickServ MODE al :+R");
    assert!(play.says().contains(&"JOIN #c".to_owned()));
    let mut play = begin();
    play.passes(15 * SECOND);
    assert!(play.says().contains(&"JOIN #c".to_owned()));
}

#[test]
fn a_taken_nick_is_taken_back_when_it_is_free() {
    let mut play = Play::begin("nick_fallbacks: [second], nickserv: {enabled: 'false'}");
    play.hears(":s CAP * LS :");
    play.hears(":s 433 * al :in use");
    play.hears(":s 433 * second :in use");
    play.hears(":s 432 * al_ :too long");
    let said = play.says();
    assert_eq!(said[4..], ["NICK second", "NICK al_", "NICK al_"]);
    play.hears(":s 001 al_ :hi");
    play.hears(":s 422 al_ :no motd");
    play.says();
    play.passes(Duration::ZERO);
    assert_eq!(play.says(), ["ISON al"]);
    play.hears(":s 303 al_ :al");
    assert!(play.says().is_empty());
    play.hears(":al!u@h QUIT :bye");
    assert_eq!(play.says(), ["NICK al"]);
    play.hears(":al_!u@h NICK al");
    assert_eq!((play.session.identity.nick(), play.session.nick_deadline()), ("al", None));
}

#[test]
fn thrown_out_we_come_back() {
    let mut play = Play::joined("");
    for line in [":op!o@h KICK #c al :out", ":al!~alerts@host PART #c :sapart"] {
        play.hears(line);
        assert!(!play.shared.figures().channels["#c"], "{line}");
        play.passes(10 * SECOND);
        assert!(play.says().contains(&"JOIN #c".to_owned()), "{line}");
        play.hears(":al!~alerts@host JOIN #c");
        assert!(play.shared.figures().channels["#c"]);
    }
}

#[test]
fn no_ping_before_the_welcome() {
    let mut play = Play::begin("ping_interval: 2s, ping_timeout: 2s");
    play.says();
    play.passes(5 * SECOND);
    assert!(play.says().is_empty() && play.session.end().is_none());
    assert!(play.session.deadline() > play.now, "it does not spin");
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let mut play = Play::joined("");
    play.passes(60 * SECOND);
    assert_eq!(play.says(), ["PING wb1"]);
    play.passes(30 * SECOND);
    assert!(play.session.end().is_some());
    let mut play = Play::joined("");
    play.passes(60 * SECOND);
    play.hears(":s PONG s wb1");
    play.passes(30 * SECOND);
    assert!(play.session.end().is_none() && play.shared.figures().lag.is_some());
}

#[test]
fn another_plan_changes_the_session_and_does_not_end_it() {
    let mut play = Play::joined("");
    let secrets = Secrets { channels: vec![String::new()], ..Secrets::default() };
    play.passes(5 * SECOND);
    play.session.follow(Arc::new(plan("nick: bo, autojoin: ['#d']")), secrets, play.now);
    play.passes(SECOND);
    let said = play.says();
    assert!(["PART #c", "JOIN #d", "ISON bo"].iter().all(|line| said.iter().any(|said| said == line)), "{said:?}");
    play.hears(":s 303 al :");
    assert_eq!(play.says(), ["NICK bo"]);
}

#[test]
fn services_are_asked_again_by_a_channel_for_those_whom_they_know() {
    let mut play = Play::begin("autojoin: ['#known']");
    play.hears(":s CAP * LS :");
    play.welcome();
    play.passes(15 * SECOND);
    assert!(play.says().contains(&"JOIN #known".to_owned()));
    play.hears(":s 477 al #known :You need to be identified");
    assert_eq!(play.says(), ["WHOIS NickServ"]);
}
