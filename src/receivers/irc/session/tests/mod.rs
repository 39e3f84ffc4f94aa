//! Conversations, line by line. What real servers do is shown elsewhere; here it is what we make of it.

mod commands;
mod joining;
mod speaking;

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use watchbell_engine::label::Labels;
use watchbell_engine::notification::Failure;

use super::super::memory::LeftOut;
use super::super::plan::Names;
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
