//! Somebody on IRC who is no part of the program: a plain socket that keeps every line it gets, byte for byte, and can do
//! what people in channels do.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::line::Line;
use super::network::{Network, OPER};
use crate::harness::wait::{eventually_within, seen_within};

/// How long a server may take to answer, on a machine that is busy with many.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// How long an answer is awaited before the question is put again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A client that is registered.
pub(crate) struct Observer {
    pub(crate) nick: String,
    stream: TcpStream,
    record: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    lines: Vec<Line>,
}

impl Observer {
    /// Connects in the clear and waits until the server has said all it says to a newcomer.
    pub(crate) fn connect(network: &Network, nick: &str) -> Self {
        let observer = Self::dial(network, nick);
        observer.send(&format!("NICK {nick}"));
        observer.send(&format!("USER {} 0 * :observer", &nick[..nick.len().min(8)]));
        observer.wait_for("the server has greeted", |line| matches!(line.command(), "376" | "422").then_some(()));
        observer
    }

    /// Connects and says nothing yet.
    pub(crate) fn dial(network: &Network, nick: &str) -> Self {
        let stream = TcpStream::connect(network.plain).expect("the server listens");
        stream.set_nodelay(true).expect("a socket can be set up");
        let record = Arc::<Mutex<Record>>::default();
        let (reading, writing) = (stream.try_clone(), stream.try_clone());
        let (reading, writing) = (reading.expect("a socket can be cloned"), writing.expect("a socket can be cloned"));
        let keeping = Arc::clone(&record);
        thread::spawn(move || listen(BufReader::new(reading), writing, &keeping));
        Self { nick: nick.to_owned(), stream, record }
    }

    pub(crate) fn send(&self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Writes just these bytes. A server may have hung up.
    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        drop((&self.stream).write_all(bytes));
    }

    /// Everything received so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.record().lines.clone()
    }

    /// How many lines have been received: a place in the record to look from.
    pub(crate) fn now(&self) -> usize {
        self.record().lines.len()
    }

    /// The first thing `look` finds in a line, whenever that came.
    pub(crate) fn wait_for<T>(&self, what: &str, look: impl FnMut(&Line) -> Option<T>) -> T {
        self.wait_from(0, what, look)
    }

    /// As `wait_for`, in lines from this place on.
    pub(crate) fn wait_from<T>(&self, place: usize, what: &str, mut look: impl FnMut(&Line) -> Option<T>) -> T {
        let found = || self.record().lines[place..].iter().find_map(&mut look);
        let waited = format!("{} sees that {what}", self.nick);
        // The lines say more than the deadline does.
        let _tail = OnPanic(self, place);
        eventually_within(PATIENCE, &waited, found)
    }

    /// Says `line` and returns whether an answer came; asks again when called again.
    pub(crate) fn ask(&self, line: &str, answer: impl Fn(&Line) -> bool) -> Option<Line> {
        let place = self.now();
        self.send(line);
        seen_within(ASK_AGAIN, || self.record().lines[place..].iter().find(|line| answer(line)).cloned())
    }

    /// Says `line` and returns the answer.
    pub(crate) fn demand(&self, line: &str, answer: impl Fn(&Line) -> bool) -> Line {
        let place = self.now();
        self.send(line);
        self.wait_from(place, &format!("{line:?} is answered"), |line| answer(line).then(|| line.clone()))
    }

    /// Waits until the server has worked off all that was said before.
    pub(crate) fn settle(&self) {
        let token = format!("settled-{}", self.now());
        self.demand(&format!("PING {token}"), |line| line.command() == "PONG" && line.last_text() == token);
    }

    pub(crate) fn join(&self, channel: &str) {
        self.demand(&format!("JOIN {channel}"), |line| line.command() == "366");
    }

    /// Changes modes and waits until the server has told so.
    pub(crate) fn mode(&self, target: &str, modes: &str) {
        self.demand(&format!("MODE {target} {modes}"), |line| line.command() == "MODE" && line.nick() == self.nick);
    }

    /// Becomes an operator of the network.
    pub(crate) fn oper(&self) {
        self.demand(&format!("OPER {OPER}"), |line| line.command() == "381");
    }

    pub(crate) fn say(&self, target: &str, text: &str) {
        self.send(&format!("PRIVMSG {target} :{text}"));
    }

    /// What others have said to a channel (or to this nick), in order.
    pub(crate) fn heard(&self, target: &str) -> Vec<Line> {
        self.record().lines.iter().filter(|line| line.says_to(target)).cloned().collect()
    }

    /// The same as text.
    pub(crate) fn texts(&self, target: &str) -> Vec<String> {
        self.heard(target).iter().map(Line::last_text).collect()
    }

    /// Waits until somebody has said something to `target` that contains `text`.
    pub(crate) fn hears(&self, target: &str, text: &str) -> Line {
        self.wait_for(&format!("{target} is told {text:?}"), |line| {
            (line.says_to(target) && line.last_text().contains(text)).then(|| line.clone())
        })
    }

    /// Waits until `nick` is in the channel.
    pub(crate) fn sees(&self, nick: &str, channel: &str) {
        let present = || {
            let names =
                self.ask(&format!("NAMES {channel}"), |line| line.command() == "353" && line.param(2) == channel)?;
            let named = |name: &str| name.trim_start_matches(['@', '+', '%', '~', '&']) == nick;
            names.last_text().split(' ').any(named).then_some(())
        };
        eventually_within(PATIENCE, &format!("{nick} is in {channel}"), present);
    }

    /// Hangs up without a word.
    pub(crate) fn hang_up(&self) {
        drop(self.stream.shutdown(Shutdown::Both));
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// Shows what was received when the wait around it fails.
struct OnPanic<'a>(&'a Observer, usize);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let lines: Vec<_> = self.0.lines()[self.1..].iter().map(Line::text).collect();
            let tail = &lines[lines.len().saturating_sub(30)..];
            eprintln!("--- what {} received\n{}\n---", self.0.nick, tail.join("\n"));
        }
    }
}

/// Keeps every line until the server hangs up, and answers its PINGs.
fn listen(mut reader: BufReader<TcpStream>, mut writer: TcpStream, record: &Mutex<Record>) {
    let lock = || record.lock().unwrap_or_else(PoisonError::into_inner);
    let mut raw = Vec::new();
    while reader.read_until(b'\n', &mut raw).is_ok_and(|count| count > 0) {
        if raw.pop_if(|byte| *byte == b'\n').is_some() {
            let line = Line::parse(&raw);
            if line.command() == "PING" {
                drop(writer.write_all(format!("PONG :{}\r\n", line.last_text()).as_bytes()));
            }
            lock().lines.push(line);
        }
        raw.clear();
    }
}
