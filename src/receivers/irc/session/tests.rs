//! Conversations, line by line. What real servers do is shown elsewhere; here it is what we make of it.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::Failure;

use super::super::memory::LeftOut;
use super::super::plan::Names;
use super::super::request::{IrcSubject, IrcWant};
use super::super::text::{LongLines, Text};
use super::super::wire;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A session, and what a server does to it.
struct Play {
    session: Session,
    shared: Arc<Shared>,
    now: Instant,
}

type Answer = oneshot::Receiver<Result<(), Failure>>;

impl Play {
    /// A connection that has just been made; `settings` is what the server has besides its name and address.
    fn begin(settings: &str) -> Self {
        let secrets = Secrets { sasl: "hunter2".into(), channels: vec![String::new(); 9], ..Secrets::default() };
        Self::begin_with(settings, secrets, Memory::default())
    }

    fn begin_with(settings: &str, secrets: Secrets, memory: Memory) -> Self {
        let shared = Arc::new(Shared::default());
        let now = Instant::now();
        let session = Session::new(Arc::new(plan(settings)), secrets, Arc::clone(&shared), memory, now);
        Self { session, shared, now }
    }

    /// A session that is in `#c`.
    fn joined(settings: &str) -> Self {
        let secrets = Secrets { channels: vec![String::new(); 9], ..Secrets::default() };
        let settings =
            if settings.contains("autojoin") { settings.to_owned() } else { format!("autojoin: ['#c'], {settings}") };
        let mut play = Self::begin_with(&format!("user_modes: '', {settings}"), secrets, Memory::default());
        play.hears(":s CAP * LS :");
        play.welcome();
        assert!(play.says().contains(&"JOIN #c".to_owned()));
        play.hears(":al!~alerts@host JOIN #c");
        play.passes(5 * SECOND);
        assert!(play.says().contains(&"MODE #c".to_owned()));
        play
    }

    fn welcome(&mut self) {
        for line in [":s 001 al :hi", ":s 005 al BOT=B NICKLEN=30 :are supported", ":s 376 al :end"] {
            self.hears(line);
        }
    }

    fn hears(&mut self, line: &str) {
        self.session.receive(&line.parse().unwrap(), self.now);
    }

    /// What is sent since it was last asked.
    fn says(&mut self) -> Vec<String> {
        let sent = std::iter::from_fn(|| self.session.outgoing());
        sent.map(|message| wire::line(&message).trim_end().to_owned()).collect()
    }

    fn passes(&mut self, time: Duration) {
        self.now += time;
        self.session.tick(self.now);
    }

    fn order(&mut self, target: &str, lines: &[&str], change: impl FnOnce(&mut Order)) -> Answer {
        let (reply, answer) = oneshot::channel();
        let mut order = Order {
            target: target.to_owned(),
            key: String::new(),
            text: Text {
                lines: lines.iter().map(|line| (*line).to_owned()).collect(),
                max_lines: 4,
                long_lines: LongLines::Wrap,
                max_line_bytes: 0,
                url: "http://am".to_owned(),
                ending: "⟨00112233⟩".to_owned(),
            },
            style: Style::Auto,
            notice: false,
            confirm: Confirm::Auto,
            confirm_timeout: 10 * SECOND,
            identity: "name".to_owned(),
            id: "00112233".to_owned(),
            dedup_window: 600 * SECOND,
            id_is_secret: false,
            drop_unjoinable: false,
            quota: (60, 3600 * SECOND),
            alerts: LeftOut { notifications: 1, firing: 2, resolved: 0 },
            about: Labels::default(),
            reply,
        };
        change(&mut order);
        self.session.order(Box::new(order), self.now);
        answer
    }
}

fn plan(settings: &str) -> Plan {
    let nick = if settings.starts_with("nick: ") { "" } else { "nick: al, " };
    let server = serde_saphyr::from_str(&format!("{{name: lab, addresses: [a], {nick}{settings}}}")).unwrap();
    Plan::build(&server, &[], &Names::default()).unwrap()
}

/// The failure's text, if the order failed.
fn failed(answer: &mut Answer) -> Option<String> {
    answer.try_recv().ok().and_then(Result::err).map(|failure| failure.text)
}

fn is_told(answer: &mut Answer) -> bool {
    answer.try_recv() == Ok(Ok(()))
}

fn is_waiting(answer: &mut Answer) -> bool {
    answer.try_recv() == Err(TryRecvError::Empty)
}

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
fn no_ping_before_the_welcome() {
    let mut play = Play::begin("ping_interval: 2s, ping_timeout: 2s");
    play.says();
    play.passes(5 * SECOND);
    assert!(play.says().is_empty() && play.session.end().is_none());
    assert!(play.session.deadline() > play.now, "it does not spin");
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
fn services_are_asked_again_by_a_channel_for_those_whom_they_know() {
    let mut play = Play::begin("autojoin: ['#known']");
    play.hears(":s CAP * LS :");
    play.welcome();
    play.passes(15 * SECOND);
    assert!(play.says().contains(&"JOIN #known".to_owned()));
    play.hears(":s 477 al #known :You need to be identified");
    assert_eq!(play.says(), ["WHOIS NickServ"]);
}
