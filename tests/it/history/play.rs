//! Plays a history to two routers at once and tells where they differ.

use std::collections::{BTreeMap, HashMap};
use std::sync::Barrier;
use std::time::Duration;
use std::{panic, slice};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::intended;
use super::script::{Alert, History, Step, matchers};
use crate::compare::{Difference, differences};
use crate::filling::{Ids, filled, in_seconds, without_ids, written};
use crate::harness::http::{Request, Response};
use crate::harness::server::{Program, Server};
use crate::harness::sink::{NOTED, Sink};
use crate::harness::wait::{eventually, seen_within};

/// The same for both, so that links in notifications are the same.
const EXTERNAL_URL: &str = "--web.external-url=http://router.example";

/// Plays the history, once `all_run`, and returns what differs between the first program and the second without being
/// meant to.
pub(crate) fn compare(history: &History, programs: [Program; 2], all_run: &Barrier) -> Vec<String> {
    let players = panic::catch_unwind(|| programs.map(|program| Player::start(program, history)));
    all_run.wait();
    let mut players = players.unwrap_or_else(|panic| panic::resume_unwind(panic));
    let mut found = Vec::new();
    for (index, step) in history.steps.iter().enumerate() {
        if let Step::Quiet(span) = step {
            stay_quiet(&players, *span);
            continue;
        }
        let [left, right] = players.each_mut().map(|player| player.play(step));
        let place = format!("step {} {}", index + 1, name(step));
        found.extend(differences(&place, &left, &right));
    }
    let [left, right] = players.each_ref().map(Player::notifications);
    found.extend(differences("told", &left, &right));
    unexpected(history.name, &found, programs[0] != programs[1])
}

/// What differs without being meant to, and, if the programs are two, what is meant to differ and does not.
fn unexpected(history: &str, found: &[Difference], two: bool) -> Vec<String> {
    let (everywhere, here) = (intended::everywhere(), intended::only_in(history));
    let meant = |difference: &&Difference| everywhere.iter().chain(&here).any(|intended| intended.covers(difference));
    let unseen = here.iter().filter(|intended| two && !found.iter().any(|difference| intended.covers(difference)));
    let strange = found.iter().filter(|difference| !meant(difference));
    strange.map(ToString::to_string).chain(unseen.map(ToString::to_string)).collect()
}

/// Fails if any of the routers tells anything within the span.
fn stay_quiet(players: &[Player], span: Duration) {
    let counts: Vec<_> = players.iter().map(|player| player.sink.count()).collect();
    let loud = seen_within(span, || players.iter().zip(&counts).find(|(player, count)| player.sink.count() > **count));
    if let Some((player, count)) = loud {
        panic!("{:?} was to stay quiet, but told {:#?}", player.server.program, &player.sink.all()[*count..]);
    }
}

fn name(step: &Step) -> String {
    match step {
        Step::Ask(request) => format!("{} {}", request.method, request.path),
        other => format!("{other:?}").chars().take(60).collect(),
    }
}

/// One router, its receiver, and what a sender remembers of it.
struct Player {
    server: Server,
    sink: Sink,
    /// When each alert began, by labels.
    starts: HashMap<&'static str, Timestamp>,
    /// The ids of silences by their keys.
    silences: Ids,
}

impl Player {
    fn start(program: Program, history: &History) -> Self {
        let sink = Sink::start();
        let server = Server::start_with(program, &with_sink(&history.config, &sink), &[EXTERNAL_URL]);
        Self { server, sink, starts: HashMap::new(), silences: Ids::new() }
    }

    /// Does one step and returns what there is to compare.
    fn play(&mut self, step: &Step) -> Value {
        match step {
            Step::Fire(alerts) => self.post_alerts(alerts, false),
            Step::Resolve(alerts) => self.post_alerts(alerts, true),
            Step::Silence { key, matchers, starts_in, ends_in } => self.silence(key, matchers, *starts_in, *ends_in),
            Step::Expire(key) => {
                let path = format!("/api/v2/silence/{}", self.silences[*key]);
                self.shown(&self.server.client().delete(&path))
            }
            Step::Ask(request) => self.ask(request),
            Step::Told(receiver, times) => {
                self.sink.wait_for(receiver, *times);
                Value::Null
            }
            Step::ToldByWatchbell(receiver, times) => {
                if self.server.program == Program::Watchbell {
                    self.sink.wait_for(receiver, *times);
                }
                Value::Null
            }
            Step::Quiet(_) => unreachable!("both routers are watched at once, by `compare`"),
            Step::Shows(path, text) => {
                let look = || self.server.client().get(path).text().contains(text).then_some(());
                eventually(&format!("{:?} shows {text} at {path}", self.server.program), look);
                Value::Null
            }
            Step::Reload(config) => {
                stay_quiet(slice::from_ref(self), NOTED);
                self.shown(&self.server.reload(&with_sink(config, &self.sink)))
            }
            Step::Restart => {
                stay_quiet(slice::from_ref(self), NOTED);
                assert!(self.server.stop().success());
                self.server.launch();
                Value::Null
            }
        }
    }

    fn post_alerts(&mut self, alerts: &[Alert], ended: bool) -> Value {
        let now = Timestamp::now();
        let body: Vec<_> = alerts.iter().map(|alert| self.alert_body(alert, now, ended)).collect();
        self.shown(&self.server.client().post("/api/v2/alerts", &body.into()))
    }

    fn alert_body(&mut self, alert: &Alert, now: Timestamp, ended: bool) -> Value {
        let start = *self.starts.entry(alert.labels).or_insert(in_seconds(now, -alert.age_seconds));
        let mut body = json!({
            "labels": alert.label_set(),
            "annotations": alert.annotation_set(),
            "startsAt": written(start),
            "generatorURL": "http://prometheus.example/graph?g0.expr=up&g0.tab=1",
        });
        if ended {
            self.starts.remove(alert.labels);
            body["endsAt"] = written(now).into();
        } else if let Some(seconds) = alert.ends_in {
            body["endsAt"] = written(in_seconds(now, seconds)).into();
        }
        body
    }

    fn silence(&mut self, key: &'static str, matching: &str, starts_in: i64, ends_in: i64) -> Value {
        let now = Timestamp::now();
        let mut body = json!({
            "matchers": matchers(matching),
            "startsAt": written(in_seconds(now, starts_in)),
            "endsAt": written(in_seconds(now, ends_in)),
            "createdBy": "the test",
            "comment": key,
        });
        if let Some(id) = self.silences.get(key) {
            body["id"] = id.as_str().into();
            // An edit in place repeats the start; the API shows it in milliseconds.
            let silence = self.server.client().get(&format!("/api/v2/silence/{id}")).json();
            body["startsAt"] = silence["startsAt"].clone();
        }
        let response = self.server.client().post("/api/v2/silences", &body);
        let kept = response.json()["silenceID"] == body["id"];
        if let Some(id) = response.json()["silenceID"].as_str() {
            self.silences.insert(key.to_owned(), id.to_owned());
        }
        json!({"status": response.status, "id kept": kept})
    }

    fn ask(&self, request: &Request) -> Value {
        self.shown(&self.server.client().must(&filled(request, &self.silences)))
    }

    /// What is compared of an answer.
    fn shown(&self, response: &Response) -> Value {
        let body = serde_json::from_slice(&response.body).unwrap_or_else(|_| response.text().into());
        json!({"status": response.status, "body": without_ids(body, &self.silences)})
    }

    /// The bodies told, for each receiver and group in order.
    fn notifications(&self) -> Value {
        let mut told = BTreeMap::<String, Vec<Value>>::new();
        for delivery in self.sink.all() {
            let group = format!("{} {}", delivery.path, delivery.text("groupKey"));
            told.entry(group).or_default().push(without_ids(delivery.body, &self.silences));
        }
        json!(told)
    }
}

fn with_sink(config: &str, sink: &Sink) -> String {
    config.replace("{sink}/", &sink.url(""))
}
