//! Saying things, and knowing that they were heard.

use super::*;

#[test]
fn a_line_is_told_when_the_server_answers_the_ping_behind_it() {
    let mut play = Play::joined("");
    let mut answer = play.order("#c", &["hello"], |_| ());
    assert_eq!(play.says(), ["PRIVMSG #c :hello ⟨00112233⟩", "PING wb1"]);
    play.hears(":s PONG s wb0");
    assert!(is_waiting(&mut answer));
    play.hears(":s PONG s wb1");
    assert!(is_told(&mut answer));
}

#[test]
fn a_refused_line_fails_and_the_rest_follows_without_repeating() {
    let mut play = Play::joined("");
    let mut answer = play.order("#c", &["one", "two"], |_| ());
    play.hears(":s PONG s wb1");
    assert_eq!(play.says(), ["PRIVMSG #c one", "PING wb1", "PRIVMSG #c :two ⟨00112233⟩", "PING wb2"]);
    play.hears(":s 404 al #c :Cannot send to channel");
    assert_eq!(failed(&mut answer).as_deref(), Some("#c: 404 Cannot send to channel"));
    play.hears(":s PONG s wb2");
    play.passes(SECOND);
    let mut again = play.order("#c", &["one", "two"], |_| ());
    assert_eq!(play.says(), ["PRIVMSG #c :two ⟨00112233⟩", "PING wb3"]);
    play.hears(":s PONG s wb3");
    assert!(is_told(&mut again));
    let mut third = play.order("#c", &["one", "two"], |_| ());
    assert!(play.says().is_empty() && is_told(&mut third));
}

#[test]
fn an_echo_with_our_label_proves_more() {
    let mut play = Play::joined("");
    for name in ["echo-message", "labeled-response", "batch", "message-tags"] {
        play.hears(&format!(":s CAP al ACK :{name}"));
    }
    let mut answer = play.order("#c", &["hello"], |_| ());
    assert_eq!(play.says(), ["@label=wb1 PRIVMSG #c :hello ⟨00112233⟩"]);
    play.hears(":al!u@h PRIVMSG #c :hello ⟨00112233⟩");
    assert!(is_waiting(&mut answer));
    play.hears("@label=wb1 :al!u@h PRIVMSG #c :hello ⟨00112233⟩");
    assert!(is_told(&mut answer));
    let mut refused = play.order("#c", &["hello"], |order| order.identity = "other".into());
    play.hears("@label=wb2 BATCH +x labeled-response");
    play.hears("@batch=x :s 404 al #c :no");
    assert!(failed(&mut refused).is_some());
}

#[test]
fn a_line_that_nothing_proves_fails_and_ends_the_connection() {
    let mut play = Play::joined("");
    let mut answer = play.order("#c", &["hello"], |_| ());
    play.passes(9 * SECOND);
    assert!(is_waiting(&mut answer));
    play.passes(SECOND);
    assert!(failed(&mut answer).is_some() && play.session.end().is_some());
}

#[test]
fn lines_go_out_four_at_once_and_then_one_a_second() {
    let mut play = Play::joined("autojoin: ['#c', '#d', '#e', '#f']");
    for channel in ["#d", "#e", "#f"] {
        play.hears(&format!(":al!~alerts@host JOIN {channel}"));
    }
    play.passes(10 * SECOND);
    play.says();
    let mut sent = Vec::new();
    let _answers: Vec<_> = (0..12)
        .map(|number| {
            let target = ["#c", "#d", "#e", "#f"][number % 4];
            play.order(target, &["x"], |order| (order.confirm, order.identity) = (Confirm::Nothing, number.to_string()))
        })
        .collect();
    for _ in 0..9 {
        sent.push(play.says().len());
        play.passes(SECOND);
    }
    assert_eq!(sent, [4, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_channel_that_shuts_us_out_fails_the_message_with_its_reason() {
    let mut play = Play::joined("");
    let mut answer = play.order("#closed", &["x"], |_| ());
    play.passes(SECOND);
    assert!(play.says().contains(&"JOIN #closed".to_owned()));
    play.hears(":s 473 al #closed :Cannot join channel (+i)");
    assert_eq!(failed(&mut answer).as_deref(), Some("#closed: cannot join: 473 Cannot join channel (+i)"));
    let mut dropped = play.order("#closed", &["x"], |order| order.drop_unjoinable = true);
    assert!(is_told(&mut dropped));
    play.passes(4 * SECOND);
    let mut again = play.order("#closed", &["x"], |_| ());
    play.passes(SECOND);
    assert!(play.says().contains(&"JOIN #closed".to_owned()) && is_waiting(&mut again));
}

#[test]
fn formatting_is_left_out_where_it_is_not_taken() {
    let mut play = Play::joined("");
    play.order("#c", &["\u{2}x\u{2}"], |order| order.confirm = Confirm::Nothing);
    play.hears(":s 324 al #c +ntc");
    play.order("#c", &["\u{2}x\u{2}"], |order| (order.confirm, order.identity) = (Confirm::Nothing, "2".into()));
    assert_eq!(play.says(), ["PRIVMSG #c :\u{2}x\u{2} ⟨00112233⟩", "PRIVMSG #c :x ⟨00112233⟩"]);
}

#[test]
fn a_notice_that_could_vanish_is_sent_as_a_message() {
    let mut play = Play::joined("");
    let notice = |order: &mut Order| order.notice = true;
    play.order("#c", &["x"], notice);
    assert_eq!(play.says()[0], "PRIVMSG #c :x ⟨00112233⟩");
    play.hears(":s PONG s wb1");
    play.hears(":s 353 al = #c :+al other");
    play.order("#c", &["x"], |order| (order.notice, order.identity) = (true, "2".into()));
    assert_eq!(play.says()[0], "NOTICE #c :x ⟨00112233⟩");
}

#[test]
fn what_a_peer_has_said_is_not_said_again() {
    let mut play = Play::joined("peer_nicks: [other]");
    play.hears(":stranger!u@h PRIVMSG #c :x ⟨00112233⟩");
    play.hears(":OTHER!u@h PRIVMSG #d :x ⟨00112233⟩");
    let mut said = play.order("#c", &["x"], |order| order.confirm = Confirm::Nothing);
    assert!(play.says().len() == 1 && is_told(&mut said));
    play.hears(":OTHER!u@h PRIVMSG #c :y ⟨00aabbcc⟩");
    let change = |order: &mut Order| (order.id, order.identity) = ("00aabbcc".into(), "2".into());
    let mut skipped = play.order("#c", &["y"], change);
    assert!(play.says().is_empty() && is_told(&mut skipped));
    play.passes(601 * SECOND);
    play.says();
    play.order("#c", &["y"], change);
    assert!(play.says().contains(&"PRIVMSG #c :y ⟨00112233⟩".to_owned()));
}

#[test]
fn a_bot_that_goes_before_us_is_listened_to_first() {
    let mut play = Play::joined("peer_nicks: [aa, al, zz]");
    play.hears(":s 353 al = #c :al zz");
    let change = |order: &mut Order, id: &str| (order.id, order.identity) = (id.into(), id.into());
    play.order("#c", &["0"], |order| order.confirm = Confirm::Nothing);
    assert_eq!(play.says().len(), 1, "who goes after us is not waited for");
    play.hears(":aa!u@h JOIN #c");
    let mut first = play.order("#c", &["1"], |order| change(order, "00000001"));
    let mut second = play.order("#c", &["2"], |order| change(order, "00000002"));
    play.passes(2 * SECOND);
    play.hears(":aa!u@h PRIVMSG #c :something else");
    play.passes(2 * SECOND);
    play.hears(":aa!u@h PRIVMSG #c :2 ⟨00000002⟩");
    play.passes(2 * SECOND);
    assert!(play.says().is_empty() && is_waiting(&mut first));
    play.hears(":aa!u@h PRIVMSG #c :1 ⟨00000001⟩");
    assert!(is_told(&mut first) && is_told(&mut second) && play.says().is_empty());
    let mut third = play.order("#c", &["3"], |order| change(order, "00000003"));
    play.passes(3 * SECOND);
    assert!(play.says().len() == 2 && is_waiting(&mut third), "it is silent, so we speak");
}

#[test]
fn nothing_is_held_back_for_ever_nor_for_who_is_gone() {
    let mut play = Play::joined("peer_nicks: [aa]");
    play.hears(":aa!u@h JOIN #c");
    let _answer = play.order("#c", &["1"], |_| {});
    for _ in 0..59 {
        play.passes(2 * SECOND);
        play.hears(":aa!u@h PRIVMSG #c :something else");
        assert!(!play.says().iter().any(|line| line.starts_with("PRIVMSG")));
        assert!(play.session.deadline() > play.now, "it does not spin");
        play.session.pulse.next = play.now + 60 * SECOND;
    }
    play.passes(2 * SECOND);
    assert!(play.says().iter().any(|line| line.starts_with("PRIVMSG")));
    let mut play = Play::joined("peer_nicks: [aa]");
    play.hears(":aa!u@h JOIN #c");
    let _answer = play.order("#c", &["1"], |_| {});
    play.hears(":aa!u@h QUIT :gone");
    assert!(play.says().iter().any(|line| line.starts_with("PRIVMSG")));
}

#[test]
fn what_is_too_much_is_counted_and_told_in_one_line() {
    let mut play = Play::joined("");
    for number in 0..5 {
        let mut answer = play.order("#c", &["x"], |order| {
            (order.confirm, order.identity, order.quota) = (Confirm::Nothing, number.to_string(), (2, 3600 * SECOND));
        });
        assert!(is_told(&mut answer));
    }
    assert_eq!(play.says().len(), 2);
    play.passes(30 * SECOND);
    let line = "PRIVMSG #c :3 notifications suppressed for IRC (6 alerts firing, 0 resolved), see http://am";
    assert_eq!(play.says()[0], line);
}

#[test]
fn the_server_carries_the_whole_line() {
    let mut play = Play::joined("");
    play.order("#c", &[&"é".repeat(900)], |order| order.text.max_lines = 9);
    for number in 1..6 {
        for line in play.says().iter().filter(|line| line.starts_with("PRIVMSG")) {
            assert!(format!(":al!~alerts@host {line}\r\n").len() <= 512);
        }
        play.hears(&format!(":s PONG s wb{number}"));
    }
}
