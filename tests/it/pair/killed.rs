//! What kills of the routers cut off: the attempts to tell that were begun and of which the router could not write down
//! what came of them. The routers' logs say it, line by line: `Notify`, the intent, the sending, the answer, `Notify
//! success`, the log entry, the news of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::harness::server::Server;

/// How long after the line that says so a success is surely written down and known to the other router, also on a machine
/// that has much else to do: the line itself goes first. Usually it takes milliseconds.
const WRITTEN: Duration = Duration::from_secs(1);

/// A kill of a router.
#[derive(Clone, Debug)]
pub(super) struct Kill {
    /// From before it until the router was gone.
    time: Range<Instant>,
    /// By the clock of the log.
    at: Timestamp,
}

/// An attempt that a kill cut off.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// As the log writes it: `receiver/integration[index]`.
    pub(super) receiver: String,
    pub(super) group: String,
    pub(super) kill: Range<Instant>,
}

impl Kill {
    /// Kills it.
    pub(super) fn of(router: &mut Server) -> Self {
        let (start, at) = (Instant::now(), Timestamp::now());
        router.kill();
        Self { time: start..Instant::now(), at }
    }
}

/// The attempts that these kills of a router cut off; it was killed at no other time, and was started once before each.
pub(super) fn cut_off(log: &str, kills: &[Kill]) -> Vec<Cut> {
    let lives = log.split("msg=\"Starting Watchbell\"").skip(1);
    lives.zip(kills).flat_map(|(life, kill)| under_way(life, kill)).collect()
}

fn under_way(life: &str, kill: &Kill) -> Vec<Cut> {
    // Without an outcome, or with the time of its success.
    let mut attempts: BTreeMap<(String, String), Option<Timestamp>> = BTreeMap::new();
    for line in life.lines() {
        let [Some(what), Some(receiver), Some(group)] = ["msg", "receiver", "aggrGroup"].map(|name| field(line, name))
        else {
            continue;
        };
        let attempt = (receiver, group);
        match what.as_str() {
            "Notify" => {
                attempts.insert(attempt, None);
            }
            "Notify success" => {
                attempts.insert(attempt, field(line, "time").and_then(|at| at.parse().ok()));
            }
            _ => {
                attempts.remove(&attempt);
            }
        }
    }
    let is_written = |success: Timestamp| kill.at.duration_since(success).unsigned_abs() > WRITTEN;
    let cut_off = attempts.into_iter().filter(|(_, success)| !success.is_some_and(is_written));
    cut_off.map(|((receiver, group), _)| Cut { receiver, group, kill: kill.time.clone() }).collect()
}

/// The value of a field of a line in logfmt.
fn field(line: &str, name: &str) -> Option<String> {
    let (_, value) = line.split_once(&format!("{name}="))?;
    let Some(quoted) = value.strip_prefix('"') else { return value.split(' ').next().map(str::to_owned) };
    let mut letters = quoted.chars();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

#[test]
fn what_was_cut_off_is_read_from_the_log() {
    let line = |at: &str, what: &str, group: &str| {
        format!("time=2026-01-01T00:00:{at}+00:00 level=DEBUG msg={what} receiver=web/irc[0] aggrGroup={group} x=1\n")
    };
    let start = "time=2026-01-01T00:00:00.000+00:00 msg=\"Starting Watchbell\"\n".to_owned();
    let log = [
        start.clone(),
        line("01.000", "Notify", r#""{}:{a=\"b c\"}""#),
        line("01.000", "Notify", "{}:{}"),
        line("01.500", "\"Notify success\"", "{}:{}"),
        line("01.600", "Notify", "failed"),
        line("01.700", "\"Notify for alerts failed\"", "failed"),
        line("02.400", "Notify", "late"),
        line("02.450", "\"Notify success\"", "late"),
        start,
        line("04.000", "Notify", "of the next life"),
    ];
    let now = Instant::now();
    let kill = Kill { time: now..now, at: "2026-01-01T00:00:03Z".parse().expect("a time") };
    let cut_off = cut_off(&log.concat(), &[kill]);
    let groups: Vec<_> = cut_off.iter().map(|cut| cut.group.as_str()).collect();
    assert_eq!(groups, ["late", r#"{}:{a="b c"}"#]);
}
